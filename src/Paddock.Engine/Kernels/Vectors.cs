using System.Runtime.InteropServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>Plain vector operations.</summary>
internal static unsafe class Vectors
{
    private const int SumTile = 8 * Tiles.Elements;
    private const int SumBlock = 2048;
    private const int CopyTile = 4 * Tiles.Elements;

    /// <summary>y += x.</summary>
    public static void Add(WorkerPool pool, long count, float* x, float* y) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new AddJob { Count = count, X = x, Y = y });

    /// <summary>x *= factor.</summary>
    public static void Scale(WorkerPool pool, long count, float factor, float* x) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new ScaleJob { Count = count, Factor = factor, X = x });

    /// <summary>y = x.</summary>
    public static void Copy(WorkerPool pool, long count, float* x, float* y) =>
        Tiles.Run(pool, Tiles.Over(count, CopyTile), new CopyJob { Count = count, X = x, Y = y });

    /// <summary>Sum of squares: blocks of 2048 in float, their sums in double, in order.</summary>
    public static double SumOfSquares(WorkerPool pool, long count, float* x)
    {
        int tiles = Tiles.Over(count, SumTile);
        double* partials = (double*)pool.SharedScratch(2L * Math.Max(tiles, 1));
        double total = 0;
        Tiles.Run(pool, tiles, new SquaresJob { Count = count, X = x, Sums = partials });
        for (int t = 0; t < tiles; t++)
            total += partials[t];
        return total;
    }

    private struct AddJob : ITileJob
    {
        public float* X, Y;
        public long Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            long i = (long)tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            for (; i + V.Count <= end; i += V.Count)
                V.Store(V.Load(Y + i) + V.Load(X + i), Y + i);
            for (; i < end; i++)
                Y[i] += X[i];
        }
    }

    private struct ScaleJob : ITileJob
    {
        public float* X;
        public float Factor;
        public long Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            long i = (long)tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            V factor = V.Broadcast(Factor);
            for (; i + V.Count <= end; i += V.Count)
                V.Store(V.Load(X + i) * factor, X + i);
            for (; i < end; i++)
                X[i] *= Factor;
        }
    }

    private struct CopyJob : ITileJob
    {
        public float* X, Y;
        public long Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            long begin = (long)tile * CopyTile, n = Math.Min(CopyTile, Count - begin);
            NativeMemory.Copy(X + begin, Y + begin, (nuint)n * sizeof(float));
        }
    }

    private struct SquaresJob : ITileJob
    {
        public float* X;
        public double* Sums;
        public long Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            long end = Math.Min(Count, ((long)tile + 1) * SumTile);
            double sum = 0;
            for (long block = (long)tile * SumTile; block < end; block += SumBlock)
                sum += Block<V>(X + block, (int)Math.Min(SumBlock, end - block));
            Sums[tile] = sum;
        }

        private static double Block<V>(float* x, int n)
            where V : unmanaged, ILanes<V>
        {
            V a = V.Broadcast(0), b = a, c = a, d = a;
            int i = 0;
            for (; i + 4 * V.Count <= n; i += 4 * V.Count)
            {
                V p = V.Load(x + i), q = V.Load(x + i + V.Count), r = V.Load(x + i + 2 * V.Count), s = V.Load(x + i + 3 * V.Count);
                a = V.Fma(p, p, a);
                b = V.Fma(q, q, b);
                c = V.Fma(r, r, c);
                d = V.Fma(s, s, d);
            }
            double rest = 0;
            for (; i < n; i++)
                rest += (double)x[i] * x[i];
            return V.Sum(a + b + (c + d)) + rest;
        }
    }
}
