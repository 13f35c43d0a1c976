using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Memory;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Sampling;

public unsafe class DecodeMatMulTests
{
    internal static IEnumerable<DecodeTier> Tiers()
    {
        if (Vector512.IsHardwareAccelerated)
            yield return DecodeTier.Bits512;
        if (Avx2.IsSupported)
            yield return DecodeTier.Bits256;
        yield return DecodeTier.Bits128;
    }

    public static TheoryData<string, string, int, int> Shapes
    {
        get
        {
            TheoryData<string, string, int, int> data = [];
            foreach (DecodeTier tier in Tiers())
                foreach (DecodeFormat format in Enum.GetValues<DecodeFormat>())
                {
                    data.Add(tier.ToString(), format.ToString(), 70, 160);
                    data.Add(tier.ToString(), format.ToString(), 192, 288);
                    if (!DecodeMatrix.IsBlocked(format))
                        data.Add(tier.ToString(), format.ToString(), 33, 43);
                }
            return data;
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Every_tier_gives_the_bits_of_the_scalar_twin_for_any_number_of_rows(string tierName, string formatName, int N, int K)
    {
        (DecodeTier tier, DecodeFormat format) = (Enum.Parse<DecodeTier>(tierName), Enum.Parse<DecodeFormat>(formatName));
        const int Most = 70;
        int ldx = K + 3, ldy = N + 5;
        RandomStream stream = new(1, $"{format}/{N}/{K}");
        using WorkerPool one = new(1), two = new(2);
        using DecodeMatrix w = RandomMatrix(format, N, K, ref stream);
        using NativeBuffer x = Gaussian(Most * ldx, ref stream), bias = Gaussian(N, ref stream), start = Gaussian(Most * ldy, ref stream), y = new(Most * ldy), expected = new(Most * ldy);
        float[] wanted = new float[Most * ldy];
        bool fused = tier != DecodeTier.Bits128 || Fma.IsSupported;
        foreach ((bool accumulate, bool biased) in new[] { (false, false), (true, false), (true, true), (false, true) })
        {
            start.Span.CopyTo(expected.Span);
            ReferenceDecode.MatMul(Most, w, x.Pointer, ldx, expected.Pointer, ldy, biased ? bias.Pointer : null, accumulate);
            foreach (int M in new[] { 1, 2, 3, 7, 8, 15, 16, 17, 40, 64, 65, Most })
            {
                start.Span.CopyTo(y.Span);
                DecodeMatMul.Run(M % 2 == 0 ? one : two, M, w, x.Pointer, ldx, y.Pointer, ldy, biased ? bias.Pointer : null, accumulate, tier);
                // rows that were not asked for stay as they were
                expected.Slice(0, M * ldy).CopyTo(wanted);
                start.Slice(M * ldy, (Most - M) * ldy).CopyTo(wanted.AsSpan(M * ldy));
                if (fused)
                    Assert.True(y.Span.SequenceEqual(wanted), $"M {M}: differs from the twin at {y.Span.CommonPrefixLength(wanted)}");
                else
                    for (int i = 0; i < wanted.Length; i++)
                        Assert.Equal(wanted[i], y.Span[i], 1e-3f);
            }
        }
    }

    [Fact]
    public void Packed_blocks_are_read_as_the_file_format_says()
    {
        // golden/hf README: Q4_1 x = d q + m, low nibbles first; Q8_0 x = d q; Q4_0 x = d (q - 8)
        Span<byte> block = stackalloc byte[34];
        float* row = stackalloc float[32];
        BitConverter.TryWriteBytes(block, (Half)0.5f);
        for (int i = 0; i < 32; i++)
            block[2 + i] = (byte)(sbyte)(i - 16);
        using (DecodeMatrix q8 = new(DecodeFormat.Q8_0, 3, 32))
        {
            q8.SetRawRow(1, block);
            q8.CopyRow(1, row);
            for (int i = 0; i < 32; i++)
                Assert.Equal(0.5f * (i - 16), row[i]);
            q8.CopyRow(2, row);
            Assert.Equal(0f, row[5]);
        }
        for (int i = 0; i < 16; i++)
            block[2 + i] = (byte)(i | (15 - i) << 4);
        using (DecodeMatrix q4 = new(DecodeFormat.Q4_0, 1, 32))
        {
            q4.SetRawRow(0, block[..18]);
            q4.CopyRow(0, row);
            for (int i = 0; i < 16; i++)
                Assert.Equal((0.5f * (i - 8), 0.5f * (7 - i)), (row[i], row[16 + i]));
        }
        BitConverter.TryWriteBytes(block[2..], (Half)(-2f));
        for (int i = 0; i < 16; i++)
            block[4 + i] = (byte)(i | (15 - i) << 4);
        using DecodeMatrix q41 = new(DecodeFormat.Q4_1, 1, 32);
        q41.SetRawRow(0, block[..20]);
        q41.CopyRow(0, row);
        for (int i = 0; i < 16; i++)
            Assert.Equal((0.5f * i - 2, 0.5f * (15 - i) - 2), (row[i], row[16 + i]));
        BitConverter.TryWriteBytes(block, Half.NaN);
        byte[] damaged = block[..20].ToArray();
        Assert.Contains("damaged", Assert.Throws<BadInputException>(() => q41.SetRawRow(0, damaged)).Message);
    }

    [Fact]
    public void Eight_bit_and_bfloat16_copies_stay_within_their_rounding()
    {
        RandomStream stream = new(4, "rounding");
        using NativeBuffer source = Gaussian(40 * 96, ref stream);
        float* row = stackalloc float[96];
        using DecodeMatrix q8 = new(DecodeFormat.Q8_0, 40, 96), b16 = new(DecodeFormat.BFloat16, 40, 96), f32 = new(DecodeFormat.Float32, 40, 96);
        foreach (DecodeMatrix matrix in new[] { q8, b16, f32 })
            matrix.SetRows(0, 40, source.Pointer, 96);
        for (int n = 0; n < 40; n++)
        {
            Span<float> original = source.Slice(96 * n, 96);
            f32.CopyRow(n, row);
            Assert.True(original.SequenceEqual(new ReadOnlySpan<float>(row, 96)));
            b16.CopyRow(n, row);
            for (int k = 0; k < 96; k++)
                Assert.InRange(row[k] - original[k], -MathF.Abs(original[k]) / 256, MathF.Abs(original[k]) / 256);
            q8.CopyRow(n, row);
            for (int k = 0; k < 96; k++)
            {
                float largest = 0;
                foreach (float value in original.Slice(k / 32 * 32, 32))
                    largest = MathF.Max(largest, MathF.Abs(value));
                // half a step of d, and the rounding of d itself to eleven bits at the block's largest value
                Assert.InRange(row[k] - original[k], -largest * (0.5f / 127 + 1f / 2048), largest * (0.5f / 127 + 1f / 2048));
            }
        }
    }

    internal static NativeBuffer Gaussian(int count, ref RandomStream stream)
    {
        NativeBuffer buffer = new(count);
        foreach (ref float value in buffer.Span)
            value = (float)stream.NextGaussian();
        return buffer;
    }

    internal static DecodeMatrix RandomMatrix(DecodeFormat format, int N, int K, ref RandomStream stream)
    {
        DecodeMatrix w = new(format, N, K);
        if (format is DecodeFormat.Q4_0 or DecodeFormat.Q4_1)
        {
            int size = DecodeMatrix.RawBlockBytes(format);
            byte[] blocks = new byte[K / 32 * size];
            for (int n = 0; n < N; n++)
            {
                for (int i = 0; i < blocks.Length; i++)
                    blocks[i] = (byte)stream.NextUInt32();
                for (int block = 0; block < blocks.Length; block += size)
                {
                    // the second scale is a subnormal half in half of the blocks
                    BitConverter.TryWriteBytes(blocks.AsSpan(block), (Half)(0.1 * stream.NextGaussian()));
                    if (format == DecodeFormat.Q4_1)
                        BitConverter.TryWriteBytes(blocks.AsSpan(block + 2), (Half)((block / size % 2 == 0 ? 1 : 3e-6) * stream.NextGaussian()));
                }
                w.SetRawRow(n, blocks);
            }
            return w;
        }
        using NativeBuffer source = Gaussian(N * K, ref stream);
        w.SetRows(0, N, source.Pointer, K);
        return w;
    }
}
