using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>A bias added to every row, and its gradient.</summary>
internal static unsafe class Bias
{
    /// <summary>x[r, :] += bias for the first N columns of each row.</summary>
    public static void Add(WorkerPool pool, int rows, int N, float* x, int ldx, float* bias)
    {
        int rowsPerTile = Tiles.RowsPerTile(N);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new Job { Rows = rows, N = N, RowsPerTile = rowsPerTile, X = x, Ld = ldx, Row = bias });
    }

    /// <summary>dBias += sum over rows of dy.</summary>
    public static void Backward(WorkerPool pool, int rows, int N, float* dy, int lddy, float* dBias)
    {
        int rowsPerTile = ColumnSums.RowsPerTile(rows, N), tiles = Tiles.Over(rows, rowsPerTile);
        float* partials = pool.SharedScratch((long)tiles * N);
        Tiles.Run(pool, tiles, new Job { Rows = rows, N = N, RowsPerTile = rowsPerTile, X = dy, Ld = lddy, Row = partials, Backward = true });
        ColumnSums.AddTo(pool, tiles, partials, N, N, dBias);
    }

    private struct Job : ITileJob
    {
        public float* X, Row;
        public long Ld;
        public int Rows, N, RowsPerTile;
        public bool Backward;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int begin = tile * RowsPerTile, end = Math.Min(Rows, begin + RowsPerTile);
            if (!Backward)
            {
                for (int r = begin; r < end; r++)
                    AddRow<V>(Row, X + r * Ld, N);
                return;
            }
            float* sums = Row + (long)tile * N;
            new Span<float>(sums, N).Clear();
            for (int r = begin; r < end; r++)
                AddRow<V>(X + r * Ld, sums, N);
        }

        private static void AddRow<V>(float* from, float* to, int n)
            where V : unmanaged, ILanes<V>
        {
            int i = 0;
            for (; i + V.Count <= n; i += V.Count)
                V.Store(V.Load(to + i) + V.Load(from + i), to + i);
            for (; i < n; i++)
                to[i] += from[i];
        }
    }
}
