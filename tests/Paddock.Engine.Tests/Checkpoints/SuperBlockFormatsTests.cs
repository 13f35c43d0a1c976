using System.Buffers.Binary;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>The super-blocks against blocks packed value by value from the description of their layout.</summary>
public class SuperBlockFormatsTests
{
    [Theory]
    [InlineData(TensorFormat.Q4_K)]
    [InlineData(TensorFormat.Q5_K)]
    public void Four_and_five_bits_come_back_as_packed(TensorFormat format)
    {
        RandomStream stream = new(1, format.ToString());
        int top = format == TensorFormat.Q4_K ? 16 : 32;
        byte[] block = new byte[BlockFormats.BlockBytes(format)];
        Half d = (Half)0.0123f, dMin = (Half)0.456f;
        BinaryPrimitives.WriteHalfLittleEndian(block, d);
        BinaryPrimitives.WriteHalfLittleEndian(block.AsSpan(2), dMin);
        int[] scales = [63, 0, 17, 40, 1, 62, 33, 21], minima = [0, 63, 32, 5, 48, 16, 15, 60];
        // twelve bytes: parts 0-3 whole in bytes 0-3 and 4-7; parts 4-7 low nibbles in 8-11, their upper two bits atop bytes 0-7
        for (int p = 0; p < 4; p++)
        {
            block[4 + p] = (byte)(scales[p] | scales[p + 4] >> 4 << 6);
            block[8 + p] = (byte)(minima[p] | minima[p + 4] >> 4 << 6);
            block[12 + p] = (byte)(scales[p + 4] & 15 | (minima[p + 4] & 15) << 4);
        }
        int[] q = [.. Enumerable.Range(0, 256).Select(_ => stream.NextInt(top))];
        int nibbles = format == TensorFormat.Q4_K ? 16 : 48;
        for (int i = 0; i < 256; i++)
        {
            block[nibbles + i / 64 * 32 + i % 32] |= (byte)((q[i] & 15) << (i % 64 < 32 ? 0 : 4));
            if (format == TensorFormat.Q5_K)
                block[16 + i % 32] |= (byte)(q[i] >> 4 << i / 32);
        }
        float[] values = new float[256];
        BlockFormats.Widen(format, block, values);
        for (int i = 0; i < 256; i++)
            Assert.Equal((float)d * scales[i / 32] * q[i] - (float)dMin * minima[i / 32], values[i]);
    }

    [Fact]
    public void Six_bits_come_back_as_packed()
    {
        RandomStream stream = new(1, "q6");
        byte[] block = new byte[BlockFormats.BlockBytes(TensorFormat.Q6_K)];
        Half d = (Half)0.0321f;
        BinaryPrimitives.WriteHalfLittleEndian(block.AsSpan(208), d);
        int[] q = [.. Enumerable.Range(0, 256).Select(_ => stream.NextInt(64))], scales = [.. Enumerable.Range(0, 16).Select(_ => stream.NextInt(256) - 128)];
        for (int s = 0; s < 16; s++)
            block[192 + s] = (byte)(sbyte)scales[s];
        for (int half = 0; half < 2; half++)
            for (int l = 0; l < 32; l++)
            {
                int[] four = [.. Enumerable.Range(0, 4).Select(run => q[128 * half + 32 * run + l])];
                block[64 * half + l] = (byte)(four[0] & 15 | (four[2] & 15) << 4);
                block[64 * half + 32 + l] = (byte)(four[1] & 15 | (four[3] & 15) << 4);
                block[128 + 32 * half + l] = (byte)(four[0] >> 4 | four[1] >> 4 << 2 | four[2] >> 4 << 4 | four[3] >> 4 << 6);
            }
        float[] values = new float[256];
        BlockFormats.Widen(TensorFormat.Q6_K, block, values);
        for (int i = 0; i < 256; i++)
            Assert.Equal((float)d * scales[i / 16] * (q[i] - 32), values[i]);
    }
}
