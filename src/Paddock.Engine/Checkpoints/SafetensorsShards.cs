using System.Text.Json;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// A checkpoint split over several safetensors files, with an index (<c>model.safetensors.index.json</c>) that says which file holds
/// which tensor. All shards are opened and checked against the index at once.
/// </summary>
public sealed class SafetensorsShards : IWeightSource
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, SafetensorsFile> _owners = [];

    private SafetensorsShards(string index) => Place = index;

    public string Place { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <param name="index">Path of the index; the shards lie beside it.</param>
    /// <exception cref="BadInputException">The index or a shard is missing, damaged, or they disagree.</exception>
    public static SafetensorsShards Open(string index)
    {
        List<(string Tensor, string File)> map = JsonInput.ReadFile(index, root => WeightMap(root, index));
        SafetensorsShards shards = new(index);
        try
        {
            shards.Add(map, Path.GetDirectoryName(Path.GetFullPath(index))!);
            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    public void Read(string name, Span<float> destination) => Owner(name).Read(name, destination);

    public ReadOnlySpan<byte> Raw(string name) => Owner(name).Raw(name);

    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
    }

    private static List<(string Tensor, string File)> WeightMap(JsonElement root, string index)
    {
        if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw new BadInputException($"{index}: key 'weight_map' must be an object that names a file for every tensor");
        List<(string, string)> entries = [];
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            string file = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            // only a plain name: an index must not point outside its folder
            if (file.Length == 0 || file.AsSpan().IndexOfAny('/', '\\', ':') >= 0 || file is "." or ".." || file.Contains('\0', StringComparison.Ordinal))
                throw new BadInputException($"{index}: the file of tensor '{JsonInput.Short(entry.Name)}' must be the name of a file in the same folder, not {JsonInput.Kind(entry.Value)}");
            entries.Add((entry.Name, file));
        }
        return entries;
    }

    private void Add(List<(string Tensor, string File)> map, string folder)
    {
        Dictionary<string, SafetensorsFile> opened = [];
        foreach ((string tensor, string name) in map)
        {
            if (!opened.TryGetValue(name, out SafetensorsFile? file))
            {
                file = SafetensorsFile.Open(Path.Combine(folder, name));
                opened.Add(name, file);
                _files.Add(file);
            }
            if (!file.Contains(tensor))
                throw new BadInputException($"{Place}: tensor '{JsonInput.Short(tensor)}' is not in {name}, where the index says it is; fetch the checkpoint again");
            if (!file.Tensors.TryGetValue(tensor, out TensorInfo? info))
                continue;
            _tensors.Add(tensor, info);
            _owners.Add(tensor, file);
        }
    }

    private SafetensorsFile Owner(string name) => _owners.TryGetValue(name, out SafetensorsFile? file)
        ? file
        : throw new BadInputException($"{Place}: there is no tensor '{name}'");
}
