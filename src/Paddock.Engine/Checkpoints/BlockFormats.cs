using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// ggml's block formats: 32 values share a scale d (and a minimum m), both fp16 (layouts: ggml-common.h of llama.cpp).
/// <code>
/// Q4_0  18 bytes  d, 16 x two nibbles                 x = d (q - 8)
/// Q4_1  20 bytes  d, m, 16 x two nibbles              x = d q + m
/// Q5_0  22 bytes  d, 32 fifth bits, 16 x two nibbles  x = d (q - 16)
/// Q5_1  24 bytes  d, m, 32 fifth bits, nibbles        x = d q + m
/// Q8_0  34 bytes  d, 32 signed bytes                  x = d q
/// </code>
/// Low nibbles are values 0 to 15 of the block, high nibbles 16 to 31. d q is exact in float32, so every instruction set gives the same bits.
/// </summary>
public static class BlockFormats
{
    private const int BlockValues = 32;

    public static bool IsBlock(TensorFormat format) => format >= TensorFormat.Q4_0;

    /// <summary>Values of one block: 32, or 256 in the formats with K (<see cref="SuperBlockFormats"/>).</summary>
    public static int ValuesOf(TensorFormat format) => format >= TensorFormat.Q4_K ? SuperBlockFormats.Values : BlockValues;

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(TensorFormat format) => format switch
    {
        TensorFormat.Q4_0 => 18,
        TensorFormat.Q4_1 => 20,
        TensorFormat.Q5_0 => 22,
        TensorFormat.Q5_1 => 24,
        TensorFormat.Q8_0 => 34,
        TensorFormat.Q4_K => 144,
        TensorFormat.Q5_K => 176,
        TensorFormat.Q6_K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "not a block format"),
    };

    /// <summary>Bytes of <paramref name="count"/> values in any format; whole blocks in the block formats.</summary>
    public static long Bytes(TensorFormat format, long count)
    {
        if (!IsBlock(format))
            return checked(count * FloatFormats.Size(format));
        int values = ValuesOf(format);
        if (count % values != 0)
            throw new ArgumentException($"{count} values are not whole blocks of {values}", nameof(count));
        return checked(count / values * BlockBytes(format));
    }

    /// <summary>Widens values in any format to float32; the source has exactly the bytes of the destination's values.</summary>
    public static void Widen(TensorFormat format, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (!IsBlock(format))
        {
            FloatFormats.Widen(format, source, destination);
            return;
        }
        if (source.Length != Bytes(format, destination.Length))
            throw new ArgumentException($"{source.Length} bytes are not {destination.Length} values of {format}", nameof(source));
        if (ValuesOf(format) == SuperBlockFormats.Values)
        {
            int bytes = BlockBytes(format);
            for (int block = 0; block < destination.Length / SuperBlockFormats.Values; block++)
                SuperBlockFormats.Widen(format, source.Slice(block * bytes, bytes), destination.Slice(block * SuperBlockFormats.Values, SuperBlockFormats.Values));
            return;
        }
        // the one check above is the bound of every access below
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(destination);
        int size = BlockBytes(format);
        for (int block = 0; block < destination.Length / BlockValues; block++)
        {
            WidenBlock(format, ref from, ref to);
            from = ref Unsafe.Add(ref from, size);
            to = ref Unsafe.Add(ref to, BlockValues);
        }
    }

    private static void WidenBlock(TensorFormat format, ref byte block, ref float destination)
    {
        float d = Fp16(ref block), m = 0;
        Vector128<byte> low, high;
        switch (format)
        {
            case TensorFormat.Q4_0:
                (low, high) = Nibbles(ref Unsafe.Add(ref block, 2));
                low -= Vector128.Create((byte)8);
                high -= Vector128.Create((byte)8);
                break;
            case TensorFormat.Q4_1:
                m = Fp16(ref Unsafe.Add(ref block, 2));
                (low, high) = Nibbles(ref Unsafe.Add(ref block, 4));
                break;
            case TensorFormat.Q5_0:
                (low, high) = Nibbles(ref Unsafe.Add(ref block, 6));
                low += FifthBits(ref Unsafe.Add(ref block, 2)) - Vector128.Create((byte)16);
                high += FifthBits(ref Unsafe.Add(ref block, 4)) - Vector128.Create((byte)16);
                break;
            case TensorFormat.Q5_1:
                m = Fp16(ref Unsafe.Add(ref block, 2));
                (low, high) = Nibbles(ref Unsafe.Add(ref block, 8));
                low += FifthBits(ref Unsafe.Add(ref block, 4));
                high += FifthBits(ref Unsafe.Add(ref block, 6));
                break;
            default:
                low = Vector128.LoadUnsafe(ref block, 2);
                high = Vector128.LoadUnsafe(ref block, 18);
                break;
        }
        Scale(low.AsSByte(), d, m, ref destination);
        Scale(high.AsSByte(), d, m, ref Unsafe.Add(ref destination, 16));
    }

    private static (Vector128<byte> Low, Vector128<byte> High) Nibbles(ref byte packed)
    {
        Vector128<byte> bytes = Vector128.LoadUnsafe(ref packed);
        return (bytes & Vector128.Create((byte)15), bytes >>> 4);
    }

    /// <summary>16 bits spread to 16 bytes of 0 or 16.</summary>
    private static Vector128<byte> FifthBits(ref byte bits)
    {
        Vector128<byte> mask = Vector128.Create(0x8040201008040201UL).AsByte();
        Vector128<byte> spread = Vector128.Create(Vector64.Create(bits), Vector64.Create(Unsafe.Add(ref bits, 1)));
        return Vector128.Equals(spread & mask, mask) & Vector128.Create((byte)16);
    }

    private static void Scale(Vector128<sbyte> q, float d, float m, ref float destination)
    {
        Vector128<float> scale = Vector128.Create(d), minimum = Vector128.Create(m);
        Vector128<short> first = Vector128.WidenLower(q), second = Vector128.WidenUpper(q);
        (Vector128.ConvertToSingle(Vector128.WidenLower(first)) * scale + minimum).StoreUnsafe(ref destination);
        (Vector128.ConvertToSingle(Vector128.WidenUpper(first)) * scale + minimum).StoreUnsafe(ref destination, 4);
        (Vector128.ConvertToSingle(Vector128.WidenLower(second)) * scale + minimum).StoreUnsafe(ref destination, 8);
        (Vector128.ConvertToSingle(Vector128.WidenUpper(second)) * scale + minimum).StoreUnsafe(ref destination, 12);
    }

    private static float Fp16(ref byte bytes) => (float)Unsafe.ReadUnaligned<Half>(ref bytes);
}
