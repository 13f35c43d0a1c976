namespace Paddock.Studies;

/// <summary>
/// One stage of a study: a positional record of settings and a function from inputs to a folder. A parameter without a default is a
/// required key of the recipe; parameter <c>LearningRate</c> is key <c>learning-rate</c>. One file each in <c>Studies/Stages</c>.
/// </summary>
public interface IStage
{
    /// <summary>Unique within the study; other stages name it as their input.</summary>
    string Name { get; }

    /// <summary>Raised when the stage would write something else for the same settings; part of its key.</summary>
    int Version { get; }

    /// <summary>What it reads besides the world: one entry for every setting that names a stage, a model or a file.</summary>
    IEnumerable<StageInput> Inputs { get; }

    /// <summary>What of the study's header it depends on; its key then does too.</summary>
    StageUses Uses => StageUses.World | StageUses.Backend;

    /// <summary>Settings that do not fit together, or not to the world and the stages before. Ranges of numbers are said by their <c>[Range]</c>.</summary>
    IEnumerable<StageProblem> Problems(StageChecks checks) => [];

    /// <summary>
    /// Writes the stage's outputs into <see cref="StageRun.Folder"/>. It may be called again after a kill or a failure, and then
    /// continues from what is there with the bytes of an uninterrupted run.
    /// </summary>
    Task RunAsync(StageRun run, CancellationToken cancellation);
}

/// <summary>Parts of a study's header that a stage reads.</summary>
[Flags]
public enum StageUses
{
    None = 0,

    /// <summary><see cref="StageRun.World"/>: prompts, demonstrations, references or annotators.</summary>
    World = 1,

    /// <summary><see cref="StageRun.Backend"/>: it trains, samples or scores with a model.</summary>
    Backend = 2,
}

/// <summary>What an input may be.</summary>
public enum InputKind
{
    /// <summary>An earlier stage of the study, a finished stage of another one (<see cref="FinishedStages"/>), or a data file in its place.</summary>
    Stage,

    /// <summary>An earlier stage, a finished stage of another study, or a model from outside; a null name is the model in the study's header.</summary>
    Model,

    /// <summary>A file or folder, relative to the working folder; it takes part in the key by its content.</summary>
    File,
}

/// <param name="Key">Path of the setting below the stage, such as <c>init</c> or <c>systems.best-of-16.rerank</c>.</param>
/// <param name="Name">Its value.</param>
/// <param name="Wants">What the stage or model it names must be; several are alternatives.</param>
public sealed record StageInput(string Key, string? Name, InputKind Kind = InputKind.Stage, StageProduct Wants = StageProduct.Unknown);

/// <param name="Key">Path of the setting below the stage, such as <c>beta</c>.</param>
/// <param name="Message">What is wrong and what would be right: <c>must be above 0</c>.</param>
public sealed record StageProblem(string Key, string Message);
