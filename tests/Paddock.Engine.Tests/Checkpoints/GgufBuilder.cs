using System.Text;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>Writes GGUF files for tests, right ones and wrong ones; written from the format's description, not from the reader.</summary>
internal sealed class GgufBuilder
{
    private readonly List<byte> _keys = [];
    private readonly List<(string Name, ulong[] Dimensions, uint Type, byte[] Data)> _tensors = [];
    private int _keyCount;

    public uint Magic { get; init; } = 0x46554747;

    public uint Version { get; init; } = 3;

    public int Alignment { get; init; } = 32;

    public ulong? ClaimedTensors { get; init; }

    public ulong? ClaimedKeys { get; init; }

    /// <summary>Changes the offset that is written for a tensor.</summary>
    public Func<string, ulong, ulong> Offset { get; init; } = (_, offset) => offset;

    public GgufBuilder Key(string key, object value) => value switch
    {
        byte v => RawKey(key, [.. Number(0), v]),
        sbyte v => RawKey(key, [.. Number(1), (byte)v]),
        ushort v => RawKey(key, [.. Number(2), .. BitConverter.GetBytes(v)]),
        short v => RawKey(key, [.. Number(3), .. BitConverter.GetBytes(v)]),
        uint v => RawKey(key, [.. Number(4), .. BitConverter.GetBytes(v)]),
        int v => RawKey(key, [.. Number(5), .. BitConverter.GetBytes(v)]),
        float v => RawKey(key, [.. Number(6), .. BitConverter.GetBytes(v)]),
        bool v => RawKey(key, [.. Number(7), v ? (byte)1 : (byte)0]),
        string v => RawKey(key, [.. Number(8), .. Text(v)]),
        ulong v => RawKey(key, [.. Number(10), .. BitConverter.GetBytes(v)]),
        long v => RawKey(key, [.. Number(11), .. BitConverter.GetBytes(v)]),
        double v => RawKey(key, [.. Number(12), .. BitConverter.GetBytes(v)]),
        // the element type is compared exactly: at run time sbyte[] is also a byte[]
        string[] v => List(key, 8, v.Length, v.SelectMany(Text)),
        Array v when v.GetType() == typeof(sbyte[]) => List(key, 1, v.Length, ((sbyte[])v).Select(x => (byte)x)),
        Array v when v.GetType() == typeof(int[]) => List(key, 5, v.Length, ((int[])v).SelectMany(BitConverter.GetBytes)),
        float[] v => List(key, 6, v.Length, v.SelectMany(BitConverter.GetBytes)),
        _ => throw new ArgumentException($"no GGUF type for {value.GetType()}"),
    };

    /// <summary>A key whose type and value are given as they will lie in the file.</summary>
    public GgufBuilder RawKey(string key, params byte[] typeAndValue)
    {
        _keys.AddRange(Text(key));
        _keys.AddRange(typeAndValue);
        _keyCount++;
        return this;
    }

    /// <param name="shape">Outermost first; the file gets it reversed.</param>
    public GgufBuilder Tensor(string name, int[] shape, TensorFormat format, float[] values)
    {
        (uint type, byte[] data) = format switch
        {
            TensorFormat.Float32 => (0u, Narrow()),
            TensorFormat.Float16 => (1u, Narrow()),
            TensorFormat.BFloat16 => (30u, Narrow()),
            TensorFormat.Q4_0 => (2u, BlockQuantiser.Quantise(format, values)),
            TensorFormat.Q4_1 => (3u, BlockQuantiser.Quantise(format, values)),
            TensorFormat.Q5_0 => (6u, BlockQuantiser.Quantise(format, values)),
            TensorFormat.Q5_1 => (7u, BlockQuantiser.Quantise(format, values)),
            _ => (8u, BlockQuantiser.Quantise(format, values)),
        };
        return RawTensor(name, [.. shape.Reverse().Select(size => (ulong)size)], type, data);

        byte[] Narrow()
        {
            byte[] bytes = new byte[values.Length * FloatFormats.Size(format)];
            FloatFormats.Narrow(format, values, bytes);
            return bytes;
        }
    }

    public GgufBuilder RawTensor(string name, ulong[] dimensions, uint type, byte[] data)
    {
        _tensors.Add((name, dimensions, type, data));
        return this;
    }

    public byte[] Build()
    {
        using MemoryStream file = new();
        using BinaryWriter writer = new(file);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(ClaimedTensors ?? (ulong)_tensors.Count);
        writer.Write(ClaimedKeys ?? (ulong)_keyCount);
        writer.Write(_keys.ToArray());
        ulong offset = 0;
        foreach ((string name, ulong[] dimensions, uint type, byte[] data) in _tensors)
        {
            writer.Write(Text(name));
            writer.Write((uint)dimensions.Length);
            foreach (ulong dimension in dimensions)
                writer.Write(dimension);
            writer.Write(type);
            writer.Write(Offset(name, offset));
            offset += (ulong)((data.Length + Alignment - 1) / Alignment * Alignment);
        }
        foreach ((_, _, _, byte[] data) in _tensors)
        {
            while (file.Length % Alignment != 0)
                writer.Write((byte)0);
            writer.Write(data);
        }
        return file.ToArray();
    }

    private GgufBuilder List(string key, uint element, int count, IEnumerable<byte> items) =>
        RawKey(key, [.. Number(9), .. Number(element), .. BitConverter.GetBytes((ulong)count), .. items]);

    private static byte[] Number(uint value) => BitConverter.GetBytes(value);

    private static byte[] Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes];
    }
}
