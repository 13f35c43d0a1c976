namespace Paddock.Engine.Models.Families;

/// <summary>A projection that can carry an adapter, and the row range of the fused matrix that it fills.</summary>
/// <param name="Path">Module path in the checkpoint, without <c>.weight</c>.</param>
/// <param name="Targets">Names of adaptation targets that select it; a fused projection answers to several.</param>
internal sealed record ProjectionSite(string Path, Parameter Matrix, int FirstRow, int Rows, IReadOnlyList<string> Targets);

/// <summary>What is particular to a family: tensor names, never code of a layer.</summary>
/// <param name="Name">As in <see cref="ModelConfig.Family"/>.</param>
/// <param name="Prefix">Leading part of tensor names that some files leave out; empty when none do.</param>
/// <param name="Tensors">Every tensor of a checkpoint, in the order it is written.</param>
/// <param name="Sites">Projections of one layer that can carry an adapter.</param>
/// <param name="Ignores">Tensors of published files that hold no parameter.</param>
internal sealed record ModelFamily(string Name, string Prefix, Func<ParameterLayout, IReadOnlyList<TensorMap>> Tensors,
    Func<ParameterLayout, int, IReadOnlyList<ProjectionSite>> Sites, Func<string, bool> Ignores)
{
    /// <summary>Name of the scalar head in every family's sequence classifier.</summary>
    public const string ScoreName = "score.weight";

    /// <summary>The family of a config; an unknown one is an error that lists the known.</summary>
    public static ModelFamily For(ModelConfig config)
    {
        ModelFamily[] all = [Llama.Family, Gpt2.Family];
        foreach (ModelFamily family in all)
            if (family.Name == config.Family)
                return family;
        throw new BadInputException($"model family '{config.Family}' is not supported; supported are {string.Join(", ", Array.ConvertAll(all, f => f.Name))}");
    }

    /// <summary>Throws when a config asks for features that the family does not have.</summary>
    public static void Require(ModelConfig config, bool met, string features)
    {
        if (!met)
            throw new BadInputException($"a {config.Family} model has {features}; the config says otherwise");
    }
}
