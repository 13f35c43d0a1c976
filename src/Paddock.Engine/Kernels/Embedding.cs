using System.Runtime.InteropServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>Table lookup and its gradient.</summary>
internal static unsafe class Embedding
{
    // two cache lines: workers never write the same line of a row
    private const int ColumnsPerTile = 32;

    /// <summary>y[n, :] = table[tokens[n], :]; every token is a row of the table.</summary>
    public static void Forward(WorkerPool pool, int N, int C, int* tokens, float* table, float* y)
    {
        int rowsPerTile = Tiles.RowsPerTile(C);
        Tiles.Run(pool, Tiles.Over(N, rowsPerTile), new ForwardJob { N = N, C = C, RowsPerTile = rowsPerTile, Tokens = tokens, Table = table, Y = y });
    }

    /// <summary>dTable[tokens[n], :] += dy[n, :], in the order of n.</summary>
    public static void Backward(WorkerPool pool, int N, int C, int* tokens, float* dy, float* dTable) =>
        Tiles.Run(pool, Tiles.Over(C, ColumnsPerTile), new BackwardJob { N = N, C = C, Tokens = tokens, Dy = dy, DTable = dTable });

    private struct ForwardJob : ITileJob
    {
        public float* Table, Y;
        public int* Tokens;
        public int N, C, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(N, (tile + 1) * RowsPerTile);
            for (int n = tile * RowsPerTile; n < end; n++)
                NativeMemory.Copy(Table + (long)Tokens[n] * C, Y + (long)n * C, (nuint)C * sizeof(float));
        }
    }

    // a tile is a range of columns for all tokens, so no two workers add to the same element
    private struct BackwardJob : ITileJob
    {
        public float* Dy, DTable;
        public int* Tokens;
        public int N, C;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int begin = tile * ColumnsPerTile, end = Math.Min(C, begin + ColumnsPerTile);
            for (int n = 0; n < N; n++)
            {
                float* from = Dy + (long)n * C, to = DTable + (long)Tokens[n] * C;
                int i = begin;
                for (; i + V.Count <= end; i += V.Count)
                    V.Store(V.Load(to + i) + V.Load(from + i), to + i);
                for (; i < end; i++)
                    to[i] += from[i];
            }
        }
    }
}
