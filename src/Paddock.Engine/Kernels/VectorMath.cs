using System.Runtime.CompilerServices;

namespace Paddock.Engine.Kernels;

/// <summary>Functions of a register, the same polynomial at every width.</summary>
internal static class VectorMath
{
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;
    private const float RoundToInteger = 12582912; // 1.5 * 2^23

    /// <summary>
    /// exp(x) to about one unit in the last place: x = n ln 2 + r, a polynomial in r (Cephes, expf), times 2^n. Zero below -87.3 and for minus
    /// infinity; exp(88) above 88; NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x)
        where V : unmanaged, ILanes<V>
    {
        V lowest = V.Broadcast(-87.3f);
        V inside = V.Min(V.Broadcast(88), V.Max(lowest, x));
        V shifted = V.Fma(inside, V.Broadcast(Log2E), V.Broadcast(RoundToInteger));
        V n = shifted - V.Broadcast(RoundToInteger);
        V r = V.Fma(n, V.Broadcast(-Ln2High), inside);
        r = V.Fma(n, V.Broadcast(-Ln2Low), r);
        V p = V.Fma(V.Broadcast(1.9875691500e-4f), r, V.Broadcast(1.3981999507e-3f));
        p = V.Fma(p, r, V.Broadcast(8.3334519073e-3f));
        p = V.Fma(p, r, V.Broadcast(4.1665795894e-2f));
        p = V.Fma(p, r, V.Broadcast(1.6666665459e-1f));
        p = V.Fma(p, r, V.Broadcast(5.0000001201e-1f));
        p = V.Fma(p, r * r, r + V.Broadcast(1));
        return V.ZeroBelow(x, lowest, p * V.PowerOfTwo(shifted));
    }

    /// <summary>tanh(x) = 1 - 2 / (exp(2x) + 1), to about one unit in the last place of 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x)
        where V : unmanaged, ILanes<V> => V.Broadcast(1) - V.Broadcast(2) / (Exp(x + x) + V.Broadcast(1));
}
