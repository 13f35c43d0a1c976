using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>A projection that can carry an adapter, and the row range of the fused matrix that it fills.</summary>
/// <param name="Path">Module path in the checkpoint, without <c>.weight</c>.</param>
/// <param name="Targets">Names of adaptation targets that select it; a fused projection answers to several.</param>
/// <param name="StoredRows">As in <see cref="TensorMap.StoredRows"/>.</param>
internal sealed record ProjectionSite(string Path, Parameter Matrix, int FirstRow, int Rows, IReadOnlyList<string> Targets, int[]? StoredRows = null);

/// <summary>What is particular to a family: its features as keys of config.json, and tensor names; never code of a layer.</summary>
/// <param name="Name"><c>model_type</c>, as in <see cref="ModelConfig.Family"/>.</param>
/// <param name="Class">First part of the names of its classes in transformers, such as <c>Llama</c>.</param>
internal sealed record ModelFamily(string Name, string Class)
{
    /// <summary>Name of the scalar head in every family's sequence classifier.</summary>
    public const string ScoreName = "score.weight";

    private static readonly ModelFamily[] All =
    [
        Llama.Family, Gpt2.Family, Mistral.Family, Qwen2.Family, Qwen3.Family, Gemma2.Family, Gemma3.Family, Phi3.Family, Olmo2.Family, SmolLm3.Family, GptNeoX.Family, Opt.Family,
        Mixtral.Family, Qwen3Moe.Family,
    ];

    /// <summary>Names of the families, as <c>a, b and c</c>.</summary>
    public static string Known { get; } = string.Join(", ", Array.ConvertAll(All[..^1], f => f.Name)) + " and " + All[^1].Name;

    /// <summary>Reads the architecture from config.json; ids of special tokens are read for all families alike.</summary>
    public required Func<JsonKeys, ModelConfig> Read { get; init; }

    /// <summary>Writes its keys of config.json, sizes and features; the common ones are written for all families alike.</summary>
    public required Action<Utf8JsonWriter, ModelConfig> Write { get; init; }

    /// <summary>Whether a config has the family's features and no others.</summary>
    public required Func<ModelConfig, bool> Has { get; init; }

    /// <summary>Those features in words.</summary>
    public required string Features { get; init; }

    /// <summary>Every tensor of a checkpoint, in the order it is written.</summary>
    public Func<ParameterLayout, IReadOnlyList<TensorMap>> Tensors { get; init; } = LlamaShape.Tensors;

    /// <summary>Projections of one layer that can carry an adapter.</summary>
    public Func<ParameterLayout, int, IReadOnlyList<ProjectionSite>> Sites { get; init; } = LlamaShape.Sites;

    /// <summary>Tensors of published files that hold no parameter.</summary>
    public Func<string, bool> Ignores { get; init; } = LlamaShape.Ignores;

    /// <summary>Leading part of tensor names that some files leave out; empty when none do.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Last part of the class's name with a token head.</summary>
    public string TokenClass { get; init; } = "ForCausalLM";

    /// <summary>The family of a config, which must have its features; an unknown one is an error that lists the known.</summary>
    public static ModelFamily For(ModelConfig config)
    {
        ModelFamily family = Find(config.Family) ?? throw new BadInputException($"model family '{config.Family}' is not supported; supported are {Known}");
        return family.Has(config) ? family : throw new BadInputException($"a {config.Family} model has {family.Features}; the config says otherwise");
    }

    /// <summary>Null for a name that is not known.</summary>
    public static ModelFamily? Find(string? name) => Array.Find(All, family => family.Name == name);
}
