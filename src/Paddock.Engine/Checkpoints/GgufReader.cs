using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Paddock.Engine.Checkpoints;

/// <summary>The value types of GGUF metadata, numbered as in the file.</summary>
internal enum GgufType : uint { UInt8, Int8, UInt16, Int16, UInt32, Int32, Float32, Bool, String, Array, UInt64, Int64, Float64 }

/// <summary>
/// A cursor over the front part of a GGUF file. Every length and count is compared with the bytes that remain before anything is
/// allocated for it, so memory stays proportional to the file.
/// </summary>
internal sealed class GgufReader(MappedFile file)
{
    private const int MaxNesting = 4;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public long Position { get; private set; }

    private string Place => file.Path;

    public byte UInt8(string what) => Take(1, what)[0];

    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A count of things of at least <paramref name="minimumBytes"/> each, all of which must still fit in the file.</summary>
    public int Count(string what, int minimumBytes)
    {
        ulong count = UInt64(what);
        long remaining = file.Length - Position;
        if (count > (ulong)(remaining / minimumBytes) || count > (ulong)Array.MaxLength)
            throw new BadInputException($"{Place}: {what} of {count} cannot fit in the {remaining} bytes that follow; the file is damaged or cut short");
        return (int)count;
    }

    public string Text(string what)
    {
        int length = Count($"the length of {what}", 1);
        try
        {
            return Utf8.GetString(Take(length, what));
        }
        catch (DecoderFallbackException e)
        {
            throw new BadInputException($"{Place}: {what} is not valid UTF-8", e);
        }
    }

    /// <summary>A metadata value of the type that is stored in front of it.</summary>
    public object Value(string key) => Value(Type(key), key, 0);

    private object Value(GgufType type, string key, int depth) => type switch
    {
        GgufType.UInt8 => UInt8(key),
        GgufType.Int8 => (sbyte)UInt8(key),
        GgufType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
        GgufType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
        GgufType.UInt32 => UInt32(key),
        GgufType.Int32 => (int)UInt32(key),
        GgufType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
        GgufType.Bool => Bool(key),
        GgufType.String => Text($"the value of '{key}'"),
        GgufType.UInt64 => UInt64(key),
        GgufType.Int64 => (long)UInt64(key),
        GgufType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
        _ => Items(key, depth),
    };

    private Array Items(string key, int depth)
    {
        if (depth == MaxNesting)
            throw new BadInputException($"{Place}: key '{key}' nests lists deeper than {MaxNesting}");
        GgufType type = Type(key);
        int count = Count($"the list '{key}'", MinimumBytes(type));
        return type switch
        {
            GgufType.UInt8 => Numbers<byte>(count, key),
            GgufType.Int8 => Numbers<sbyte>(count, key),
            GgufType.UInt16 => Numbers<ushort>(count, key),
            GgufType.Int16 => Numbers<short>(count, key),
            GgufType.UInt32 => Numbers<uint>(count, key),
            GgufType.Int32 => Numbers<int>(count, key),
            GgufType.UInt64 => Numbers<ulong>(count, key),
            GgufType.Int64 => Numbers<long>(count, key),
            GgufType.Float32 => Numbers<float>(count, key),
            GgufType.Float64 => Numbers<double>(count, key),
            GgufType.Bool => Each(count, () => Bool(key)),
            GgufType.String => Each(count, () => Text($"an entry of '{key}'")),
            _ => Each(count, () => Items(key, depth + 1)),
        };
    }

    private T[] Numbers<T>(int count, string key)
        where T : unmanaged
    {
        long bytes = (long)count * Unsafe.SizeOf<T>();
        if (bytes > int.MaxValue)
            throw new BadInputException($"{Place}: the list '{key}' of {bytes} bytes is longer than the 2^31 supported");
        return MemoryMarshal.Cast<byte, T>(Take((int)bytes, key)).ToArray();
    }

    private static T[] Each<T>(int count, Func<T> next)
    {
        T[] items = new T[count];
        for (int i = 0; i < count; i++)
            items[i] = next();
        return items;
    }

    private bool Bool(string key) => UInt8(key) switch
    {
        0 => false,
        1 => true,
        byte other => throw new BadInputException($"{Place}: key '{key}' must be 0 or 1, not {other}"),
    };

    private GgufType Type(string key)
    {
        uint type = UInt32($"the type of '{key}'");
        return type <= (uint)GgufType.Float64 ? (GgufType)type : throw new BadInputException($"{Place}: key '{key}' has the unknown value type {type}");
    }

    private static int MinimumBytes(GgufType type) => type switch
    {
        GgufType.UInt8 or GgufType.Int8 or GgufType.Bool => 1,
        GgufType.UInt16 or GgufType.Int16 => 2,
        GgufType.UInt32 or GgufType.Int32 or GgufType.Float32 => 4,
        GgufType.Array => 12,
        _ => 8,
    };

    private ReadOnlySpan<byte> Take(int bytes, string what)
    {
        if (bytes > file.Length - Position)
            throw new BadInputException($"{Place}: the file ends at byte {file.Length}, within {what}; fetch the file again");
        ReadOnlySpan<byte> slice = file.Slice(Position, bytes);
        Position += bytes;
        return slice;
    }
}
