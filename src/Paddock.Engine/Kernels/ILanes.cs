using System.Numerics;

namespace Paddock.Engine.Kernels;

/// <summary>
/// A register of floats of one width, so that a kernel's traversal is written once for all instruction-set tiers. Implementations hold
/// nothing but the register, and every member is inlined.
/// </summary>
internal unsafe interface ILanes<V> : IAdditionOperators<V, V, V>, ISubtractionOperators<V, V, V>, IMultiplyOperators<V, V, V>, IDivisionOperators<V, V, V>
    where V : unmanaged, ILanes<V>
{
    static abstract int Count { get; }

    static abstract V Load(float* p);

    static abstract void Store(V v, float* p);

    static abstract V Broadcast(float value);

    /// <summary>a * b + c, fused where the tier has the instruction.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>The larger; the second when either is NaN on x86, NaN elsewhere.</summary>
    static abstract V Max(V a, V b);

    /// <summary>The smaller; the second when either is NaN on x86, NaN elsewhere.</summary>
    static abstract V Min(V a, V b);

    static abstract V Sqrt(V a);

    /// <summary>value where x is at least the threshold or NaN, else zero.</summary>
    static abstract V ZeroBelow(V x, V threshold, V value);

    /// <summary>2^n from 1.5 * 2^23 + n, that is from a float whose low bits are the integer n.</summary>
    static abstract V PowerOfTwo(V shifted);

    /// <summary>Sum over the lanes, in an order fixed by the width.</summary>
    static abstract float Sum(V v);

    /// <summary>Largest lane.</summary>
    static abstract float Largest(V v);
}
