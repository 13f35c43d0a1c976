using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// One AdamW step: learning rate, beta1, beta2, epsilon, weight decay; Correction1 = 1 - Beta1^t and Correction2 = 1 - Beta2^t for step
/// t = 1, 2, ...; GradientScale multiplies the gradient first (norm clipping, averaging).
/// </summary>
internal readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float Decay, float Correction1, float Correction2, float GradientScale);

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): p -= lr wd p; m, v moving averages of g and g^2;
/// p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps).
/// </summary>
internal static unsafe class AdamW
{
    /// <summary>Updates p, m, v and clears g, in one pass over memory.</summary>
    public static void Step(WorkerPool pool, long count, float* p, float* g, float* m, float* v, in AdamWStep s) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new Job
        {
            Count = count,
            P = p,
            G = g,
            M = m,
            V = v,
            GradientScale = s.GradientScale,
            Beta1 = s.Beta1,
            Beta2 = s.Beta2,
            Rest1 = (float)(1 - (double)s.Beta1),
            Rest2 = (float)(1 - (double)s.Beta2),
            Keep = (float)(1 - (double)s.LearningRate * s.Decay),
            Rate = (float)(-s.LearningRate / (double)s.Correction1),
            RootScale = (float)(1 / Math.Sqrt(s.Correction2)),
            Epsilon = s.Epsilon,
        });

    private struct Job : ITileJob
    {
        public float* P, G, M, V;
        public long Count;
        public float GradientScale, Beta1, Beta2, Rest1, Rest2, Keep, Rate, RootScale, Epsilon;

        public readonly void Tile<TLanes>(int tile, int worker)
            where TLanes : unmanaged, ILanes<TLanes>
        {
            long i = (long)tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            for (; i + TLanes.Count <= end; i += TLanes.Count)
                Update<TLanes>(P + i, G + i, M + i, V + i);
            if (i == end)
                return;
            int rest = (int)(end - i);
            float* p = stackalloc float[4 * Tail.Floats], g = p + Tail.Floats, m = g + Tail.Floats, v = m + Tail.Floats;
            Tail.Copy(P + i, p, rest);
            Tail.Copy(G + i, g, rest);
            Tail.Copy(M + i, m, rest);
            Tail.Copy(V + i, v, rest);
            Update<TLanes>(p, g, m, v);
            Tail.Copy(p, P + i, rest);
            Tail.Copy(g, G + i, rest);
            Tail.Copy(m, M + i, rest);
            Tail.Copy(v, V + i, rest);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Update<TLanes>(float* p, float* g, float* m, float* v)
            where TLanes : unmanaged, ILanes<TLanes>
        {
            TLanes gradient = TLanes.Load(g) * TLanes.Broadcast(GradientScale);
            TLanes first = TLanes.Fma(TLanes.Load(m), TLanes.Broadcast(Beta1), gradient * TLanes.Broadcast(Rest1));
            TLanes second = TLanes.Fma(TLanes.Load(v), TLanes.Broadcast(Beta2), gradient * gradient * TLanes.Broadcast(Rest2));
            TLanes divisor = TLanes.Fma(TLanes.Sqrt(second), TLanes.Broadcast(RootScale), TLanes.Broadcast(Epsilon));
            TLanes.Store(TLanes.Fma(first / divisor, TLanes.Broadcast(Rate), TLanes.Load(p) * TLanes.Broadcast(Keep)), p);
            TLanes.Store(first, m);
            TLanes.Store(second, v);
            TLanes.Store(TLanes.Broadcast(0), g);
        }
    }
}
