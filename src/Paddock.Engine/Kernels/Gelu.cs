using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// y = x / 2 (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3), the form GPT-2 uses (Hendrycks and Gimpel 2016); computed as
/// x sigmoid(2u), which is the same.
/// </summary>
internal static unsafe class Gelu
{
    private const float TwiceSlope = 1.5957691216057308f; // 2 sqrt(2/pi)
    private const float Cubic = 0.044715f;

    public static void Forward(WorkerPool pool, int count, float* x, float* y) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new ForwardJob { Count = count, X = x, Y = y });

    /// <summary>dx is overwritten and may be x or dy.</summary>
    public static void Backward(WorkerPool pool, int count, float* x, float* dy, float* dx) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new BackwardJob { Count = count, X = x, Dy = dy, Dx = dx });

    private struct ForwardJob : ITileJob
    {
        public float* X, Y;
        public int Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int i = tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            for (; i + V.Count <= end; i += V.Count)
                V.Store(Step(V.Load(X + i)), Y + i);
            if (i < end)
                Tail.Store(Step(Tail.Load<V>(X + i, end - i)), Y + i, end - i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Step<V>(V x)
            where V : unmanaged, ILanes<V> =>
            x / (V.Broadcast(1) + VectorMath.Exp(x * V.Fma(x * x, V.Broadcast(-TwiceSlope * Cubic), V.Broadcast(-TwiceSlope))));
    }

    private struct BackwardJob : ITileJob
    {
        public float* X, Dy, Dx;
        public int Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int i = tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            for (; i + V.Count <= end; i += V.Count)
                V.Store(Step(V.Load(X + i), V.Load(Dy + i)), Dx + i);
            if (i < end)
                Tail.Store(Step(Tail.Load<V>(X + i, end - i), Tail.Load<V>(Dy + i, end - i)), Dx + i, end - i);
        }

        // with e = exp(-2u), s = 1 / (1 + e): dy (s + x s (1 - s) d(2u)/dx); e s is 1 - s without its cancellation
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Step<V>(V x, V dy)
            where V : unmanaged, ILanes<V>
        {
            V square = x * x, slope = V.Broadcast(TwiceSlope), one = V.Broadcast(1);
            V e = VectorMath.Exp(x * V.Fma(square, V.Broadcast(-TwiceSlope * Cubic), V.Broadcast(-TwiceSlope))), s = one / (one + e);
            V inner = V.Fma(square, V.Broadcast(3 * TwiceSlope * Cubic), slope);
            return dy * V.Fma(x * s * (e * s), inner, s);
        }
    }
}
