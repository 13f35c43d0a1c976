using Paddock.Engine;
using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Memory;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Cli.Bench;

/// <summary>A kernel gave other numbers than its scalar twin: its speed means nothing.</summary>
internal sealed class TwinMismatchException(string message) : Exception(message);

/// <summary>Compares kernels with their scalar twins before they are timed; each method throws on a mismatch.</summary>
internal static unsafe class KernelTwins
{
    private const double Tolerance = 1e-5;

    /// <summary>The first, a middle and the last row of a product at its real size.</summary>
    public static void Product(string name, GemmCase shape, float* a, float* b, float* c)
    {
        using NativeBuffer expected = new(shape.N);
        foreach (int row in (ReadOnlySpan<int>)[0, shape.M / 2, shape.M - 1])
        {
            ReferenceMatMul.NT(1, shape.N, shape.K, a + (nint)row * shape.K, shape.K, b, shape.K, expected.Pointer, shape.N, false);
            Compare($"{name} row {row}", c + (nint)row * shape.N, expected.Pointer, shape.N);
        }
    }

    /// <summary>The three products, attention and the loss over the vocabulary, forward and backward, which are nearly all of a training step.</summary>
    public static void Training(WorkerPool pool)
    {
        RandomStream random = new(1, "bench/twins");
        const int M = 65, N = 131, K = 97;
        using NativeBuffer a = Normal(M * K, ref random), b = Normal(N * K, ref random), fast = new(M * N), slow = new(M * N);
        MatMul.NT(pool, M, N, K, a.Pointer, K, b.Pointer, K, fast.Pointer, N, false);
        ReferenceMatMul.NT(M, N, K, a.Pointer, K, b.Pointer, K, slow.Pointer, N, false);
        Compare("A B^T", fast.Pointer, slow.Pointer, M * N);
        MatMul.NN(pool, M, N, K, a.Pointer, K, b.Pointer, N, fast.Pointer, N, false);
        ReferenceMatMul.NN(M, N, K, a.Pointer, K, b.Pointer, N, slow.Pointer, N, false);
        Compare("A B", fast.Pointer, slow.Pointer, M * N);
        MatMul.TN(pool, M, N, K, a.Pointer, M, b.Pointer, N, fast.Pointer, N, false);
        ReferenceMatMul.TN(M, N, K, a.Pointer, M, b.Pointer, N, slow.Pointer, N, false);
        Compare("A^T B", fast.Pointer, slow.Pointer, M * N);
        AttentionTwin(pool, ref random);
        LossTwin(pool, ref random);
    }

    /// <summary>One layer's product in a packed format.</summary>
    public static void Decoding(WorkerPool pool, DecodeMatrix matrix, int rows)
    {
        RandomStream random = new(1, "bench/decode");
        using NativeBuffer x = Normal(rows * matrix.K, ref random), fast = new(rows * matrix.N), slow = new(rows * matrix.N);
        DecodeMatMul.Run(pool, rows, matrix, x.Pointer, matrix.K, fast.Pointer, matrix.N, null, false);
        ReferenceDecode.MatMul(rows, matrix, x.Pointer, matrix.K, slow.Pointer, matrix.N, null, false);
        Compare($"decoding {rows} rows of {matrix.Format}", fast.Pointer, slow.Pointer, rows * matrix.N);
    }

    private static void AttentionTwin(WorkerPool pool, ref RandomStream random)
    {
        const int H = 4, KV = 2, D = 32, N = 64 + 33, Width = (H + 2 * KV) * D, S = 2;
        int* offsets = stackalloc int[S + 1] { 0, 64, N };
        float scale = 1 / MathF.Sqrt(D);
        using NativeBuffer qkv = Normal(N * Width, ref random), upstream = Normal(N * H * D, ref random);
        using NativeBuffer fast = new(N * H * D), slow = new(N * H * D), fastLog = new(N * H), slowLog = new(N * H), fastGradient = new(N * Width), slowGradient = new(N * Width);
        Attention.Forward(pool, S, offsets, H, KV, D, qkv.Pointer, Width, scale, fast.Pointer, fastLog.Pointer);
        ReferenceAttention.Forward(S, offsets, H, KV, D, qkv.Pointer, Width, scale, slow.Pointer, slowLog.Pointer);
        Compare("attention", fast.Pointer, slow.Pointer, N * H * D);
        Attention.Backward(pool, S, offsets, H, KV, D, qkv.Pointer, Width, scale, fast.Pointer, fastLog.Pointer, upstream.Pointer, fastGradient.Pointer, Width);
        ReferenceAttention.Backward(S, offsets, H, KV, D, qkv.Pointer, Width, scale, slow.Pointer, slowLog.Pointer, upstream.Pointer, slowGradient.Pointer, Width);
        Compare("attention's gradient", fastGradient.Pointer, slowGradient.Pointer, N * Width);
    }

    private static void LossTwin(WorkerPool pool, ref RandomStream random)
    {
        const int N = 37, C = 64, V = 1030;
        int* targets = stackalloc int[N];
        for (int i = 0; i < N; i++)
            targets[i] = random.NextInt(V);
        using NativeBuffer h = Normal(N * C, ref random), w = Normal(V * C, ref random), coefficients = Normal(N, ref random);
        using NativeBuffer fast = new(N), slow = new(N), fastLog = new(N), slowLog = new(N), fastH = new(N * C), slowH = new(N * C), fastW = new(V * C), slowW = new(V * C);
        VocabularyLoss.Forward(pool, N, C, V, h.Pointer, w.Pointer, targets, fast.Pointer, fastLog.Pointer, null, null);
        ReferenceVocabularyLoss.Forward(N, C, V, h.Pointer, w.Pointer, targets, slow.Pointer, slowLog.Pointer, null, null);
        Compare("the loss", fast.Pointer, slow.Pointer, N);
        VocabularyLoss.Backward(pool, N, C, V, h.Pointer, w.Pointer, targets, fastLog.Pointer, coefficients.Pointer, null, null, fastH.Pointer, fastW.Pointer);
        ReferenceVocabularyLoss.Backward(N, C, V, h.Pointer, w.Pointer, targets, slowLog.Pointer, coefficients.Pointer, null, null, slowH.Pointer, slowW.Pointer);
        Compare("the loss's gradient of states", fastH.Pointer, slowH.Pointer, N * C);
        Compare("the loss's gradient of weights", fastW.Pointer, slowW.Pointer, V * C);
    }

    private static NativeBuffer Normal(int count, ref RandomStream random)
    {
        NativeBuffer buffer = new(count);
        foreach (ref float value in buffer.Span)
            value = (float)random.NextGaussian();
        return buffer;
    }

    private static void Compare(string what, float* fast, float* slow, int count)
    {
        double largest = 0, difference = 0;
        for (int i = 0; i < count; i++)
        {
            largest = Math.Max(largest, Math.Abs((double)slow[i]));
            double here = Math.Abs((double)fast[i] - slow[i]);
            difference = double.IsNaN(here) ? double.PositiveInfinity : Math.Max(difference, here);
        }
        if (difference > Tolerance * largest)
            throw new TwinMismatchException(FormattableString.Invariant($"{what} differs from its scalar twin by {difference:0.0e+00} where the largest value is {largest:0.0e+00}: it is not timed"));
    }
}
