using System.Buffers.Binary;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// One safetensors file: 8 bytes of header length (little endian), a JSON header, then the tensors' bytes without holes
/// (format description: huggingface.co/docs/safetensors). The header is validated whole on opening; nothing is read beyond it until
/// a tensor is asked for. Integer and boolean tensors (old gpt2 files hold constant masks) are checked but not listed.
/// </summary>
public sealed class SafetensorsFile : IWeightSource
{
    /// <summary>Longest header accepted; the limit of the reference implementation.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorInfo> _tensors;
    private readonly Dictionary<string, long> _offsets;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header, long dataStart)
    {
        _file = file;
        _tensors = header.Tensors;
        _offsets = header.OffsetsInFile(dataStart);
    }

    public string Place => _file.Path;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <summary>Opens and validates.</summary>
    /// <exception cref="BadInputException">The file is missing, cut short, or breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path, 10, "a safetensors file");
        try
        {
            ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, 8));
            if (headerBytes > MaxHeaderBytes)
                throw new BadInputException($"{path}: the header claims {headerBytes} bytes, more than the {MaxHeaderBytes} allowed; this is not a safetensors file");
            long dataStart = 8 + (long)headerBytes;
            if (dataStart > file.Length)
                throw new BadInputException($"{path}: the header claims {headerBytes} bytes but the file has {file.Length}; fetch the file again");
            SafetensorsHeader header = JsonInput.Parse(file.Slice(8, (int)headerBytes).ToArray(), path, root => new SafetensorsHeader(path, file.Length - dataStart, root));
            return new(file, header, dataStart);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Read(string name, Span<float> destination)
    {
        TensorInfo tensor = Find(name);
        if (destination.Length != tensor.Count)
            throw new ArgumentException($"{name} has {tensor.Count} values, the destination {destination.Length}", nameof(destination));
        int size = FloatFormats.Size(tensor.Format);
        // in pieces, because 2^31 bytes are fewer values than a span can hold
        const int Piece = 1 << 24;
        for (int done = 0; done < destination.Length; done += Piece)
        {
            Span<float> part = destination.Slice(done, Math.Min(Piece, destination.Length - done));
            FloatFormats.Widen(tensor.Format, _file.Slice(_offsets[name] + (long)done * size, part.Length * size), part);
        }
    }

    /// <summary>The stored bytes; empty beyond 2^31 of them.</summary>
    public ReadOnlySpan<byte> Raw(string name)
    {
        TensorInfo tensor = Find(name);
        long bytes = tensor.Count * FloatFormats.Size(tensor.Format);
        return bytes <= int.MaxValue ? _file.Slice(_offsets[name], (int)bytes) : [];
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Whether the file holds the tensor, listed or not.</summary>
    internal bool Contains(string name) => _offsets.ContainsKey(name);

    private TensorInfo Find(string name) => _tensors.TryGetValue(name, out TensorInfo? tensor)
        ? tensor
        : throw new BadInputException($"{Place}: there is no tensor '{name}'");
}
