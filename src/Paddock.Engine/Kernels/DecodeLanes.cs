using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// One register of floats, and the ways a packed weight becomes one. The decode kernels are written once over this; a lane sees the same
/// operations in the same order on every width, so tiers with a fused multiply-add agree in all bits. A register and nothing else: a struct
/// of two would live in memory.
/// </summary>
internal unsafe interface IDecodeLanes<V> where V : unmanaged, IDecodeLanes<V>
{
    static abstract int Count { get; }

    /// <summary>Rows of x in the tallest register tile: two registers of columns for each must fit beside two of weights.</summary>
    static abstract int TileRows { get; }

    static abstract V Load(float* p);
    static abstract V Broadcast(float value);
    static abstract void Store(V a, float* p);

    /// <summary>a * b + c, rounded once where the machine can.</summary>
    static abstract V Fma(V a, V b, V c);
    static abstract V Add(V a, V b);
    static abstract V Multiply(V a, V b);

    /// <summary>The lower of two bfloat16 that share a word.</summary>
    static abstract V LowHalf(uint* words);

    /// <summary>The upper of two bfloat16 that share a word.</summary>
    static abstract V HighHalf(uint* words);

    /// <summary>Finite IEEE halves, widened exactly.</summary>
    static abstract V LoadHalf(ushort* p);

    static abstract V LoadInt8(sbyte* p);

    /// <summary>The bits of each word that the mask keeps, read as an integer; not for the sign bit.</summary>
    static abstract V Masked(uint* words, V mask);

    /// <summary>The upper four bits of each word, as an integer 0 .. 15.</summary>
    static abstract V TopNibble(uint* words);

    /// <summary>The mask of the lowest four bits.</summary>
    static abstract V LowNibble { get; }

    /// <summary>The mask moved up by four bits.</summary>
    static abstract V NextNibble(V mask);
}

internal readonly unsafe struct DecodeLanes512(Vector512<float> v) : IDecodeLanes<DecodeLanes512>
{
    private readonly Vector512<float> _v = v;

    public static int Count => 16;

    public static int TileRows => 8;

    public static DecodeLanes512 LowNibble
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512.Create(15).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Load(float* p) => new(Vector512.Load(p));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Broadcast(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(DecodeLanes512 a, float* p) => a._v.Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Fma(DecodeLanes512 a, DecodeLanes512 b, DecodeLanes512 c) => new(Vector512.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Add(DecodeLanes512 a, DecodeLanes512 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Multiply(DecodeLanes512 a, DecodeLanes512 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 LowHalf(uint* words) => new((Vector512.Load(words) << 16).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 HighHalf(uint* words) => new((Vector512.Load(words) & Vector512.Create(0xFFFF0000)).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 LoadInt8(sbyte* p) => new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(p))));

    // a copy of the sign bit lands above the exponent and is masked away
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 LoadHalf(ushort* p) =>
        new(((Avx512F.ConvertToVector512Int32(Vector256.Load((short*)p)) << 13) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * DecodeFormats.HalfScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 Masked(uint* words, DecodeLanes512 mask) => new(Vector512.ConvertToSingle(Vector512.Load((int*)words) & mask._v.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 TopNibble(uint* words) => new(Vector512.ConvertToSingle((Vector512.Load(words) >> 28).AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes512 NextNibble(DecodeLanes512 mask) => new((mask._v.AsUInt32() << 4).AsSingle());
}

internal readonly unsafe struct DecodeLanes256(Vector256<float> v) : IDecodeLanes<DecodeLanes256>
{
    private readonly Vector256<float> _v = v;

    public static int Count => 8;

    public static int TileRows => 6;

    public static DecodeLanes256 LowNibble
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256.Create(15).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Load(float* p) => new(Vector256.Load(p));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Broadcast(float value) => new(Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(DecodeLanes256 a, float* p) => a._v.Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Fma(DecodeLanes256 a, DecodeLanes256 b, DecodeLanes256 c) => new(Vector256.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Add(DecodeLanes256 a, DecodeLanes256 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Multiply(DecodeLanes256 a, DecodeLanes256 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 LowHalf(uint* words) => new((Vector256.Load(words) << 16).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 HighHalf(uint* words) => new((Vector256.Load(words) & Vector256.Create(0xFFFF0000)).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 LoadInt8(sbyte* p) => new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(p)));

    // a copy of the sign bit lands above the exponent and is masked away
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 LoadHalf(ushort* p) =>
        new(((Avx2.ConvertToVector256Int32((short*)p) << 13) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * DecodeFormats.HalfScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 Masked(uint* words, DecodeLanes256 mask) => new(Vector256.ConvertToSingle(Vector256.Load((int*)words) & mask._v.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 TopNibble(uint* words) => new(Vector256.ConvertToSingle((Vector256.Load(words) >> 28).AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes256 NextNibble(DecodeLanes256 mask) => new((mask._v.AsUInt32() << 4).AsSingle());
}

/// <summary>
/// The tier of Arm and of machines without AVX2; software where even 128 bits are missing. A fused multiply-add in software costs a hundred
/// times a real one, so machines without it round twice.
/// </summary>
internal readonly unsafe struct DecodeLanes128(Vector128<float> v) : IDecodeLanes<DecodeLanes128>
{
    private readonly Vector128<float> _v = v;

    public static int Count => 4;

    public static int TileRows => 4;

    public static DecodeLanes128 LowNibble
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128.Create(15).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Load(float* p) => new(Vector128.Load(p));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Broadcast(float value) => new(Vector128.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(DecodeLanes128 a, float* p) => a._v.Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Fma(DecodeLanes128 a, DecodeLanes128 b, DecodeLanes128 c) => new(Vector128.MultiplyAddEstimate(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Add(DecodeLanes128 a, DecodeLanes128 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Multiply(DecodeLanes128 a, DecodeLanes128 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 LowHalf(uint* words) => new((Vector128.Load(words) << 16).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 HighHalf(uint* words) => new((Vector128.Load(words) & Vector128.Create(0xFFFF0000)).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 LoadInt8(sbyte* p) =>
        new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)p).AsSByte()))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 LoadHalf(ushort* p)
    {
        Vector128<uint> h = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)p).AsUInt16());
        Vector128<float> magnitude = ((h & Vector128.Create(0x7FFFu)) << 13).AsSingle() * DecodeFormats.HalfScale;
        return new((magnitude.AsUInt32() | ((h & Vector128.Create(0x8000u)) << 16)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 Masked(uint* words, DecodeLanes128 mask) => new(Vector128.ConvertToSingle(Vector128.Load((int*)words) & mask._v.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 TopNibble(uint* words) => new(Vector128.ConvertToSingle((Vector128.Load(words) >> 28).AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static DecodeLanes128 NextNibble(DecodeLanes128 mask) => new((mask._v.AsUInt32() << 4).AsSingle());
}
