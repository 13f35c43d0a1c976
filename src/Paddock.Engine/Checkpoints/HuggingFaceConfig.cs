using System.Text.Json;
using Paddock.Engine.Models;
using Paddock.Engine.Models.Families;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Reads <c>config.json</c> of a Hugging Face folder, in the key style of transformers 5 (<c>rope_parameters</c>) and in the older one
/// (<c>rope_theta</c>, <c>rope_scaling</c>). A setting that would change the arithmetic and is not implemented is an error, never ignored.
/// </summary>
public static class HuggingFaceConfig
{
    /// <param name="path">A model folder or its <c>config.json</c>. A <c>generation_config.json</c> beside it adds its end-of-sequence ids.</param>
    /// <exception cref="BadInputException">The file is missing or damaged, or the model is not supported.</exception>
    public static ModelConfig Read(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        string generation = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "generation_config.json");
        ModelConfig config = JsonInput.ReadFile(file, root => FromJson(new(root, file)));
        if (File.Exists(generation))
            config = JsonInput.ReadFile(generation, root => WithTokens(config, new(root, generation)));
        return ModelConfigCheck.Validated(config, file);
    }

    internal static ModelConfig FromJson(JsonKeys json)
    {
        if (json.Has("quantization_config"))
            throw new BadInputException($"{json.Place}: the weights are quantised (quantization_config); use the original checkpoint or a GGUF file");
        string? name = json.Text("model_type");
        ModelFamily family = ModelFamily.Find(name) ?? throw new BadInputException(name == null
            ? $"{json.Place}: key 'model_type' is missing; supported are {ModelFamily.Known}"
            : $"{json.Place}: model_type '{JsonInput.Short(name)}' is not supported; supported are {ModelFamily.Known}");
        return WithTokens(family.Read(json), json);
    }

    /// <summary>Adds the special ids of one file to what is known; a set of end ids, and -1 (old files) means none.</summary>
    private static ModelConfig WithTokens(ModelConfig config, JsonKeys json)
    {
        List<int> ends = [.. config.EndOfSequenceIds];
        foreach (int id in json.Ints("eos_token_id"))
            if (id != -1 && !ends.Contains(id))
                ends.Add(id);
        return config with
        {
            BeginOfSequenceId = config.BeginOfSequenceId ?? Id("bos_token_id"),
            PadId = config.PadId ?? Id("pad_token_id"),
            EndOfSequenceIds = ends,
        };

        int? Id(string key) => json.Int(key) is int id && id != -1 ? id : null;
    }
}
