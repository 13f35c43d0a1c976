using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Worlds;

/// <summary>Files in place of a world: prompts, demonstrations and people's preferences as they are, and nobody who knows the truth.</summary>
/// <param name="files">Split to file, in any format that <see cref="Data.DataFiles"/> reads.</param>
public sealed class FileWorld(IReadOnlyDictionary<string, string> files) : IWorld
{
    private readonly ConcurrentDictionary<string, object> _read = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, List<string>> _unusable = new(StringComparer.Ordinal);

    public string Name => "files";

    /// <summary>Changes with the content of any file, not with its path.</summary>
    public string Fingerprint { get; } = Hash(files);

    public IReadOnlyList<string> Splits { get; } = [.. files.Keys];

    public int MaxResponseTokens => 256;

    public IReadOnlyList<string> Annotators => [];

    /// <summary>By the format of the file.</summary>
    public SplitContent Holds(string split) => SplitContent.Prompts | DataFormat.Detect(files[split]) switch
    {
        DataFormat.Alpaca or DataFormat.AlpacaEvalOutputs or DataFormat.Messages or DataFormat.PromptCompletion => SplitContent.Demonstrations | SplitContent.References,
        DataFormat.Preference or DataFormat.HhPairs or DataFormat.AlpacaEvalAnnotations => SplitContent.Preferences,
        _ => 0,
    };

    /// <summary>The prompts of a split; a file of preferences or demonstrations has them too, each once.</summary>
    public IReadOnlyList<Prompt> Prompts(string split) => Cached("prompts", split, path => Data.DataFiles.ReadPrompts(path).DistinctBy(p => p.Key));

    public IReadOnlyList<Demonstration> Demonstrations(string split) => Cached("demonstrations", split, Data.DataFiles.ReadDemonstrations);

    public IReadOnlyList<Preference> Preferences(string split) => Cached("preferences", split, path => Data.DataFiles.ReadPreferences(path, _unusable.GetOrAdd(split, _ => []).Add));

    public IReadOnlyList<string> Unusable(string split) => Preferences(split) is not null && _unusable.TryGetValue(split, out List<string>? rows) ? rows : [];

    public IReadOnlyList<Response> References(string split) => [.. Demonstrations(split).DistinctBy(d => d.Prompt.Key).Select(d => d.Response)];

    public IReadOnlyDictionary<string, double> Measure(Prompt prompt, Response response) => FrozenDictionary<string, double>.Empty;

    public IAnnotator Annotator(string name, AnnotatorOptions options) =>
        throw new BadInputException($"there is no annotator '{name}': files have none; give 'judges' with the stage of a reward model");

    private List<T> Cached<T>(string what, string split, Func<string, IEnumerable<T>> read) => (List<T>)_read.GetOrAdd($"{what} {split}", _ =>
    {
        if (!files.TryGetValue(split, out string? path))
            throw new BadInputException($"the recipe's data has no file for split '{split}'; it has {string.Join(", ", files.Keys)}");
        List<T> rows = [.. read(path)];
        return rows.Count > 0 ? rows : throw new BadInputException($"{path}: there are no {what} in it{(_unusable.GetValueOrDefault(split) is [var first, ..] bad ? $": {bad.Count} cannot be learned from, the first at {first}" : "")}");
    });

    private static string Hash(IReadOnlyDictionary<string, string> files)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string split, string path) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (!File.Exists(path))
                throw new BadInputException($"data: the file of split '{split}' is not there: {path}");
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(split));
            using FileStream stream = File.OpenRead(path);
            hash.AppendData(SHA256.HashData(stream));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
