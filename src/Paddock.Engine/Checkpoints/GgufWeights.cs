using System.Collections.Concurrent;
using System.Numerics.Tensors;
using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// A GGUF file as a Hugging Face checkpoint: Hugging Face names, norms of 1 + weight as weights, and the rows of the query and key
/// projections back in Hugging Face order. Where llama.cpp rotates neighbouring channels the converter interleaves the two halves of every
/// head: within a head of D rows, GGUF row 2j is row j, and GGUF row 2j + 1 is row D/2 + j.
/// </summary>
public sealed class GgufWeights : IWeightSource
{
    private readonly GgufFile _file;
    private readonly int _headSize;
    private readonly GgufArchitecture _architecture;
    private readonly Dictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly ConcurrentDictionary<string, byte[]> _permuted = [];

    /// <summary>Takes over the file, and disposes it with itself.</summary>
    /// <exception cref="BadInputException">The architecture is not supported, or a tensor has no place in it.</exception>
    public GgufWeights(GgufFile file)
    {
        _file = file;
        Config = GgufConfig.Read(file);
        _architecture = GgufConfig.Architecture(file);
        _headSize = Config.HeadSize;
        foreach (TensorInfo tensor in file.Tensors.Values)
        {
            if (GgufRope.Owns(tensor.Name))
                continue;
            string name = _architecture.HuggingFaceName(tensor.Name) ?? throw new BadInputException($"{file.Place}: tensor '{JsonInput.Short(tensor.Name)}' is not part of a supported {_architecture.Name} model");
            if (IsPermuted(name) && (tensor.Shape.Count != 2 || tensor.Shape[0] % _headSize != 0))
                throw new BadInputException($"{file.Place}: tensor '{tensor.Name}' must have whole heads of {_headSize} rows");
            if (!_tensors.TryAdd(name, tensor with { Name = name }))
                throw new BadInputException($"{file.Place}: the tensors '{tensor.Name}' and '{_names[name]}' have the same place");
            _names.Add(name, tensor.Name);
        }
    }

    public ModelConfig Config { get; }

    public string Place => _file.Place;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <inheritdoc cref="GgufFile.Open"/>
    public static GgufWeights Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
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

    public void Read(string name, Span<float> destination)
    {
        TensorInfo tensor = Find(name);
        if (destination.Length != tensor.Count)
            throw new ArgumentException($"{name} has {tensor.Count} values, the destination {destination.Length}", nameof(destination));
        if (!IsPermuted(name))
        {
            _file.ReadRows(_names[name], 0, destination);
            if (_architecture.HasNormsWithOne && IsNorm(name))
                TensorPrimitives.Subtract(destination, 1, destination);
            return;
        }
        int width = tensor.Shape[1];
        for (int row = 0; row < tensor.Shape[0]; row++)
            _file.ReadRows(_names[name], StoredRow(row), destination.Slice(row * width, width));
    }

    /// <summary>
    /// The packed bytes in Hugging Face row order, so also usable for the query and key projections: those are put in order once, in
    /// memory of their own, when first asked for. Safe to call from several threads. Empty beyond 2^31 bytes.
    /// </summary>
    public ReadOnlySpan<byte> Raw(string name)
    {
        Find(name);
        if (_architecture.HasNormsWithOne && IsNorm(name))
            return [];
        return IsPermuted(name) ? _permuted.GetOrAdd(name, PermuteRows) : _file.Raw(_names[name]);
    }

    public void Dispose()
    {
        _permuted.Clear();
        _file.Dispose();
    }

    private static bool IsNorm(string name) => name.EndsWith("norm.weight", StringComparison.Ordinal);

    private bool IsPermuted(string name) => _architecture.HasTurnedHeads && (name.EndsWith(".q_proj.weight", StringComparison.Ordinal) || name.EndsWith(".k_proj.weight", StringComparison.Ordinal));

    private TensorInfo Find(string name) => _tensors.TryGetValue(name, out TensorInfo? tensor)
        ? tensor
        : throw new BadInputException($"{Place}: there is no tensor '{name}'");

    /// <summary>The row of the file that holds row <paramref name="row"/> of the Hugging Face matrix.</summary>
    private int StoredRow(int row)
    {
        int inHead = row % _headSize, half = _headSize / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    private byte[] PermuteRows(string name)
    {
        ReadOnlySpan<byte> stored = _file.Raw(_names[name]);
        TensorInfo tensor = _tensors[name];
        int rowBytes = stored.Length / tensor.Shape[0];
        byte[] rows = new byte[stored.Length];
        for (int row = 0; rowBytes > 0 && row < tensor.Shape[0]; row++)
            stored.Slice(StoredRow(row) * rowBytes, rowBytes).CopyTo(rows.AsSpan(row * rowBytes));
        return rows;
    }
}
