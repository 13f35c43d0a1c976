using System.Runtime.Intrinsics.X86;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>The register width a decode kernel runs on; fixed by the machine, given by tests only.</summary>
internal enum DecodeTier { Best, Bits512, Bits256, Bits128 }

/// <summary>
/// y[M, N] (+)= x[M, K] · W[N, K]^T + bias for few rows of x, W streamed once. An element is one chain of multiply-adds over k in rising
/// order in float formats, and one over blocks in rising order in block formats (<see cref="IDecodeFormat"/>), started at y when
/// accumulating, at the bias otherwise: a row's result is the same bits whatever M is, whatever the thread count, and whether one position or
/// a whole prompt is computed.
/// </summary>
internal static unsafe class DecodeMatMul
{
    private const int PanelRows = DecodeFormats.PanelRows;
    private const int RowsPerTile = 64;

    // K that stays in the first-level cache while all rows of x pass over it: 128 * 32 floats = 16 KiB
    private const int ChunkK = 128;

    // bytes between what is used and what is asked for when one pass streams the weights
    private const int StreamAhead = 2048;

    private struct Context
    {
        public byte* Weights;
        public long PanelBytes;
        public int M, N, K, Panels, RowChunks, Long, LongPanels, ShortPanels, BlockBytes;
        public float* X, Y, Bias, Sums;
        public nint LdX, LdY, LdSums;
        public bool Accumulate;
    }

    /// <summary>Rows of x, and their sums over blocks for the formats that want them.</summary>
    private struct Input
    {
        public float* X, Sums;
        public nint LdX, LdSums;
    }

    public static DecodeTier BestTier => Tier.Current switch
    {
        TierKind.Vector512 => DecodeTier.Bits512,
        TierKind.Vector256 when Avx2.IsSupported => DecodeTier.Bits256,
        _ => DecodeTier.Bits128,
    };

    /// <param name="bias">[N] or null.</param>
    /// <param name="accumulate">Adds to y instead of overwriting it.</param>
    public static void Run(WorkerPool pool, int M, DecodeMatrix w, float* x, int ldx, float* y, int ldy, float* bias, bool accumulate, DecodeTier tier = DecodeTier.Best)
    {
        // one long run of panels for every thread, so that each streams on without a break; the rest in short ones evens out the ends.
        // No element depends on how panels are dealt out.
        int panels = w.Panels, chunks = (M + RowsPerTile - 1) / RowsPerTile;
        int longPanels = chunks == 1 ? panels * 3 / 4 / pool.Threads : 0, longTiles = longPanels > 0 ? pool.Threads : 0;
        int shortPanels = chunks == 1 ? Math.Max(1, panels / 64) : 1;
        Context context = new()
        {
            Weights = w.Data,
            PanelBytes = w.PanelBytes,
            M = M,
            N = w.N,
            K = w.K,
            Panels = panels,
            RowChunks = chunks,
            Long = longTiles,
            LongPanels = longPanels,
            ShortPanels = shortPanels,
            BlockBytes = DecodeFormats.BlockBytes(w.Format),
            X = x,
            LdX = ldx,
            Y = y,
            LdY = ldy,
            Bias = bias,
            Accumulate = accumulate,
        };
        if (w.Format is DecodeFormat.Q4_0 or DecodeFormat.Q4_1)
        {
            context.Sums = DecodeInputs.Prepare(pool, M, w.K, x, ldx, out context.X);
            (context.LdX, context.LdSums) = (w.K, w.K / DecodeFormats.BlockK);
        }
        int tiles = longTiles + Tiles.Over(panels - longTiles * longPanels, shortPanels) * chunks;
        pool.Run(tiles, (tier == DecodeTier.Best ? BestTier : tier) switch
        {
            DecodeTier.Bits512 => Body<DecodeLanes512>(w.Format),
            DecodeTier.Bits256 => Body<DecodeLanes256>(w.Format),
            _ => Body<DecodeLanes128>(w.Format),
        }, &context);
    }

    private static delegate*<void*, int, int, void> Body<V>(DecodeFormat format) where V : unmanaged, IDecodeLanes<V> => format switch
    {
        DecodeFormat.Float32 => &Tile<V, Float32Format>,
        DecodeFormat.BFloat16 => &Tile<V, BFloat16Format>,
        DecodeFormat.Q8_0 => &Tile<V, Q8Format>,
        DecodeFormat.Q4_0 => &Tile<V, Q4ZeroFormat>,
        _ => &Tile<V, Q4OneFormat>,
    };

