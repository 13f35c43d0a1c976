using Paddock.Backends;
using Paddock.Data;
using Paddock.Studies;
using Paddock.Worlds;

namespace Paddock.Tests.Studies;

/// <summary>A clock that moves when told to, and lets a test look in whenever it is read.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long _ticks;

    public Action OnRead { get; set; } = () => { };

    /// <summary>What <see cref="ProbeStage"/> does: the clock is what a test and its stages share.</summary>
    public Func<StageRun, CancellationToken, Task> Probe { get; set; } = (_, _) => Task.CompletedTask;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(double seconds) => Interlocked.Add(ref _ticks, TimeSpan.FromSeconds(seconds).Ticks);

    public override long GetTimestamp()
    {
        OnRead();
        return Interlocked.Read(ref _ticks);
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(Interlocked.Read(ref _ticks));
}

internal sealed class FakeWorld(string fingerprint) : IWorld
{
    public string Name => "tiny";

    public string Fingerprint => fingerprint;

    public IReadOnlyList<string> Splits => ["train"];

    public IReadOnlyList<string> Annotators => [];

    public SplitContent Holds(string split) => SplitContent.Prompts;

    public IReadOnlyList<Prompt> Prompts(string split) => [Prompt.FromInstruction("a", "one"), Prompt.FromInstruction("b", "two"), Prompt.FromInstruction("c", "three")];

    public IReadOnlyList<Demonstration> Demonstrations(string split) => [];

    public IReadOnlyList<Response> References(string split) => [];

    public IReadOnlyList<Preference> Preferences(string split) => [];

    public int MaxResponseTokens => 16;

    public IReadOnlyDictionary<string, double> Measure(Prompt prompt, Response response) => new Dictionary<string, double>();

    public IAnnotator Annotator(string name, AnnotatorOptions options) => throw new NotSupportedException();
}

internal sealed class RecordingObserver : IStudyObserver
{
    public List<object> Events { get; } = [];

    public Action<object> OnEvent { get; set; } = _ => { };

    public IEnumerable<string> Warnings => Events.OfType<StageWarning>().Select(w => w.Message);

    public IEnumerable<StageFinished> Finished => Events.OfType<StageFinished>();

    public void StageStarted(StageStarted started) => Add(started);

    public void Progress(StageProgress progress) => Add(progress);

    public void Metrics(StageMetrics metrics) => Add(metrics);

    public void Warned(StageWarning warning) => Add(warning);

    public void StageFinished(StageFinished finished) => Add(finished);

    private void Add(object happened)
    {
        lock (Events)
            Events.Add(happened);
        OnEvent(happened);
    }
}

/// <summary>Everything a study needs, on fakes, in a folder of its own.</summary>
internal sealed class StudyBench : IDisposable
{
    public const string Recipe = """
        study: small
        seed: 7
        world: tiny
        model: base
        stages:
          - rows:  {name: pairs, rows: 10}
          - train: {name: rm, data: pairs, steps: 12}
          - train: {name: dpo, data: pairs, init: rm, beta: 0.2}
          - table:
              name: evaluation
              systems: {rm: rm, both: {policy: dpo, rerank: rm, n: 16}}
              annotators: [pool, gold]
        """;

    public static StageTable Table { get; } = new(new Dictionary<string, Type>
    {
        ["rows"] = typeof(RowsStage),
        ["train"] = typeof(TrainStage),
        ["table"] = typeof(TableStage),
        ["probe"] = typeof(ProbeStage),
    });

    // flushing to a real disk thousands of times takes minutes
    private const string MemoryDisk = "/dev/shm";

    private static int _benches;

    public StudyBench()
    {
        Root = Path.Combine(Directory.Exists(MemoryDisk) ? MemoryDisk : Path.GetTempPath(), $"paddock-studies-{Environment.ProcessId}-{Interlocked.Increment(ref _benches)}");
        Directory.CreateDirectory(ModelFolder);
        File.WriteAllBytes(Path.Combine(ModelFolder, FakeModel.File), BitConverter.GetBytes(0.25));
    }

    public string Root { get; }

    public string Runs => Path.Combine(Root, "runs");

    public string ModelFolder => Path.Combine(Root, "base");

    public string WorldFingerprint { get; set; } = "world-1";

    public string Tier { get; set; } = "512-bit";

    public FakeTime Time { get; } = new();

    public RecordingObserver Observer { get; set; } = new();

    public Action<string> Hook { get; set; } = _ => { };

    public StudyOptions Options { get; set; } = new() { CheckpointSeconds = 3 };

    public StudyServices Services => new(Table,
        new Dictionary<string, Func<BackendRequest, ITrainingBackend>> { ["embedded"] = request => new FakeBackend(request, Hook) },
        name => name == "base" ? ModelFolder : null,
        _ => throw new NotSupportedException(),
        recipe => recipe.World == null ? null : new FakeWorld(WorldFingerprint),
        Time,
        new MachineInfo("test", "x64", "none", 1, 1, "none", Tier, 1));

    public Task<StudyManifest> RunAsync(string yaml = Recipe, string? runs = null, CancellationToken stop = default, CancellationToken abort = default) =>
        new StudyRunner(Services, Options with { Runs = runs ?? Runs }, Observer).RunAsync(Read(yaml), stop, abort);

    public static Recipe Read(string yaml, IReadOnlyDictionary<string, string>? set = null) => new RecipeReader(Table).Read(yaml, "test.yaml", set);

    /// <summary>The result folder of a stage of a finished study.</summary>
    public StageFolder Stage(StudyManifest manifest, string name, string? runs = null) => new RunsFolder(runs ?? Runs).Stage(manifest.Stages.Single(s => s.Name == name).Key);

    public static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (string folder in Directory.EnumerateDirectories(from))
            if (Path.GetFileName(folder) != ".locks")
                CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
