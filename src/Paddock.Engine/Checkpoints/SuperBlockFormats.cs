using System.Buffers.Binary;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// ggml's super-blocks of 256 values, whose parts have small scales under one scale d of the whole (layouts: ggml-common.h of llama.cpp).
/// <code>
/// Q4_K  144 bytes  d, dmin, 12 bytes of 6-bit scales and minima of 8 parts, 128 x two nibbles      x = d s q - dmin m
/// Q5_K  176 bytes  d, dmin, the same, 32 bytes of fifth bits, 128 x two nibbles                    x = d s q - dmin m
/// Q6_K  210 bytes  128 x two nibbles, 64 bytes of upper bit pairs, 16 signed scales of parts, d    x = d s (q - 32)
/// </code>
/// d s q is exact in float32, so every machine gives the same bits.
/// </summary>
internal static class SuperBlockFormats
{
    /// <summary>Values of one super-block.</summary>
    public const int Values = 256;

    /// <summary>Widens one super-block to its 256 values.</summary>
    public static void Widen(TensorFormat format, ReadOnlySpan<byte> block, Span<float> values)
    {
        if (format == TensorFormat.Q6_K)
            WidenSix(block, values);
        else
            WidenFourOrFive(block, values, format == TensorFormat.Q5_K);
    }

    private static void WidenFourOrFive(ReadOnlySpan<byte> block, Span<float> values, bool five)
    {
        float d = Fp16(block), dMin = Fp16(block[2..]);
        ReadOnlySpan<byte> scales = block.Slice(4, 12), fifth = five ? block.Slice(16, 32) : default, nibbles = block[(five ? 48 : 16)..];
        for (int part = 0; part < 8; part++)
        {
            (int scale, int minimum) = ScaleAndMinimum(scales, part);
            float s = d * scale, m = dMin * minimum;
            for (int i = 0; i < 32; i++)
            {
                int packed = nibbles[part / 2 * 32 + i], q = part % 2 == 0 ? packed & 15 : packed >> 4;
                if (five)
                    q += (fifth[i] >> part & 1) << 4;
                values[part * 32 + i] = s * q - m;
            }
        }
    }

    // six bits each: parts 0 to 3 in the low bits of bytes 0 to 3 and 4 to 7; of parts 4 to 7 four bits in bytes 8 to 11 and two in the tops of the others
    private static (int Scale, int Minimum) ScaleAndMinimum(ReadOnlySpan<byte> packed, int part) => part < 4
        ? (packed[part] & 63, packed[part + 4] & 63)
        : (packed[part + 4] & 15 | packed[part - 4] >> 6 << 4, packed[part + 4] >> 4 | packed[part] >> 6 << 4);

    private static void WidenSix(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Fp16(block[208..]);
        for (int i = 0; i < Values; i++)
        {
            // each half of 128 has four runs of 32: two in the low nibbles of 64 bytes, two in the high ones
            int half = i / 128, run = i % 128 / 32, lane = i % 32;
            int packed = block[64 * half + 32 * (run % 2) + lane], low = run < 2 ? packed & 15 : packed >> 4;
            int high = block[128 + 32 * half + lane] >> (2 * run) & 3;
            values[i] = d * (sbyte)block[192 + i / 16] * ((low | high << 4) - 32);
        }
    }

    private static float Fp16(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);
}
