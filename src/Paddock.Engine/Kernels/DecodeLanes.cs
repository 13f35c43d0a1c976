using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Sixteen floats side by side: one 512-bit register, two of 256 bits or four of 128 bits. The decode kernels are written once over
/// this; every lane sees the same operations in the same order on every width, so tiers with a fused multiply-add agree in all bits.
/// </summary>
internal unsafe interface IDecodeLanes<L> where L : struct, IDecodeLanes<L>
{
    const int Count = 16;

    /// <summary>Rows of x that one register tile of 32 columns holds.</summary>
    static abstract int TileRows { get; }

    static abstract L Load(float* p);
    static abstract L Broadcast(float value);
    static abstract void Store(L a, float* p);

    /// <summary>a * b + c, rounded once where the machine can.</summary>
    static abstract L Fma(L a, L b, L c);
    static abstract L Add(L a, L b);
    static abstract L Multiply(L a, L b);

    /// <summary>Sixteen bfloat16, widened.</summary>
    static abstract L LoadBFloat16(ushort* p);

    /// <summary>Sixteen finite IEEE halves, widened exactly.</summary>
    static abstract L LoadHalf(ushort* p);

    static abstract L LoadInt8(sbyte* p);

    /// <summary>The lowest four bits of each lane, read as an integer 0 .. 15.</summary>
    static abstract L Nibble(L bits);

    /// <summary>Each lane's bits moved right by four.</summary>
    static abstract L NextNibble(L bits);
}

