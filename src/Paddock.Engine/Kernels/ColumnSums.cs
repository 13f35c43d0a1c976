using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Sums over rows, for gradients of weights and biases: each tile of rows sums into its own vector, then these are added in the order of the
/// tiles, in double.
/// </summary>
internal static unsafe class ColumnSums
{
    private const int MaxTiles = 256;
    private const int Block = 64;

    /// <summary>Rows of one tile: at most 256 tiles, and enough rows to be worth one.</summary>
    public static int RowsPerTile(int rows, int width) => Math.Max(Tiles.RowsPerTile(width), Tiles.Over(rows, MaxTiles));

    /// <summary>sums[i] += partials[0][i] + partials[1][i] + ...; partial t begins at t * stride.</summary>
    public static void AddTo(WorkerPool pool, int tiles, float* partials, long stride, int width, float* sums) =>
        Tiles.Run(pool, Tiles.Over(width, Block), new Job { Count = tiles, Partials = partials, Stride = stride, Width = width, Sums = sums });

    private struct Job : ITileJob
    {
        public float* Partials, Sums;
        public long Stride;
        public int Count, Width;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int begin = tile * Block, n = Math.Min(Block, Width - begin);
            double* total = stackalloc double[Block];
            for (int i = 0; i < n; i++)
                total[i] = Sums[begin + i];
            for (int t = 0; t < Count; t++)
                for (int i = 0; i < n; i++)
                    total[i] += Partials[t * Stride + begin + i];
            for (int i = 0; i < n; i++)
                Sums[begin + i] = (float)total[i];
        }
    }
}
