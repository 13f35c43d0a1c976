using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>A study as a recipe states it, every default filled in.</summary>
/// <param name="Study">Name of the study: its folder below the runs.</param>
/// <param name="Seed">Everything random in the study is a pure function of it.</param>
/// <param name="Stages">In the order they run.</param>
/// <param name="World">Name of a built-in world; null with <paramref name="Data"/>.</param>
/// <param name="Data">Files in place of a world.</param>
/// <param name="Model">The model that stages start from when they name none: a folder, a GGUF file, a hub id or a built-in name.</param>
/// <param name="Backend">Where models live: <c>embedded</c>, or a URI such as <c>tinker+https://host:port</c>.</param>
/// <param name="Variables">What <c>${name}</c> stands for; the values that the recipe was read with.</param>
public sealed record Recipe(string Study, ulong Seed, IReadOnlyList<IStage> Stages, string? World = null, DataFiles? Data = null,
    string? Model = null, string Backend = "embedded", IReadOnlyDictionary<string, string>? Variables = null)
{
    /// <summary>YAML with every default written out and variables replaced; reading it gives an equal recipe.</summary>
    public string ToYaml(StageTable table) => YamlWriter.Write(Recipes.Variables.Escape(SettingsTree.Of(this, table)));
}

/// <summary>Files with the data of a study, by what they are for; relative to the working folder.</summary>
/// <param name="Train">Prompts with answers to learn from.</param>
/// <param name="Preference">Prompts, or pairs with a preference.</param>
/// <param name="Unlabeled">Prompts to sample from.</param>
/// <param name="Validation">Prompts for choosing settings.</param>
/// <param name="Evaluation">Prompts, with reference answers, that systems are compared on.</param>
public sealed record DataFiles(string? Train = null, string? Preference = null, string? Unlabeled = null, string? Validation = null, string? Evaluation = null);
