using Paddock.Engine;
using Paddock.Storage;
using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>
/// Runs the stages of a study in order. A finished stage is reused, a half-finished one continues from its last checkpoint, and what was
/// done stays done whatever happens after. Several processes may run at once over the same folder.
/// </summary>
public sealed class StudyRunner(StudyServices services, StudyOptions options, IStudyObserver observer)
{
    private readonly RunsFolder _runs = new(options.Runs);

    /// <summary>Runs the study and returns its manifest.</summary>
    /// <param name="recipe">What to run.</param>
    /// <param name="stop">Asks to stop: the stage that runs keeps a checkpoint first, within <see cref="StudyOptions.StopSeconds"/>.</param>
    /// <param name="abort">Ends the stage that runs at once; it continues from its last checkpoint another time.</param>
    /// <exception cref="OperationCanceledException">Stopped; everything finished is kept.</exception>
    /// <exception cref="BadInputException">Something given is wrong, or the disk is full or closed to us.</exception>
    public async Task<StudyManifest> RunAsync(Recipe recipe, CancellationToken stop, CancellationToken abort = default)
    {
        try
        {
            StudyPlan plan = StudyPlan.For(recipe, services);
            StudyFolder folder = FolderOf(recipe);
            WholeFile.WriteText(folder.Recipe, recipe.ToYaml(services.Stages));
            // all keys are known before anything runs, so `paddock clean` never takes a half-finished stage of this study
            StudyManifest manifest = Manifest(plan);
            Artefacts.Write(folder.Manifest, manifest, StudiesJson.Default.StudyManifest);
            for (int i = 0; i < plan.Stages.Count; i++)
            {
                stop.ThrowIfCancellationRequested();
                StageDone done = await FinishAsync(plan, i, stop, abort);
                manifest = manifest with { Stages = [.. manifest.Stages.Select((s, at) => at == i ? s with { Outputs = done.Outputs, Summary = done.Summary } : s)] };
                Artefacts.Write(folder.Manifest, manifest, StudiesJson.Default.StudyManifest);
            }
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileError($"study '{recipe.Study}'", _runs.Root, e);
        }
    }

    /// <summary>Where the study's own files are.</summary>
    public StudyFolder FolderOf(Recipe recipe) => Names.FolderNameProblem(recipe.Study) is { } problem
        ? throw new BadInputException($"'{recipe.Study}' cannot be the name of a study: {problem}")
        : _runs.Study(recipe.Study, options.SeedFolder ? recipe.Seed : null);

    private StudyManifest Manifest(StudyPlan plan) => new(StudyManifest.CurrentFormat, plan.Recipe.Study, plan.Recipe.Seed,
        typeof(StudyRunner).Assembly.GetName().Version?.ToString(3) ?? "0", NumericsVersion.Current, plan.World?.Name, plan.World?.Fingerprint, services.Machine,
        [.. plan.Stages.Select(s => new ManifestStage(s.Stage.Name, s.Kind, s.Key.Value))]);

    private async Task<StageDone> FinishAsync(StudyPlan plan, int index, CancellationToken stop, CancellationToken abort)
    {
        PlannedStage stage = plan.Stages[index];
        StageFolder folder = _runs.Stage(stage.Key.Value);
        StageReports reports = new(stage, index + 1, plan.Stages.Count, observer, services.Time);
        StageDone? done = folder.ReadDone();
        if (done == null)
        {
            using StageLock held = await StageLock.AcquireAsync(_runs.LockOf(folder.Key), services.Time,
                owner => reports.Warned($"another process{(owner == null ? "" : $" ({owner})")} is running this stage; waiting for its result"), stop);
            done = folder.ReadDone();
            if (done == null)
                return await RunAsync(stage, plan, folder, reports, stop, abort);
        }
        Check(stage, folder, done);
        DeleteHistory(folder); // of a process killed right after DONE
        reports.Finished(reused: true, done.Summary);
        return done;
    }

    private static void Check(PlannedStage stage, StageFolder folder, StageDone done)
    {
        try
        {
            folder.CheckOutputs(done);
        }
        catch (BadInputException e)
        {
            throw new BadInputException($"stage '{stage.Stage.Name}': {e.Message}", e);
        }
    }

    private async Task<StageDone> RunAsync(PlannedStage stage, StudyPlan plan, StageFolder folder, StageReports reports, CancellationToken stop, CancellationToken abort)
    {
        using CancellationTokenSource hard = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using ITimer grace = services.Time.CreateTimer(_ => Cancel(hard), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration asked = stop.Register(() => grace.Change(TimeSpan.FromSeconds(options.StopSeconds), Timeout.InfiniteTimeSpan));
        try
        {
            Directory.CreateDirectory(folder.Path);
            WholeFile.DeleteLeftovers(folder.Path);
            Artefacts.Write(folder.Description, Describe(stage), StudiesJson.Default.StageDescription);
            await using StageRun run = new(stage, plan, _runs, services, options, reports, stop);
            reports.Started(run.ResumedFromStep);
            await stage.Stage.RunAsync(run, hard.Token);
            run.CloseFiles();
            Artefacts.Write(folder.Timing, run.Timing, StudiesJson.Default.StageTiming);
            StageDone done = new(folder.OutputsFingerprint(), run.Summary, run.Tiers, folder.OutputSizes());
            Artefacts.Write(folder.Done, done, StudiesJson.Default.StageDone);
            reports.Finished(reused: false, done.Summary);
            DeleteHistory(folder);
            return done;
        }
        catch (BadInputException e)
        {
            throw new BadInputException($"stage '{stage.Stage.Name}': {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileError($"stage '{stage.Stage.Name}'", folder.Path, e);
        }
    }

    private StageDescription Describe(PlannedStage stage) =>
        new(stage.Kind, stage.Stage.Name, YamlWriter.Write(SettingsTree.Of(stage.Stage, services.Stages)), stage.Key.Text);

    // The stage is done already: what cannot be deleted now is only space.
    private static void DeleteHistory(StageFolder folder)
    {
        try
        {
            File.Delete(folder.Account);
            if (Directory.Exists(folder.Checkpoints))
                Directory.Delete(folder.Checkpoints, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static BadInputException FileError(string who, string folder, Exception e)
    {
        const int NoSpaceUnix = 28, NoSpaceWindows = unchecked((int)0x80070070);
        string place = e.Message.Contains('\'', StringComparison.Ordinal) || e.Message.Contains('/', StringComparison.Ordinal) ? "" : $" (in {folder})";
        string cure = e.HResult is NoSpaceUnix or NoSpaceWindows ? "free some space, or give another folder for the runs; what is finished is kept"
            : e is UnauthorizedAccessException ? "make it writable, or give another folder for the runs"
            : "what is finished is kept; run again when the cause is gone";
        return new BadInputException($"{who}: {e.Message.TrimEnd('.')}{place}; {cure}", e);
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
