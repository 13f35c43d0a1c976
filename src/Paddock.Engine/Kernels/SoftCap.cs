using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>y = cap tanh(x / cap): keeps scores and logits within +-cap (Gemma 2, arXiv 2408.00118).</summary>
internal static unsafe class SoftCap
{
    /// <summary>In place on the first N columns of each row; nothing when cap is 0.</summary>
    public static void Apply(WorkerPool pool, int rows, int N, float* x, int ldx, float cap)
    {
        if (cap <= 0)
            return;
        int rowsPerTile = Tiles.RowsPerTile(N);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new Job { Rows = rows, N = N, RowsPerTile = rowsPerTile, X = x, Ld = ldx, Cap = cap });
    }

    /// <summary>Scores of one row of a block, still to be scaled; whole registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores<V>(float* scores, int count, float scale, float cap)
        where V : unmanaged, ILanes<V>
    {
        V factor = V.Broadcast(scale / cap), limit = V.Broadcast(cap);
        for (int j = 0; j < count; j += V.Count)
            V.Store(limit * VectorMath.Tanh(V.Load(scores + j) * factor), scores + j);
    }

    /// <summary>In place.</summary>
    public static void Values(Span<float> values, float cap)
    {
        TensorPrimitives.Divide(values, cap, values);
        TensorPrimitives.Tanh<float>(values, values);
        TensorPrimitives.Multiply(values, cap, values);
    }

    private struct Job : ITileJob
    {
        public float* X;
        public long Ld;
        public float Cap;
        public int Rows, N, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile);
            V factor = V.Broadcast(1 / Cap), limit = V.Broadcast(Cap);
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + r * Ld;
                int i = 0;
                for (; i + V.Count <= N; i += V.Count)
                    V.Store(limit * VectorMath.Tanh(V.Load(x + i) * factor), x + i);
                if (i < N)
                    Tail.Store(limit * VectorMath.Tanh(Tail.Load<V>(x + i, N - i) * factor), x + i, N - i);
            }
        }
    }
}
