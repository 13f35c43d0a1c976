using Paddock.Engine;

namespace Paddock.Studies;

/// <summary>What the settings of a stage name, resolved: finished stages and what lies outside the study.</summary>
internal sealed class StageSources
{
    private readonly string _stage;
    private readonly Dictionary<string, StageSource> _sources = new(StringComparer.Ordinal);

    public StageSources(PlannedStage stage, RunsFolder runs)
    {
        _stage = stage.Stage.Name;
        foreach (PlannedInput input in stage.Inputs)
            _sources[input.Name ?? ""] = new StageSource(input.Name ?? "the study's model", input.FolderIn(runs), input.StageKey == null ? input.Path : null);
    }

    public StageSource Get(string? name) => _sources.TryGetValue(name ?? "", out StageSource? source)
        ? source
        : throw new InvalidOperationException($"stage '{_stage}' reads '{name}' without saying so in {nameof(IStage.Inputs)}");
}

/// <summary>A finished stage, or a model or file from outside the study.</summary>
/// <param name="Name">As the recipe has it.</param>
/// <param name="Folder">The finished stage's; null for a model or a file.</param>
/// <param name="Path">Where the model or file lies; null for a stage.</param>
public sealed record StageSource(string Name, StageFolder? Folder, string? Path)
{
    /// <summary>What <see cref="Backends.ModelSpec.Weights"/> takes.</summary>
    /// <exception cref="BadInputException">The stage made no model.</exception>
    public string Weights => Path ?? Folder!.Weights
        ?? throw new BadInputException($"'{Name}' is a stage that makes no model ({Folder.ReadDescription()?.Kind ?? "unknown"}), so no model can be taken from it");

    /// <summary>Rows of the stage, <c>outputs.jsonl</c>, or the file itself.</summary>
    /// <exception cref="BadInputException">The stage made no rows.</exception>
    public string Rows => Path ?? (File.Exists(Folder!.Outputs)
        ? Folder.Outputs
        : throw new BadInputException($"'{Name}' is a stage that makes no rows ({Folder.ReadDescription()?.Kind ?? "unknown"}), so no data can be taken from it"));
}
