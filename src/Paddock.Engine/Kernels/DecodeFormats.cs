using System.Runtime.CompilerServices;

namespace Paddock.Engine.Kernels;

/// <summary>How a <see cref="DecodeMatrix"/> holds its numbers. Block formats have one scale for 32 neighbours of a row, as in GGUF.</summary>
internal enum DecodeFormat { Float32, BFloat16, Q8_0, Q4_0, Q4_1 }

/// <summary>
/// Reading a panel: 32 rows of W side by side, K after K, in blocks of 32 K. A block is a header (the scales of its 32 rows) and four
/// groups of 8 K. Widening is exact in float32, except that Q4_1 rounds d * q + m once, as a conversion to float32 on loading would:
/// so all formats give the bits of the Float32 format on the widened matrix.
/// </summary>
internal unsafe interface IDecodeFormat
{
    static abstract int HeaderBytes { get; }

    static abstract int GroupBytes { get; }

    /// <summary>Scale and shift of 16 of the panel's rows for one block; lane is 0 or 1.</summary>
    static abstract L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L>;
    static abstract L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L>;

    /// <summary>What a group needs to have loaded before its first value.</summary>
    static abstract L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L>;
    static abstract L Advance<L>(L bits) where L : struct, IDecodeLanes<L>;

    /// <summary>Values of 16 rows at position k (0 .. 7) of a group.</summary>
    static abstract L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L>;
}

internal static class DecodeFormats
{
    public const int PanelRows = 32;
    public const int BlockK = 32;
    public const int GroupK = 8;

    /// <summary>2^112: moves a half's exponent, read in a float's place, to where a float has it.</summary>
    public const float HalfScale = 5.192296858534828e33f;

    public static int BlockBytes(DecodeFormat format) => format switch
    {
        DecodeFormat.Float32 => BlockK * PanelRows * 4,
        DecodeFormat.BFloat16 => BlockK * PanelRows * 2,
        DecodeFormat.Q8_0 => BlockK * PanelRows + 2 * PanelRows,
        DecodeFormat.Q4_0 => BlockK * PanelRows / 2 + 2 * PanelRows,
        DecodeFormat.Q4_1 => BlockK * PanelRows / 2 + 4 * PanelRows,
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };
}

internal readonly unsafe struct Float32Format : IDecodeFormat
{
    public static int HeaderBytes => 0;
    public static int GroupBytes => 8 * 32 * 4;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Advance<L>(L bits) where L : struct, IDecodeLanes<L> => bits;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L> =>
        L.Load((float*)group + (nint)k * 32 + lane * 16);
}

internal readonly unsafe struct BFloat16Format : IDecodeFormat
{
    public static int HeaderBytes => 0;
    public static int GroupBytes => 8 * 32 * 2;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Advance<L>(L bits) where L : struct, IDecodeLanes<L> => bits;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L> =>
        L.LoadBFloat16((ushort*)group + (nint)k * 32 + lane * 16);
}

internal readonly unsafe struct Q8Format : IDecodeFormat
{
    public static int HeaderBytes => 64;
    public static int GroupBytes => 8 * 32;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => L.LoadHalf((ushort*)header + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Advance<L>(L bits) where L : struct, IDecodeLanes<L> => bits;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L> =>
        L.Multiply(L.LoadInt8((sbyte*)group + (nint)k * 32 + lane * 16), scale);
}

/// <summary>Eight K of a row share an int32, lowest first; value d * (q - 8).</summary>
internal readonly unsafe struct Q4ZeroFormat : IDecodeFormat
{
    public static int HeaderBytes => 64;
    public static int GroupBytes => 32 * 4;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => L.LoadHalf((ushort*)header + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => L.Multiply(Scale<L>(header, lane), L.Broadcast(-8f));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L> => L.Load((float*)group + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Advance<L>(L bits) where L : struct, IDecodeLanes<L> => L.NextNibble(bits);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L> =>
        L.Fma(L.Nibble(bits), scale, shift);
}

/// <summary>As <see cref="Q4ZeroFormat"/> with a stored shift; value d * q + m.</summary>
internal readonly unsafe struct Q4OneFormat : IDecodeFormat
{
    public static int HeaderBytes => 128;
    public static int GroupBytes => 32 * 4;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Scale<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => L.LoadHalf((ushort*)header + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Shift<L>(byte* header, int lane) where L : struct, IDecodeLanes<L> => L.LoadHalf((ushort*)header + 32 + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Begin<L>(byte* group, int lane) where L : struct, IDecodeLanes<L> => L.Load((float*)group + lane * 16);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Advance<L>(L bits) where L : struct, IDecodeLanes<L> => L.NextNibble(bits);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(byte* group, int k, int lane, L bits, L scale, L shift) where L : struct, IDecodeLanes<L> =>
        L.Fma(L.Nibble(bits), scale, shift);
}
