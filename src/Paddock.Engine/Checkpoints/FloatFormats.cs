using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// float32 against the two 16-bit formats of checkpoints. Widening is exact; narrowing rounds to nearest, ties to even, and keeps NaN a
/// NaN. Files and supported machines are both little endian.
/// </summary>
public static class FloatFormats
{
    /// <summary>Bytes of one value: 4, 2 or 2.</summary>
    public static int Size(TensorFormat format) => format switch
    {
        TensorFormat.Float32 => 4,
        TensorFormat.Float16 or TensorFormat.BFloat16 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "a block format has no size per value"),
    };

    /// <summary>Widens as many values as <paramref name="destination"/> has; the source has exactly their bytes.</summary>
    public static void Widen(TensorFormat format, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (source.Length != (long)destination.Length * Size(format))
            throw new ArgumentException($"{source.Length} bytes are not {destination.Length} values of {format}", nameof(source));
        switch (format)
        {
            case TensorFormat.Float32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case TensorFormat.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            default:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
        }
    }

    /// <summary>Narrows all values of <paramref name="source"/>; the destination has exactly their bytes.</summary>
    public static void Narrow(TensorFormat format, ReadOnlySpan<float> source, Span<byte> destination)
    {
        if (destination.Length != (long)source.Length * Size(format))
            throw new ArgumentException($"{destination.Length} bytes are not {source.Length} values of {format}", nameof(destination));
        switch (format)
        {
            case TensorFormat.Float32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case TensorFormat.Float16:
                TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));
                break;
            default:
                Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(destination);
                for (int i = 0; i < source.Length; i++)
                    halves[i] = ToBFloat16(source[i]);
                break;
        }
    }

    /// <summary>The bits of the nearest bfloat16, ties to even; values beyond its largest become infinite, as IEEE rounding has it.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)(bits >> 16 | 0x0040); // quiet: the payload's upper bits alone could be zero, which would read as infinity
        return (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            ref ushort from = ref MemoryMarshal.GetReference(source);
            ref uint to = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<float, uint>(destination));
            for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
                (low << 16).StoreUnsafe(ref to, (nuint)i);
                (high << 16).StoreUnsafe(ref to, (nuint)(i + Vector256<uint>.Count));
            }
        }
        for (; i < source.Length; i++)
            destination[i] = FromBFloat16(source[i]);
    }
}
