using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// What the machine can do at most, for benchmarks to compare with: multiply-adds in registers and reading memory in order. Takes no clock:
/// each method returns the work it did, and the caller times it.
/// </summary>
internal static unsafe class PeakProbe
{
    private const int Chains = 12;

    /// <summary>Runs <paramref name="iterations"/> rounds of 12 independent multiply-adds of this tier's registers on every worker; returns the flops.</summary>
    public static long FmaLoop(WorkerPool pool, long iterations)
    {
        Fma job = new() { Iterations = iterations };
        int lanes = Tier.Current switch { TierKind.Vector512 => 16, TierKind.Vector256 => 8, TierKind.Vector128 => 4, _ => 1 };
        job.Sink = pool.SharedScratch(16L * pool.Threads);
        Tiles.Run(pool, pool.Threads, job);
        return 2 * Chains * lanes * iterations * pool.Threads;
    }

    /// <summary>Reads <paramref name="count"/> floats once, in order, spread over the workers; returns the bytes read.</summary>
    public static long Stream(WorkerPool pool, float* data, long count)
    {
        int tiles = Tiles.Over(count, StreamTile);
        Reader job = new() { Data = data, Count = count, Sink = pool.SharedScratch(16L * pool.Threads) };
        Tiles.Run(pool, tiles, job);
        return count * sizeof(float);
    }

    private const int StreamTile = 1 << 16;

    private struct Fma : ITileJob
    {
        public long Iterations;
        public float* Sink;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            V a = V.Broadcast(0.999f), b = V.Broadcast(1e-3f);
            V x0 = b, x1 = b, x2 = b, x3 = b, x4 = b, x5 = b, x6 = b, x7 = b, x8 = b, x9 = b, x10 = b, x11 = b;
            for (long i = 0; i < Iterations; i++)
            {
                x0 = V.Fma(x0, a, b);
                x1 = V.Fma(x1, a, b);
                x2 = V.Fma(x2, a, b);
                x3 = V.Fma(x3, a, b);
                x4 = V.Fma(x4, a, b);
                x5 = V.Fma(x5, a, b);
                x6 = V.Fma(x6, a, b);
                x7 = V.Fma(x7, a, b);
                x8 = V.Fma(x8, a, b);
                x9 = V.Fma(x9, a, b);
                x10 = V.Fma(x10, a, b);
                x11 = V.Fma(x11, a, b);
            }
            V.Store(x0 + x1 + x2 + x3 + (x4 + x5 + x6 + x7) + (x8 + x9 + x10 + x11), Sink + 16 * worker);
        }
    }

    private struct Reader : ITileJob
    {
        public float* Data;
        public float* Sink;
        public long Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            long begin = (long)tile * StreamTile, end = Math.Min(Count, begin + StreamTile), i = begin;
            V a = V.Broadcast(0), b = a, c = a, d = a;
            for (; i + 4 * V.Count <= end; i += 4 * V.Count)
            {
                a += V.Load(Data + i);
                b += V.Load(Data + i + V.Count);
                c += V.Load(Data + i + 2 * V.Count);
                d += V.Load(Data + i + 3 * V.Count);
            }
            float rest = 0;
            for (; i < end; i++)
                rest += Data[i];
            V.Store(a + b + (c + d) + V.Broadcast(rest), Sink + 16 * worker);
        }
    }
}
