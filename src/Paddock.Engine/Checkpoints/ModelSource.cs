using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>A model that was found, its config read, its weights not opened yet.</summary>
/// <param name="Place">Folder or file, for messages and manifests.</param>
/// <param name="OpenWeights">Opens the weights; whoever calls it disposes them.</param>
/// <param name="TokenizerFolder">Folder with the tokenizer's files, or null when the model is a lone GGUF file.</param>
/// <param name="GgufTokenizer">The vocabulary of a GGUF file, or null.</param>
public sealed record ModelFiles(string Place, ModelConfig Config, Func<IWeightSource> OpenWeights, string? TokenizerFolder, GgufTokenizer? GgufTokenizer);

/// <summary>
/// Finds what a user writes as a model: a Hugging Face folder, a GGUF file, a name below one of the search folders, or a hub id
/// <c>owner/name</c> (also <c>owner/name@revision</c>) in the local cache of the hub. Nothing is fetched from a network.
/// </summary>
public static class ModelSource
{
    /// <param name="model">What the user wrote.</param>
    /// <param name="searchFolders">Where named models lie: those shipped with the program, those of runs.</param>
    /// <param name="environment">Reads an environment variable; null for the process's own.</param>
    /// <exception cref="BadInputException">Nothing was found (the message lists what was tried), or what was found is damaged or not supported.</exception>
    public static ModelFiles Find(string model, IReadOnlyList<string> searchFolders, Func<string, string?>? environment = null)
    {
        List<string> tried = [];
        if (Locate(model, searchFolders, environment, tried) is ModelFiles found)
            return found;
        string fix = !HubCache.TryParse(model, out HubId id) ? "give a Hugging Face folder, a GGUF file, the name of a model or a hub id owner/name"
            : $"to fetch it: hf download {id.Owner}/{id.Name}{(id.Revision == HubCache.DefaultRevision ? "" : $" --revision {id.Revision}")}";
        throw new BadInputException($"model '{model}' was not found; tried {string.Join(", ", tried)}; {fix}");
    }

    /// <summary>As <see cref="Find"/>, but null when nothing was found. What is there and is no model, damaged or not supported is an error all the same.</summary>
    /// <inheritdoc cref="Find"/>
    public static ModelFiles? TryFind(string model, IReadOnlyList<string> searchFolders, Func<string, string?>? environment = null) =>
        Locate(model, searchFolders, environment, []);

    private static ModelFiles? Locate(string model, IReadOnlyList<string> searchFolders, Func<string, string?>? environment, List<string> tried)
    {
        if (string.IsNullOrWhiteSpace(model) || model.Contains('\0', StringComparison.Ordinal))
            throw new BadInputException("the model is empty; give a Hugging Face folder, a GGUF file, the name of a model or a hub id owner/name");
        if (Open(model, tried) is ModelFiles direct)
            return direct;
        if (!Path.IsPathRooted(model))
            foreach (string folder in searchFolders)
                if ((Open(Path.Combine(folder, model), tried) ?? Open(Path.Combine(folder, model + ".gguf"), tried)) is ModelFiles named)
                    return named;
        if (!HubCache.TryParse(model, out HubId id))
            return null;
        string cache = HubCache.Folder(environment ?? Environment.GetEnvironmentVariable);
        return HubCache.Snapshot(cache, id, tried) is string snapshot ? Open(snapshot, tried) : null;
    }

    /// <summary>Null when there is nothing at the path; what is there and is not a model is an error.</summary>
    private static ModelFiles? Open(string path, List<string> tried)
    {
        if (Directory.Exists(path))
            return OpenFolder(path);
        if (!File.Exists(path))
        {
            tried.Add(path);
            return null;
        }
        if (Path.GetExtension(path).Equals(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw new BadInputException($"{path} holds weights alone; give its folder, which also has config.json and the tokenizer");
        return OpenGguf(path, null);
    }

    private static ModelFiles OpenFolder(string folder)
    {
        string? tokenizer = File.Exists(Path.Combine(folder, "tokenizer.json")) || File.Exists(Path.Combine(folder, "vocab.json")) ? folder : null;
        bool isHuggingFace = File.Exists(Path.Combine(folder, "config.json"));
        if (!isHuggingFace || !HuggingFaceFolder.HasWeights(folder))
        {
            // a folder around one GGUF file, with tokenizer files beside it or not
            string[] files = Directory.GetFiles(folder, "*.gguf");
            if (files.Length == 1)
                return OpenGguf(files[0], tokenizer);
            if (File.Exists(Path.Combine(folder, "adapter_config.json")))
                throw new BadInputException($"{folder} holds an adapter, not a model; merge it into its base model first");
            if (!isHuggingFace)
                throw new BadInputException(files.Length > 1
                    ? $"{folder} holds {files.Length} GGUF files; give the path of one of them"
                    : $"{folder} is not a model: it has no config.json and no GGUF file");
        }
        return new(folder, HuggingFaceConfig.Read(folder), () => HuggingFaceFolder.OpenWeights(folder), tokenizer ?? folder, null);
    }

    private static ModelFiles OpenGguf(string path, string? tokenizerFolder)
    {
        using GgufFile file = GgufFile.Open(path);
        return new(path, GgufConfig.Read(file), () => GgufWeights.Open(path), tokenizerFolder, GgufTokenizer.From(file));
    }
}
