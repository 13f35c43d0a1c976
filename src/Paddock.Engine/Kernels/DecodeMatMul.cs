using System.Runtime.Intrinsics.X86;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>The register width a decode kernel runs on; fixed by the machine, given by tests only.</summary>
internal enum DecodeTier { Best, Bits512, Bits256, Bits128 }

/// <summary>
/// y[M, N] (+)= x[M, K] · W[N, K]^T + bias for few rows of x, W streamed once. Every element is one chain of multiply-adds over k in
/// rising order (started at y when accumulating, at the bias otherwise), so a row's result is the same bits whatever M is, whatever
/// the thread count, and whether one position or a whole prompt is computed.
/// </summary>
internal static unsafe class DecodeMatMul
{
    private const int PanelRows = DecodeFormats.PanelRows;
    private const int RowsPerTile = 64;

    // K that stays in the first-level cache while all rows of x pass over it: 128 * 32 floats = 16 KiB
    public const int ChunkK = 128;

    private struct Context
    {
        public byte* Weights;
        public long PanelBytes;
        public int M, N, K, Panels, RowChunks, PanelsPerTile, BlockBytes;
        public float* X, Y, Bias;
        public nint LdX, LdY;
        public bool Accumulate;
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
        Context context = new()
        {
            Weights = w.Data,
            PanelBytes = w.PanelBytes,
            M = M,
            N = w.N,
            K = w.K,
            Panels = w.Panels,
            RowChunks = (M + RowsPerTile - 1) / RowsPerTile,
            PanelsPerTile = M == 1 ? 2 : 1,
            BlockBytes = DecodeFormats.BlockBytes(w.Format),
            X = x,
            LdX = ldx,
            Y = y,
            LdY = ldy,
            Bias = bias,
            Accumulate = accumulate,
        };
        int tiles = (context.Panels + context.PanelsPerTile - 1) / context.PanelsPerTile * context.RowChunks;
        pool.Run(tiles, (tier == DecodeTier.Best ? BestTier : tier) switch
        {
            DecodeTier.Bits512 => Body<DecodeLanes512>(w.Format),
            DecodeTier.Bits256 => Body<DecodeLanes256>(w.Format),
            _ => Body<DecodeLanes128>(w.Format),
        }, &context);
    }

    private static delegate*<void*, int, int, void> Body<L>(DecodeFormat format) where L : struct, IDecodeLanes<L> => format switch
    {
        DecodeFormat.Float32 => &Tile<L, Float32Format>,
        DecodeFormat.BFloat16 => &Tile<L, BFloat16Format>,
        DecodeFormat.Q8_0 => &Tile<L, Q8Format>,
        DecodeFormat.Q4_0 => &Tile<L, Q4ZeroFormat>,
        _ => &Tile<L, Q4OneFormat>,
    };

    private static void Tile<L, F>(void* context, int tile, int worker) where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
    {
        Context* c = (Context*)context;
        int panel = tile / c->RowChunks * c->PanelsPerTile, start = tile % c->RowChunks * RowsPerTile;
        int rows = Math.Min(RowsPerTile, c->M - start);
        float* x = c->X + start * c->LdX;
        float* y = c->Y + start * c->LdY + panel * PanelRows;
        byte* w = c->Weights + panel * c->PanelBytes;
        int columns = Math.Min(PanelRows * c->PanelsPerTile, c->N - panel * PanelRows);
        bool whole = columns == PanelRows * c->PanelsPerTile, add = c->Accumulate;
        if (c->Bias != null)
        {
            for (int r = 0; r < rows; r++)
                for (int j = 0; j < columns; j++)
                    y[r * c->LdY + j] = c->Bias[panel * PanelRows + j] + (add ? y[r * c->LdY + j] : 0f);
            add = true;
        }
        if (whole && c->PanelsPerTile == 2)
            DecodeTiles<L, F>.OneByFour(c->K, w, w + c->PanelBytes, x, y, add);
        else if (whole)
            Panel<L, F>(c, w, rows, x, y, c->LdY, add);
        else
            for (int done = 0; done < columns; done += PanelRows)
                Edge<L, F>(c, w + done / PanelRows * c->PanelBytes, rows, Math.Min(PanelRows, columns - done), x, y + done, add);
    }

    // the last panel: its padding rows must not reach y
    private static void Edge<L, F>(Context* c, byte* w, int rows, int columns, float* x, float* y, bool add) where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
    {
        float* edge = stackalloc float[RowsPerTile * PanelRows];
        for (int r = 0; add && r < rows; r++)
            for (int j = 0; j < columns; j++)
                edge[r * PanelRows + j] = y[r * c->LdY + j];
        Panel<L, F>(c, w, rows, x, edge, PanelRows, add);
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < columns; j++)
                y[r * c->LdY + j] = edge[r * PanelRows + j];
    }

    private static void Panel<L, F>(Context* c, byte* w, int rows, float* x, float* y, nint ldy, bool add) where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
    {
        if (rows <= L.TileRows)
            Rows<L, F>(c->K, w, rows, x, c->LdX, y, ldy, add);
        else if (rows <= 2 * L.TileRows || typeof(F) == typeof(Float32Format))
        {
            for (int k = 0; k < c->K; k += ChunkK)
                Rows<L, F>(Math.Min(ChunkK, c->K - k), w + (long)(k / DecodeFormats.BlockK) * c->BlockBytes, rows, x + k, c->LdX, y, ldy, add || k > 0);
        }
        else
            Widened<L, F>(c, w, rows, x, y, ldy, add);
    }

    // many rows: each chunk of the panel is widened once, not once per register tile
    private static void Widened<L, F>(Context* c, byte* w, int rows, float* x, float* y, nint ldy, bool add) where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
    {
        float* unaligned = stackalloc float[ChunkK * PanelRows + 16];
        float* chunk = (float*)(((nint)unaligned + 63) & ~63);
        for (int k = 0; k < c->K; k += ChunkK)
        {
            int count = Math.Min(ChunkK, c->K - k);
            DecodeTiles<L, F>.Widen(count, w + (long)(k / DecodeFormats.BlockK) * c->BlockBytes, chunk);
            Rows<L, Float32Format>(count, (byte*)chunk, rows, x + k, c->LdX, y, ldy, add || k > 0);
        }
    }

    private static void Rows<L, F>(int K, byte* w, int rows, float* x, nint ldx, float* y, nint ldy, bool add) where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
    {
        int r = 0;
        if (L.TileRows >= 8)
        {
            for (; r + 8 <= rows; r += 8)
                DecodeTiles<L, F>.EightByTwo(K, w, x + r * ldx, ldx, y + r * ldy, ldy, add);
            for (; r + 4 <= rows; r += 4)
                DecodeTiles<L, F>.FourByTwo(K, w, x + r * ldx, ldx, y + r * ldy, ldy, add);
        }
        for (; L.TileRows >= 2 && r + 2 <= rows; r += 2)
            DecodeTiles<L, F>.TwoByTwo(K, w, x + r * ldx, ldx, y + r * ldy, ldy, add);
        for (; r < rows; r++)
            DecodeTiles<L, F>.OneByTwo(K, w, x + r * ldx, y + r * ldy, add);
    }
}
