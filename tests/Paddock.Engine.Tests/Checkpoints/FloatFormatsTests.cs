using System.Runtime.InteropServices;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tests.Checkpoints;

public class FloatFormatsTests
{
    [Theory]
    [InlineData(0x3F800000u, 0x3F80)] // 1 is exact
    [InlineData(0x3F808000u, 0x3F80)] // 1 + 2^-8 lies half way between 1 and 1 + 2^-7: to even, down
    [InlineData(0x3F818000u, 0x3F82)] // half way again, the lower neighbour is odd: up
    [InlineData(0x3F808001u, 0x3F81)] // just above half way
    [InlineData(0x3F807FFFu, 0x3F80)] // just below
    [InlineData(0xBF818000u, 0xBF82)] // the sign does not matter
    [InlineData(0x80000000u, 0x8000)] // minus zero
    [InlineData(0x00000001u, 0x0000)] // smallest subnormal
    [InlineData(0x00018000u, 0x0002)] // subnormals round by the same rule
    [InlineData(0x7F7FFFFFu, 0x7F80)] // the largest float is nearer to infinity
    [InlineData(0x7F7F7FFFu, 0x7F7F)] // the largest that is not
    [InlineData(0x7F800000u, 0x7F80)] // infinity stays
    [InlineData(0xFF800000u, 0xFF80)]
    public void Narrowing_to_bfloat16_rounds_to_nearest_even(uint single, int expected) =>
        Assert.Equal(expected, FloatFormats.ToBFloat16(BitConverter.UInt32BitsToSingle(single)));

    [Theory]
    [InlineData(0x7F800001u)] // upper half alone would be infinity
    [InlineData(0x7FFFFFFFu)] // rounding up would overflow into the sign
    [InlineData(0xFFC00000u)]
    public void A_nan_stays_a_nan(uint single) =>
        Assert.True(float.IsNaN(FloatFormats.FromBFloat16(FloatFormats.ToBFloat16(BitConverter.UInt32BitsToSingle(single)))));

    [Theory]
    [InlineData(TensorFormat.BFloat16)]
    [InlineData(TensorFormat.Float16)]
    public void All_65536_patterns_widen_exactly_and_narrow_back(TensorFormat format)
    {
        ushort[] patterns = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        ushort[] back = new ushort[patterns.Length];
        float[] wide = new float[patterns.Length];
        FloatFormats.Widen(format, MemoryMarshal.AsBytes(patterns.AsSpan()), wide);
        FloatFormats.Narrow(format, wide, MemoryMarshal.AsBytes(back.AsSpan()));
        for (int i = 0; i < patterns.Length; i++)
        {
            float expected = format == TensorFormat.Float16 ? (float)BitConverter.UInt16BitsToHalf(patterns[i]) : BitConverter.UInt32BitsToSingle((uint)patterns[i] << 16);
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(wide[i]));
            if (!float.IsNaN(expected))
                Assert.Equal(patterns[i], back[i]);
            else
                Assert.Equal(expected, format == TensorFormat.Float16 ? (float)BitConverter.UInt16BitsToHalf(back[i]) : FloatFormats.FromBFloat16(back[i]));
        }
    }

    [Fact]
    public void Every_length_around_the_vector_widths_is_filled_and_not_overrun()
    {
        ushort[] source = [.. Enumerable.Range(0, 70).Select(i => FloatFormats.ToBFloat16(i + 1))];
        for (int length = 0; length <= 65; length++)
        {
            float[] destination = new float[length + 1];
            FloatFormats.Widen(TensorFormat.BFloat16, MemoryMarshal.AsBytes(source.AsSpan(0, length)), destination.AsSpan(0, length));
            Assert.Equal([.. Enumerable.Range(1, length).Select(i => (float)i), 0f], destination);
        }
    }

    [Fact]
    public void A_wrong_length_is_refused()
    {
        Assert.Throws<ArgumentException>(() => FloatFormats.Widen(TensorFormat.Float16, new byte[3], new float[2]));
        Assert.Throws<ArgumentException>(() => FloatFormats.Narrow(TensorFormat.BFloat16, new float[2], new byte[5]));
    }
}
