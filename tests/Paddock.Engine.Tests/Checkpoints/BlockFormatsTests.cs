using System.Buffers.Binary;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Tests.Checkpoints;

public class BlockFormatsTests
{
    public static TheoryData<TensorFormat> Formats => [TensorFormat.Q4_0, TensorFormat.Q4_1, TensorFormat.Q5_0, TensorFormat.Q5_1, TensorFormat.Q8_0];

    [Fact]
    public void A_q4_1_block_written_by_hand()
    {
        byte[] block = new byte[20];
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)0.5f);
        BinaryPrimitives.WriteHalfLittleEndian(block.AsSpan(2), (Half)(-2f));
        block[4] = 0xF3; // value 0 has q = 3, value 16 has q = 15
        block[19] = 0x1A; // value 15 has q = 10, value 31 has q = 1
        float[] values = new float[32];
        BlockFormats.Widen(TensorFormat.Q4_1, block, values);
        Assert.Equal((-0.5f, 5.5f, 3f, -1.5f, -2f), (values[0], values[16], values[15], values[31], values[1]));
    }

    [Fact]
    public void A_q5_0_block_written_by_hand()
    {
        byte[] block = new byte[22];
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)2f);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(2), 1u << 0 | 1u << 31); // fifth bit of values 0 and 31
        block[6] = 0xF3; // value 0: 16 + 3 - 16 = 3; value 16: 15 - 16 = -1
        block[21] = 0x10; // value 15: -16; value 31: 16 + 1 - 16 = 1
        float[] values = new float[32];
        BlockFormats.Widen(TensorFormat.Q5_0, block, values);
        Assert.Equal((6f, -2f, -32f, 2f), (values[0], values[16], values[15], values[31]));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Random_blocks_agree_with_the_formula(TensorFormat format)
    {
        const int Blocks = 50;
        RandomStream stream = new(1, format.ToString());
        byte[] bytes = new byte[Blocks * BlockFormats.BlockBytes(format)];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)stream.NextInt(256);
        for (int block = 0; block < Blocks; block++)
            BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(block * BlockFormats.BlockBytes(format)), (Half)(stream.NextDouble() - 0.5));
        if (format is TensorFormat.Q4_1 or TensorFormat.Q5_1)
            for (int block = 0; block < Blocks; block++)
                BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(block * BlockFormats.BlockBytes(format) + 2), (Half)(stream.NextDouble() - 0.5));
        float[] values = new float[Blocks * 32];
        BlockFormats.Widen(format, bytes, values);
        for (int i = 0; i < values.Length; i++)
            Assert.Equal(Formula(format, bytes.AsSpan(i / 32 * BlockFormats.BlockBytes(format)), i % 32), values[i]);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Quantised_values_come_back_within_half_a_step(TensorFormat format)
    {
        RandomStream stream = new(2, "round-trip");
        float[] values = [.. Enumerable.Range(0, 320).Select(_ => (float)stream.NextGaussian())], back = new float[320];
        BlockFormats.Widen(format, BlockQuantiser.Quantise(format, values), back);
        for (int block = 0; block < 10; block++)
        {
            float[] one = values[(block * 32)..(block * 32 + 32)];
            float step = BlockQuantiser.Step(format, one);
            for (int i = 0; i < 32; i++)
                Assert.InRange(back[block * 32 + i], one[i] - 0.51f * step - 1e-3f, one[i] + 0.51f * step + 1e-3f);
        }
    }

    [Fact]
    public void Part_of_a_block_is_refused()
    {
        Assert.Throws<ArgumentException>(() => BlockFormats.Widen(TensorFormat.Q8_0, new byte[34], new float[31]));
        Assert.Throws<ArgumentException>(() => BlockFormats.Widen(TensorFormat.Q8_0, new byte[33], new float[32]));
    }

    /// <summary>The rules of the docstring, one value at a time.</summary>
    private static float Formula(TensorFormat format, ReadOnlySpan<byte> block, int i)
    {
        float d = (float)BinaryPrimitives.ReadHalfLittleEndian(block), m = (float)BinaryPrimitives.ReadHalfLittleEndian(block[2..]);
        int Nibble(ReadOnlySpan<byte> packed) => i < 16 ? packed[i] & 15 : packed[i - 16] >> 4;
        int Fifth(ReadOnlySpan<byte> bits) => (int)(BinaryPrimitives.ReadUInt32LittleEndian(bits) >> i & 1) << 4;
        return format switch
        {
            TensorFormat.Q4_0 => d * (Nibble(block[2..]) - 8),
            TensorFormat.Q4_1 => d * Nibble(block[4..]) + m,
            TensorFormat.Q5_0 => d * ((Nibble(block[6..]) | Fifth(block[2..])) - 16),
            TensorFormat.Q5_1 => d * (Nibble(block[8..]) | Fifth(block[4..])) + m,
            _ => d * (sbyte)block[2 + i],
        };
    }
}
