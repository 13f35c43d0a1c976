using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>y = f(x), element by element, and its derivative.</summary>
internal interface IActivation
{
    static abstract V Value<V>(V x)
        where V : unmanaged, ILanes<V>;

    /// <summary>f(x) and f'(x), for gated forms that need both.</summary>
    static abstract V Slope<V>(V x, out V value)
        where V : unmanaged, ILanes<V>;
}

/// <summary>max(0, x); the derivative at 0 is 0.</summary>
internal readonly struct ReluActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x)
        where V : unmanaged, ILanes<V> => V.Max(V.Broadcast(0), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V>(V x, out V value)
        where V : unmanaged, ILanes<V>
    {
        value = Value(x);
        return V.ZeroBelow(x, V.Broadcast(float.Epsilon), V.Broadcast(1));
    }
}

/// <summary>x Phi(x) with the normal distribution function (Hendrycks and Gimpel 2016), the form GPT-NeoX uses.</summary>
internal readonly struct ExactGeluActivation : IActivation
{
    private const float InverseRootTwo = 0.70710678f, InverseRootTwoPi = 0.39894228f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x)
        where V : unmanaged, ILanes<V> => x * Phi(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V>(V x, out V value)
        where V : unmanaged, ILanes<V>
    {
        V phi = Phi(x);
        value = x * phi;
        return V.Fma(x * V.Broadcast(InverseRootTwoPi), VectorMath.Exp(x * x * V.Broadcast(-0.5f)), phi);
    }

    // erfc(z) by the Chebyshev fit of Press et al., Numerical Recipes (2nd ed., 6.2): relative error below 1.2e-7 everywhere
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Phi<V>(V x)
        where V : unmanaged, ILanes<V>
    {
        V zero = V.Broadcast(0), one = V.Broadcast(1), z = V.Max(x, zero - x) * V.Broadcast(InverseRootTwo), t = one / V.Fma(z, V.Broadcast(0.5f), one);
        V p = V.Fma(t, V.Broadcast(0.17087277f), V.Broadcast(-0.82215223f));
        p = V.Fma(p, t, V.Broadcast(1.48851587f));
        p = V.Fma(p, t, V.Broadcast(-1.13520398f));
        p = V.Fma(p, t, V.Broadcast(0.27886807f));
        p = V.Fma(p, t, V.Broadcast(-0.18628806f));
        p = V.Fma(p, t, V.Broadcast(0.09678418f));
        p = V.Fma(p, t, V.Broadcast(0.37409196f));
        p = V.Fma(p, t, V.Broadcast(1.00002368f));
        p = V.Fma(p, t, V.Broadcast(-1.26551223f));
        V tail = t * VectorMath.Exp(p - z * z) * V.Broadcast(0.5f);
        return V.ZeroBelow(x, zero, one - tail - tail) + tail;
    }
}

/// <summary>x / 2 (1 + tanh(u)) as in <see cref="Gelu"/>, for gated forms.</summary>
internal readonly struct TanhGeluActivation : IActivation
{
    private const float TwiceSlope = 1.5957691216057308f, Cubic = 0.044715f; // 2 sqrt(2/pi)

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x)
        where V : unmanaged, ILanes<V> =>
        x / (V.Broadcast(1) + VectorMath.Exp(x * V.Fma(x * x, V.Broadcast(-TwiceSlope * Cubic), V.Broadcast(-TwiceSlope))));

    // with e = exp(-2u), s = 1 / (1 + e): s + x s (1 - s) d(2u)/dx; e s is 1 - s without its cancellation
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V>(V x, out V value)
        where V : unmanaged, ILanes<V>
    {
        V square = x * x, one = V.Broadcast(1);
        V e = VectorMath.Exp(x * V.Fma(square, V.Broadcast(-TwiceSlope * Cubic), V.Broadcast(-TwiceSlope))), s = one / (one + e);
        value = x * s;
        return V.Fma(value * (e * s), V.Fma(square, V.Broadcast(3 * TwiceSlope * Cubic), V.Broadcast(TwiceSlope)), s);
    }
}

