using System.Buffers.Binary;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>Packs values into blocks, plainly: what the readers under test must undo.</summary>
internal static class BlockQuantiser
{
    public static byte[] Quantise(TensorFormat format, float[] values)
    {
        int size = BlockFormats.BlockBytes(format);
        byte[] bytes = new byte[values.Length / 32 * size];
        for (int block = 0; block < values.Length / 32; block++)
            Block(format, values[(block * 32)..(block * 32 + 32)], bytes.AsSpan(block * size, size));
        return bytes;
    }

    /// <summary>Distance of neighbouring values that the block can hold.</summary>
    public static float Step(TensorFormat format, float[] block)
    {
        float largest = block.Max(MathF.Abs), range = block.Max() - block.Min();
        return format switch
        {
            TensorFormat.Q4_0 => largest / 7,
            TensorFormat.Q4_1 => range / 15,
            TensorFormat.Q5_0 => largest / 15,
            TensorFormat.Q5_1 => range / 31,
            _ => largest / 127,
        };
    }

    private static void Block(TensorFormat format, float[] values, Span<byte> block)
    {
        Half d = (Half)Step(format, values), m = (Half)values.Min();
        bool hasMinimum = format is TensorFormat.Q4_1 or TensorFormat.Q5_1;
        (int offset, int top) = format switch
        {
            TensorFormat.Q4_0 => (8, 15),
            TensorFormat.Q4_1 => (0, 15),
            TensorFormat.Q5_0 => (16, 31),
            TensorFormat.Q5_1 => (0, 31),
            _ => (0, 127),
        };
        BinaryPrimitives.WriteHalfLittleEndian(block, d);
        if (hasMinimum)
            BinaryPrimitives.WriteHalfLittleEndian(block[2..], m);
        int start = hasMinimum ? 4 : 2;
        for (int i = 0; i < 32; i++)
        {
            int q = (int)MathF.Round((values[i] - (hasMinimum ? (float)m : 0)) / (float)d) + offset;
            if (format == TensorFormat.Q8_0)
            {
                block[2 + i] = (byte)(sbyte)Math.Clamp(q, -127, 127);
                continue;
            }
            q = Math.Clamp(q, 0, top);
            int nibbles = start;
            if (format is TensorFormat.Q5_0 or TensorFormat.Q5_1)
            {
                nibbles += 4;
                block[start + i / 8] |= (byte)((q >> 4) << (i % 8));
            }
            block[nibbles + i % 16] |= (byte)((q & 15) << (i < 16 ? 0 : 4));
        }
    }
}