    private static void Tile<V, F>(void* context, int tile, int worker) where V : unmanaged, IDecodeLanes<V> where F : struct, IDecodeFormat
    {
        Context* c = (Context*)context;
        int begin = tile * c->LongPanels, end = begin + c->LongPanels, firstRow = 0;
        if (tile >= c->Long)
        {
            tile -= c->Long;
            firstRow = tile % c->RowChunks * RowsPerTile;
            begin = c->Long * c->LongPanels + tile / c->RowChunks * c->ShortPanels;
            end = Math.Min(begin + c->ShortPanels, c->Panels);
        }
        int rows = Math.Min(RowsPerTile, c->M - firstRow), wholePanels = c->N / PanelRows;
        float* x = c->X + firstRow * c->LdX;
        while (begin < end)
        {
            byte* w = c->Weights + begin * c->PanelBytes;
            float* y = c->Y + firstRow * c->LdY + begin * PanelRows;
            int together = rows == 1 && V.Count >= 8 && begin + 2 <= Math.Min(end, wholePanels) ? 2 : 1;
            int columns = Math.Min(together * PanelRows, c->N - begin * PanelRows);
            bool add = c->Accumulate;
            if (c->Bias != null)
            {
                for (int r = 0; r < rows; r++)
                    for (int j = 0; j < columns; j++)
                        y[r * c->LdY + j] = c->Bias[begin * PanelRows + j] + (add ? y[r * c->LdY + j] : 0f);
                add = true;
            }
            Input input = new() { X = x, LdX = c->LdX, Sums = c->Sums == null ? null : c->Sums + firstRow * c->LdSums, LdSums = c->LdSums };
            if (together == 2 && V.Count == 16)
                DecodeTiles<V, F>.OneByFour(c->K, w, 0, w + c->PanelBytes, 0, StreamAhead, x, input.Sums, y, add);
            else if (together == 2)
                DecodeTiles<V, F>.OneByEight(c->K, w, w + c->PanelBytes, StreamAhead, x, input.Sums, y, add);
            else if (columns == PanelRows)
                Panel<V, F>(c, w, rows, input, y, c->LdY, add);
            else
                Edge<V, F>(c, w, rows, columns, input, y, add);
            begin += together;
        }
    }

    // the last panel: its padding rows must not reach y
    private static void Edge<V, F>(Context* c, byte* w, int rows, int columns, Input x, float* y, bool add) where V : unmanaged, IDecodeLanes<V> where F : struct, IDecodeFormat
    {
        float* edge = stackalloc float[RowsPerTile * PanelRows];
        for (int r = 0; add && r < rows; r++)
            for (int j = 0; j < columns; j++)
                edge[r * PanelRows + j] = y[r * c->LdY + j];
        Panel<V, F>(c, w, rows, x, edge, PanelRows, add);
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < columns; j++)
                y[r * c->LdY + j] = edge[r * PanelRows + j];
    }

    private static void Panel<V, F>(Context* c, byte* w, int rows, Input x, float* y, nint ldy, bool add) where V : unmanaged, IDecodeLanes<V> where F : struct, IDecodeFormat
    {
        if (rows == 1 && 4 * V.Count <= PanelRows)
        {
            for (int column = 0; column < PanelRows; column += 4 * V.Count)
                DecodeTiles<V, F>.OneByFour(c->K, w, column, w, column + 2 * V.Count, StreamAhead, x.X, x.Sums, y + column, add);
            return;
        }
        bool once = rows <= V.TileRows && 2 * V.Count == PanelRows;
        int step = once ? c->K : ChunkK, chunkBytes = ChunkK / DecodeFormats.BlockK * c->BlockBytes;
        for (int k = 0; k < c->K; k += step, w += chunkBytes, x.X += step, x.Sums += step / DecodeFormats.BlockK)
            for (int column = 0; column < PanelRows; column += 2 * V.Count)
                Chunk<V, F>(Math.Min(step, c->K - k), w, column, column > 0 ? 0 : once ? StreamAhead : chunkBytes, rows, x, y + column, ldy, add || k > 0);
    }

    private static void Chunk<V, F>(int K, byte* w, int column, int ahead, int rows, Input x, float* y, nint ldy, bool add) where V : unmanaged, IDecodeLanes<V> where F : struct, IDecodeFormat
    {
        int r = 0;
        for (; r + 8 <= rows && V.TileRows == 8; r += 8, ahead = 0)
            DecodeTiles<V, F>.EightByTwo(K, w, column, ahead, x.X + r * x.LdX, x.LdX, x.Sums + r * x.LdSums, x.LdSums, y + r * ldy, ldy, add);
        for (; r + 6 <= rows && r + 8 != rows && V.TileRows == 6; r += 6, ahead = 0)
            DecodeTiles<V, F>.SixByTwo(K, w, column, ahead, x.X + r * x.LdX, x.LdX, x.Sums + r * x.LdSums, x.LdSums, y + r * ldy, ldy, add);
        for (; r + 4 <= rows; r += 4, ahead = 0)
            DecodeTiles<V, F>.FourByTwo(K, w, column, ahead, x.X + r * x.LdX, x.LdX, x.Sums + r * x.LdSums, x.LdSums, y + r * ldy, ldy, add);
        for (; r + 2 <= rows; r += 2, ahead = 0)
            DecodeTiles<V, F>.TwoByTwo(K, w, column, ahead, x.X + r * x.LdX, x.LdX, x.Sums + r * x.LdSums, x.LdSums, y + r * ldy, ldy, add);
        for (; r < rows; r++, ahead = 0)
            DecodeTiles<V, F>.OneByTwo(K, w, column, ahead, x.X + r * x.LdX, x.Sums + r * x.LdSums, y + r * ldy, add);
    }
}