internal readonly unsafe struct DecodeLanes512(Vector512<float> v) : IDecodeLanes<DecodeLanes512>
{
    private readonly Vector512<float> _v = v;

    public static int TileRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Load(float* p) => new(Vector512.Load(p));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Broadcast(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(DecodeLanes512 a, float* p) => a._v.Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Fma(DecodeLanes512 a, DecodeLanes512 b, DecodeLanes512 c) => new(Vector512.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Add(DecodeLanes512 a, DecodeLanes512 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Multiply(DecodeLanes512 a, DecodeLanes512 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 LoadBFloat16(ushort* p) => new((Avx512F.ConvertToVector512Int32(Vector256.Load(p)) << 16).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 LoadHalf(ushort* p)
    {
        Vector512<int> h = Avx512F.ConvertToVector512Int32(Vector256.Load(p));
        Vector512<float> magnitude = ((h & Vector512.Create(0x7FFF)) << 13).AsSingle() * DecodeFormats.HalfScale;
        return new((magnitude.AsInt32() | ((h & Vector512.Create(0x8000)) << 16)).AsSingle());
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 LoadInt8(sbyte* p) => new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(p))));
    // the permutation reads only the low four bits of an index, so it masks and converts in one instruction
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 Nibble(DecodeLanes512 bits) => new(Avx512F.PermuteVar16x32(
        Vector512.Create(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f, 11f, 12f, 13f, 14f, 15f), bits._v.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes512 NextNibble(DecodeLanes512 bits) => new((bits._v.AsUInt32() >> 4).AsSingle());
}

internal readonly unsafe struct DecodeLanes256(Vector256<float> a, Vector256<float> b) : IDecodeLanes<DecodeLanes256>
{
    private readonly Vector256<float> _a = a, _b = b;

    public static int TileRows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Load(float* p) => new(Vector256.Load(p), Vector256.Load(p + 8));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Broadcast(float value) => new(Vector256.Create(value), Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(DecodeLanes256 a, float* p)
    {
        a._a.Store(p);
        a._b.Store(p + 8);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Fma(DecodeLanes256 a, DecodeLanes256 b, DecodeLanes256 c) =>
        new(Vector256.FusedMultiplyAdd(a._a, b._a, c._a), Vector256.FusedMultiplyAdd(a._b, b._b, c._b));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Add(DecodeLanes256 a, DecodeLanes256 b) => new(a._a + b._a, a._b + b._b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Multiply(DecodeLanes256 a, DecodeLanes256 b) => new(a._a * b._a, a._b * b._b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 LoadBFloat16(ushort* p) => new(
        (Avx2.ConvertToVector256Int32(Vector128.Load(p)) << 16).AsSingle(), (Avx2.ConvertToVector256Int32(Vector128.Load(p + 8)) << 16).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 LoadHalf(ushort* p) => new(Half8(p), Half8(p + 8));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 LoadInt8(sbyte* p)
    {
        Vector128<sbyte> bytes = Vector128.Load(p);
        return new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes)),
            Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Sse2.ShiftRightLogical128BitLane(bytes, 8))));
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 Nibble(DecodeLanes256 bits) => new(
        Vector256.ConvertToSingle(bits._a.AsInt32() & Vector256.Create(15)), Vector256.ConvertToSingle(bits._b.AsInt32() & Vector256.Create(15)));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes256 NextNibble(DecodeLanes256 bits) => new((bits._a.AsUInt32() >> 4).AsSingle(), (bits._b.AsUInt32() >> 4).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Half8(ushort* p)
    {
        Vector256<int> h = Avx2.ConvertToVector256Int32(Vector128.Load(p));
        Vector256<float> magnitude = ((h & Vector256.Create(0x7FFF)) << 13).AsSingle() * DecodeFormats.HalfScale;
        return (magnitude.AsInt32() | ((h & Vector256.Create(0x8000)) << 16)).AsSingle();
    }
}

/// <summary>The tier of Arm and of machines without AVX2; software where even 128 bits are missing.</summary>
internal readonly unsafe struct DecodeLanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) : IDecodeLanes<DecodeLanes128>
{
    private readonly Vector128<float> _a = a, _b = b, _c = c, _d = d;

    public static int TileRows => AdvSimd.IsSupported ? 2 : 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Load(float* p) => new(Vector128.Load(p), Vector128.Load(p + 4), Vector128.Load(p + 8), Vector128.Load(p + 12));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Broadcast(float value)
    {
        Vector128<float> v = Vector128.Create(value);
        return new(v, v, v, v);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(DecodeLanes128 a, float* p)
    {
        a._a.Store(p);
        a._b.Store(p + 4);
        a._c.Store(p + 8);
        a._d.Store(p + 12);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Fma(DecodeLanes128 a, DecodeLanes128 b, DecodeLanes128 c) => new(Fma4(a._a, b._a, c._a), Fma4(a._b, b._b, c._b), Fma4(a._c, b._c, c._c), Fma4(a._d, b._d, c._d));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Add(DecodeLanes128 a, DecodeLanes128 b) => new(a._a + b._a, a._b + b._b, a._c + b._c, a._d + b._d);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Multiply(DecodeLanes128 a, DecodeLanes128 b) => new(a._a * b._a, a._b * b._b, a._c * b._c, a._d * b._d);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 LoadBFloat16(ushort* p)
    {
        Vector128<ushort> low = Vector128.Load(p), high = Vector128.Load(p + 8);
        return new((Vector128.WidenLower(low) << 16).AsSingle(), (Vector128.WidenUpper(low) << 16).AsSingle(),
            (Vector128.WidenLower(high) << 16).AsSingle(), (Vector128.WidenUpper(high) << 16).AsSingle());
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 LoadHalf(ushort* p)
    {
        Vector128<ushort> low = Vector128.Load(p), high = Vector128.Load(p + 8);
        return new(Half4(Vector128.WidenLower(low)), Half4(Vector128.WidenUpper(low)), Half4(Vector128.WidenLower(high)), Half4(Vector128.WidenUpper(high)));
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 LoadInt8(sbyte* p)
    {
        Vector128<sbyte> bytes = Vector128.Load(p);
        Vector128<short> low = Vector128.WidenLower(bytes), high = Vector128.WidenUpper(bytes);
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(low)), Vector128.ConvertToSingle(Vector128.WidenUpper(low)),
            Vector128.ConvertToSingle(Vector128.WidenLower(high)), Vector128.ConvertToSingle(Vector128.WidenUpper(high)));
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 Nibble(DecodeLanes128 bits) => new(Nibble4(bits._a), Nibble4(bits._b), Nibble4(bits._c), Nibble4(bits._d));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeLanes128 NextNibble(DecodeLanes128 bits) => new(
        (bits._a.AsUInt32() >> 4).AsSingle(), (bits._b.AsUInt32() >> 4).AsSingle(), (bits._c.AsUInt32() >> 4).AsSingle(), (bits._d.AsUInt32() >> 4).AsSingle());

    // a fused multiply-add in software costs a hundred times a real one, so machines without it round twice
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Fma4(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Nibble4(Vector128<float> bits) => Vector128.ConvertToSingle(bits.AsInt32() & Vector128.Create(15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Half4(Vector128<uint> h)
    {
        Vector128<float> magnitude = ((h & Vector128.Create(0x7FFFu)) << 13).AsSingle() * DecodeFormats.HalfScale;
        return (magnitude.AsUInt32() | ((h & Vector128.Create(0x8000u)) << 16)).AsSingle();
    }
}
