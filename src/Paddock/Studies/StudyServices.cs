using Paddock.Backends;
using Paddock.Data;
using Paddock.Judging;
using Paddock.Worlds;

namespace Paddock.Studies;

/// <summary>What the front door lends to studies.</summary>
/// <param name="Stages">The stages there are.</param>
/// <param name="Backends">URI scheme (<c>embedded</c>, <c>tinker+https</c>) to factory.</param>
/// <param name="FindModel">From a folder, file, hub id or built-in name to what <see cref="ModelSpec.Weights"/> takes; null when there is no such model.</param>
/// <param name="OpenCodec">Tokenizer and template of a model, by what <see cref="ModelSpec.Weights"/> takes.</param>
/// <param name="OpenWorld">The world of a recipe: a built-in one, or its data files; null when it names none.</param>
/// <param name="Time">The only clock.</param>
/// <param name="Machine">Written beside results.</param>
/// <param name="FindStage">From <c>study/stage</c> or a folder to a finished stage of another study; null when there is none. Without it, only stages of the study itself can be named.</param>
/// <param name="OpenJudge">From the settings of a judge's file, and what messages call it, to an annotator; without it, recipes have only the annotators of their world.</param>
public sealed record StudyServices(StageTable Stages, IReadOnlyDictionary<string, Func<BackendRequest, ITrainingBackend>> Backends,
    Func<string, string?> FindModel, Func<string, ITextCodec> OpenCodec, Func<Recipe, IWorld?> OpenWorld, TimeProvider Time, MachineInfo Machine,
    Func<string, StageFolder?>? FindStage = null, Func<JudgeSettings, string, JudgeAnnotator>? OpenJudge = null);

/// <summary>What a backend is made for: one stage.</summary>
/// <param name="Uri">The recipe's <c>backend</c>.</param>
/// <param name="Folder">Folder of the stage. A local backend's <c>SaveAsync(name)</c> writes <c>Folder/name</c>; names may hold '/'.</param>
/// <param name="Label">Key of the stage: keeps the names of different stages apart on a server.</param>
/// <param name="CountWork">Takes the tokens and floating-point operations that the stage spends.</param>
public sealed record BackendRequest(string Uri, string Folder, string Label, Action<long, double> CountWork);

/// <param name="Runs">Root of all results.</param>
/// <param name="SeedFolder">True: below <c>seed-N</c> in the study's folder, as one of several seeds.</param>
/// <param name="CheckpointSeconds">Time between checkpoints of a stage.</param>
/// <param name="StopSeconds">How long a stage may take to reach its next checkpoint when asked to stop.</param>
public sealed record StudyOptions(string Runs = "runs", bool SeedFolder = false, double CheckpointSeconds = 20, double StopSeconds = 30);
