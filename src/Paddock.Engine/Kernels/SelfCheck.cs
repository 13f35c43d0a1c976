using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Memory;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>A quick look at whether this machine computes what its scalar reference computes.</summary>
public static unsafe class SelfCheck
{
    /// <summary>
    /// Largest difference between the fast matrix product [65, 97] x [97, 131] (no size a multiple of a tile) and its scalar twin,
    /// over the largest value; a few times 1e-7 in float32.
    /// </summary>
    public static double MatMulError(WorkerPool pool)
    {
        const int M = 65, N = 131, K = 97;
        using NativeBuffer a = new(M * K), b = new(N * K), fast = new(M * N), slow = new(M * N);
        RandomStream random = new(1, "self-check");
        foreach (ref float value in a.Span)
            value = (float)random.NextGaussian();
        foreach (ref float value in b.Span)
            value = (float)random.NextGaussian();
        MatMul.NT(pool, M, N, K, a.Pointer, K, b.Pointer, K, fast.Pointer, N, accumulate: false);
        ReferenceMatMul.NT(M, N, K, a.Pointer, K, b.Pointer, K, slow.Pointer, N, accumulate: false);
        double difference = 0, largest = 0;
        for (int i = 0; i < M * N; i++)
        {
            difference = Math.Max(difference, Math.Abs((double)fast.Span[i] - slow.Span[i]));
            largest = Math.Max(largest, Math.Abs(slow.Span[i]));
        }
        return double.IsNaN(difference / largest) ? double.PositiveInfinity : difference / largest;
    }
}