/// <summary>Runs an activation over an array, or over the gates of rows of gates and ups.</summary>
internal static unsafe class Activation<A>
    where A : struct, IActivation
{
    public static void Forward(WorkerPool pool, int count, float* x, float* y) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new Job { Count = count, X = x, Y = y });

    /// <summary>dx is overwritten and may be x or dy.</summary>
    public static void Backward(WorkerPool pool, int count, float* x, float* dy, float* dx) =>
        Tiles.Run(pool, Tiles.Over(count, Tiles.Elements), new Job { Count = count, X = x, Dy = dy, Y = dx });

    /// <summary>y [rows, F] = f(gate) up. A row of gateUp [rows, 2F] holds F gates, then F ups.</summary>
    public static void GatedForward(WorkerPool pool, int rows, int F, float* gateUp, float* y)
    {
        int rowsPerTile = Tiles.RowsPerTile(2 * F);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new GatedJob { Rows = rows, F = F, RowsPerTile = rowsPerTile, GateUp = gateUp, Y = y });
    }

    /// <summary>dGateUp [rows, 2F] is overwritten and may be gateUp itself.</summary>
    public static void GatedBackward(WorkerPool pool, int rows, int F, float* gateUp, float* dy, float* dGateUp)
    {
        int rowsPerTile = Tiles.RowsPerTile(2 * F);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new GatedJob { Rows = rows, F = F, RowsPerTile = rowsPerTile, GateUp = gateUp, Dy = dy, Y = dGateUp });
    }

    private struct Job : ITileJob
    {
        public float* X, Dy, Y;
        public int Count;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int i = tile * Tiles.Elements, end = Math.Min(Count, i + Tiles.Elements);
            for (; i + V.Count <= end; i += V.Count)
                V.Store(Dy == null ? A.Value(V.Load(X + i)) : V.Load(Dy + i) * A.Slope(V.Load(X + i), out _), Y + i);
            int rest = end - i;
            if (rest > 0)
                Tail.Store(Dy == null ? A.Value(Tail.Load<V>(X + i, rest)) : Tail.Load<V>(Dy + i, rest) * A.Slope(Tail.Load<V>(X + i, rest), out _), Y + i, rest);
        }
    }

    private struct GatedJob : ITileJob
    {
        public float* GateUp, Dy, Y;
        public int Rows, F, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = F;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* gate = GateUp + 2L * r * n, up = gate + n;
                if (Dy == null)
                    Forward<V>(gate, up, Y + (long)r * n, n);
                else
                    Backward<V>(gate, up, Dy + (long)r * n, Y + 2L * r * n, n);
            }
        }

        private static void Forward<V>(float* gate, float* up, float* y, int n)
            where V : unmanaged, ILanes<V>
        {
            int i = 0;
            for (; i + V.Count <= n; i += V.Count)
                V.Store(A.Value(V.Load(gate + i)) * V.Load(up + i), y + i);
            if (i < n)
                Tail.Store(A.Value(Tail.Load<V>(gate + i, n - i)) * Tail.Load<V>(up + i, n - i), y + i, n - i);
        }

        private static void Backward<V>(float* gate, float* up, float* dy, float* dGate, int n)
            where V : unmanaged, ILanes<V>
        {
            int i = 0;
            for (; i + V.Count <= n; i += V.Count)
            {
                V upstream = V.Load(dy + i), slope = A.Slope(V.Load(gate + i), out V value), forGate = upstream * V.Load(up + i) * slope;
                V.Store(upstream * value, dGate + n + i);
                V.Store(forGate, dGate + i);
            }
            if (i < n)
            {
                int rest = n - i;
                V upstream = Tail.Load<V>(dy + i, rest), slope = A.Slope(Tail.Load<V>(gate + i, rest), out V value), forGate = upstream * Tail.Load<V>(up + i, rest) * slope;
                Tail.Store(upstream * value, dGate + n + i, rest);
                Tail.Store(forGate, dGate + i, rest);
            }
        }
    }
}
