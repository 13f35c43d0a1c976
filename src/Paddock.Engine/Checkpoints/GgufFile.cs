using System.Numerics;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// A GGUF file, version 2 or 3, little endian (format: docs/gguf.md of the ggml project): metadata and tensors under their own names
/// and in their own row order. <see cref="GgufWeights"/> presents it as a Hugging Face checkpoint. Validated whole on opening.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private const int MaxNameBytes = 1 << 16;
    private static readonly string[] TypeNames =
    [
        "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS",
        "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0",
    ];

    private readonly MappedFile _file;
    private readonly Dictionary<string, object> _metadata = [];
    private readonly Dictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, long> _offsets = [];

    private GgufFile(MappedFile file)
    {
        _file = file;
        GgufReader reader = new(file);
        uint magic = reader.UInt32("the magic number");
        if (magic != 0x46554747)
            throw Bad("this is not a GGUF file");
        Version = ReadVersion(reader);
        int tensors = reader.Count("a number of tensors", 24), keys = reader.Count("a number of metadata keys", 13);
        for (int i = 0; i < keys; i++)
        {
            string key = Name(reader, "a metadata key");
            if (!_metadata.TryAdd(key, reader.Value(key)))
                throw Bad($"the metadata key '{JsonInput.Short(key)}' appears twice");
        }
        ReadTensors(reader, tensors);
        Metadata = new(_metadata, Place);
    }

    public string Place => _file.Path;

    /// <summary>2 or 3; the layouts do not differ.</summary>
    public int Version { get; }

    public GgufMetadata Metadata { get; }

    /// <summary>Tensors under their GGUF names, outermost dimension first (the file lists the innermost first).</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <exception cref="BadInputException">The file is missing, cut short, breaks the format, or holds a tensor format that cannot be read.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path, 24, "a GGUF file");
        try
        {
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Widens rows of one tensor to float32. A row is one run of the innermost dimension.</summary>
    /// <param name="destination">As many whole rows as are wanted.</param>
    public void ReadRows(string name, int firstRow, Span<float> destination)
    {
        TensorInfo tensor = Find(name);
        int width = tensor.Shape[^1];
        long rowBytes = BlockFormats.Bytes(tensor.Format, width);
        if (destination.Length % width != 0 || firstRow < 0 || (long)firstRow * width + destination.Length > tensor.Count)
            throw new ArgumentException($"{name}: {destination.Length} values from row {firstRow} are not whole rows of {width} within it", nameof(destination));
        for (int row = 0; row < destination.Length / width; row++)
            BlockFormats.Widen(tensor.Format, _file.Slice(_offsets[name] + (firstRow + row) * rowBytes, (int)rowBytes), destination.Slice(row * width, width));
    }

    /// <summary>The stored bytes of one tensor in the file's own row order; empty beyond 2^31 of them.</summary>
    public ReadOnlySpan<byte> Raw(string name)
    {
        TensorInfo tensor = Find(name);
        long bytes = BlockFormats.Bytes(tensor.Format, tensor.Count);
        return bytes <= int.MaxValue ? _file.Slice(_offsets[name], (int)bytes) : [];
    }

    public void Dispose() => _file.Dispose();

    private TensorInfo Find(string name) => _tensors.TryGetValue(name, out TensorInfo? tensor) ? tensor : throw Bad($"there is no tensor '{name}'");

    private int ReadVersion(GgufReader reader)
    {
        uint version = reader.UInt32("the version");
        if (version is 2 or 3)
            return (int)version;
        throw Bad((version & 0xFFFF) == 0
            ? "the file is big endian; convert it to little endian"
            : $"version {version} of the format is not supported, versions 2 and 3 are; convert the model again");
    }

    private void ReadTensors(GgufReader reader, int count)
    {
        List<(TensorInfo Tensor, ulong Offset)> listed = [];
        for (int i = 0; i < count; i++)
        {
            string name = Name(reader, "a tensor's name");
            (TensorInfo tensor, ulong offset) = ReadTensor(reader, name, $"{Place}: tensor '{JsonInput.Short(name)}'");
            if (!_tensors.TryAdd(name, tensor))
                throw Bad($"the tensor '{JsonInput.Short(name)}' appears twice");
            listed.Add((tensor, offset));
        }
        ulong alignment = Alignment();
        ulong start = ((ulong)reader.Position + alignment - 1) / alignment * alignment;
        if (listed.Count > 0 && start > (ulong)_file.Length)
            throw Bad($"the file ends at byte {_file.Length}, before the tensors begin at {start}; fetch the file again");
        listed.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        ulong end = 0;
        foreach ((TensorInfo tensor, ulong offset) in listed)
        {
            string where = $"{Place}: tensor '{JsonInput.Short(tensor.Name)}'";
            ulong bytes = (ulong)BlockFormats.Bytes(tensor.Format, tensor.Count), available = (ulong)_file.Length - start;
            if (offset % alignment != 0)
                throw new BadInputException($"{where} begins at {offset}, which is not a multiple of the alignment {alignment}");
            if (offset < end)
                throw new BadInputException($"{where} begins at {offset}, inside the tensor before it, which ends at {end}");
            if (offset > available || bytes > available - offset)
                throw new BadInputException($"{where} needs {bytes} bytes at {offset} but only {available} follow the header; the file is cut short or damaged");
            end = offset + bytes;
            _offsets.Add(tensor.Name, (long)(start + offset));
        }
    }

    private static (TensorInfo Tensor, ulong Offset) ReadTensor(GgufReader reader, string name, string where)
    {
        uint rank = reader.UInt32("a tensor's number of dimensions");
        if (rank is 0 or > 4)
            throw new BadInputException($"{where} has {rank} dimensions; 1 to 4 are allowed");
        int[] shape = new int[rank];
        long count = 1;
        for (int axis = (int)rank - 1; axis >= 0; axis--)
        {
            ulong size = reader.UInt64("a tensor's size");
            Int128 product = (Int128)count * size;
            // the highest count whose bytes fit in 63 bits in every format
            if (size is 0 or > int.MaxValue || product > long.MaxValue / 4)
                throw new BadInputException($"{where} has a size of {size}; sizes must be positive and their product in bytes below 2^63");
            count = (long)product;
            shape[axis] = (int)size;
        }
        uint type = reader.UInt32("a tensor's type");
        TensorFormat format = type switch
        {
            0 => TensorFormat.Float32,
            1 => TensorFormat.Float16,
            2 => TensorFormat.Q4_0,
            3 => TensorFormat.Q4_1,
            6 => TensorFormat.Q5_0,
            7 => TensorFormat.Q5_1,
            8 => TensorFormat.Q8_0,
            12 => TensorFormat.Q4_K,
            13 => TensorFormat.Q5_K,
            14 => TensorFormat.Q6_K,
            30 => TensorFormat.BFloat16,
            _ => throw new BadInputException($"{where} is stored as {(type < TypeNames.Length ? TypeNames[type] : $"type {type}")}, which cannot be read; use a GGUF in F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K"),
        };
        if (BlockFormats.IsBlock(format) && shape[^1] % BlockFormats.ValuesOf(format) != 0)
            throw new BadInputException($"{where}: rows of {shape[^1]} values are not whole blocks of {BlockFormats.ValuesOf(format)}, as {format} needs");
        return (new(name, format, shape), reader.UInt64("a tensor's offset"));
    }

    private ulong Alignment()
    {
        const uint MaxAlignment = 1 << 20;
        if (!_metadata.TryGetValue("general.alignment", out object? value))
            return 32;
        if (value is uint alignment and <= MaxAlignment && BitOperations.IsPow2(alignment))
            return alignment;
        throw Bad($"general.alignment must be a power of two up to {MaxAlignment}, not {value}");
    }

    private string Name(GgufReader reader, string what)
    {
        string name = reader.Text(what);
        return name.Length is > 0 and <= MaxNameBytes ? name : throw Bad($"{what} has {name.Length} characters; 1 to {MaxNameBytes} are allowed");
    }

    private BadInputException Bad(string fault) => new($"{Place}: {fault}");
}
