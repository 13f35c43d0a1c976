using System.Runtime.CompilerServices;

namespace Paddock.Engine.Kernels;

/// <summary>How a <see cref="DecodeMatrix"/> holds its numbers. Block formats have one scale for 32 neighbours of a row, as in GGUF.</summary>
internal enum DecodeFormat { Float32, BFloat16, Q8_0, Q4_0, Q4_1 }

/// <summary>
/// Reading a panel: 32 rows of W side by side, K after K, in blocks of 32 K. A block is a header (the scales of its 32 rows) and eight quads
/// of 4 K. Float formats are one chain of multiply-adds over K, so bfloat16 gives the bits of float32 on the widened matrix. In block formats
/// each block is such a chain of x times the stored integers, and its sum is scaled once: y = d * (sum over the block of x q) + y.
/// </summary>
internal unsafe interface IDecodeFormat
{
    static abstract int HeaderBytes { get; }

    /// <summary>From one quad to the next; none where all quads share their words.</summary>
    static abstract int QuadBytes { get; }

    /// <summary>From the first two of a quad to the other two.</summary>
    static abstract int PairBytes { get; }

    /// <summary>Words that a block's nibbles share.</summary>
    static abstract int WordBytes { get; }

    static abstract bool Blocked { get; }

    /// <summary>
    /// Whether K = 4 j + g of a block is nibble j of word g. Nibble j is then read in place, as q * 16^j, and x comes divided by 16^j: exact,
    /// and one operation less than moving it down.
    /// </summary>
    static abstract bool Nibbled { get; }

    /// <summary>Scale and shift of the panel's rows from a column on, for one block.</summary>
    static abstract V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V>;
    static abstract V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V>;

    /// <summary>Numbers at position i (0 .. 3) of a quad, not yet scaled.</summary>
    /// <param name="mask">Where the nibble is.</param>
    static abstract V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V>;

    /// <summary>As Value for what comes after the whole quads: positions of a quad that K cuts off, or a block's last nibbles, whose x is not divided.</summary>
    static abstract V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V>;

    /// <summary>y with a block's sum added. <paramref name="x"/> is the block's sum of x.</summary>
    static abstract V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V>;
}

internal static class DecodeFormats
{
    public const int PanelRows = 32;
    public const int BlockK = 32;

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
    public static int QuadBytes => 512;
    public static int PairBytes => 256;
    public static int WordBytes => 0;
    public static bool Blocked => false;
    public static bool Nibbled => false;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V> =>
        V.Load((float*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V> =>
        V.Load((float*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V> =>
        sum;
}

/// <summary>Two K of a row share a word.</summary>
internal readonly unsafe struct BFloat16Format : IDecodeFormat
{
    public static int HeaderBytes => 0;
    public static int QuadBytes => 256;
    public static int PairBytes => 128;
    public static int WordBytes => 0;
    public static bool Blocked => false;
    public static bool Nibbled => false;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V> =>
        i % 2 == 0 ? V.LowHalf((uint*)quad + i / 2 * 32 + column) : V.HighHalf((uint*)quad + i / 2 * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V> =>
        i % 2 == 0 ? V.LowHalf((uint*)quad + i / 2 * 32 + column) : V.HighHalf((uint*)quad + i / 2 * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V> =>
        sum;
}

/// <summary>w = d * q.</summary>
internal readonly unsafe struct Q8Format : IDecodeFormat
{
    public static int HeaderBytes => 64;
    public static int QuadBytes => 128;
    public static int PairBytes => 64;
    public static int WordBytes => 0;
    public static bool Blocked => true;
    public static bool Nibbled => false;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => V.LoadHalf((ushort*)block + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V> =>
        V.LoadInt8((sbyte*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V> =>
        V.LoadInt8((sbyte*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V> =>
        V.Fma(sum, scale, y);
}

/// <summary>w = d * (q - 8).</summary>
internal readonly unsafe struct Q4ZeroFormat : IDecodeFormat
{
    public static int HeaderBytes => 64;
    public static int QuadBytes => 0;
    public static int PairBytes => 256;
    public static int WordBytes => 512;
    public static bool Blocked => true;
    public static bool Nibbled => true;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => V.LoadHalf((ushort*)block + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => default;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V> =>
        V.Masked((uint*)quad + i * 32 + column, mask);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V> =>
        V.TopNibble((uint*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V> =>
        V.Fma(V.Fma(V.Broadcast(*x), V.Broadcast(-8f), sum), scale, y);
}

/// <summary>w = d * q + m.</summary>
internal readonly unsafe struct Q4OneFormat : IDecodeFormat
{
    public static int HeaderBytes => 128;
    public static int QuadBytes => 0;
    public static int PairBytes => 256;
    public static int WordBytes => 512;
    public static bool Blocked => true;
    public static bool Nibbled => true;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => V.LoadHalf((ushort*)block + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Shift<V>(byte* block, nint column) where V : unmanaged, IDecodeLanes<V> => V.LoadHalf((ushort*)block + 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(byte* quad, int i, nint column, V mask) where V : unmanaged, IDecodeLanes<V> =>
        V.Masked((uint*)quad + i * 32 + column, mask);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Last<V>(byte* quad, int i, nint column) where V : unmanaged, IDecodeLanes<V> =>
        V.TopNibble((uint*)quad + i * 32 + column);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V End<V>(V sum, V scale, V shift, float* x, V y) where V : unmanaged, IDecodeLanes<V> =>
        V.Fma(V.Broadcast(*x), shift, V.Fma(sum, scale, y));
}
