using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine.Threading;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Studies;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

/// <summary>The real stages on the real engine, with a random base model of the Meadow's vocabulary, in a folder of its own.</summary>
internal sealed class TinyStudy : IDisposable
{
    // flushing to a real disk hundreds of times takes long
    private const string MemoryDisk = "/dev/shm";

    private static int _studies;

    private readonly WorkerPool _pool;
    private readonly ModelLibrary _models = new([]);

    public TinyStudy(int threads = 1)
    {
        Root = Path.Combine(Directory.Exists(MemoryDisk) ? MemoryDisk : Path.GetTempPath(), $"paddock-stages-{Environment.ProcessId}-{Interlocked.Increment(ref _studies)}");
        Directory.CreateDirectory(Root);
        NewModel.Write(Base, new NewModelSettings(HiddenSize: 16, Layers: 1, Heads: 2, FeedForward: 24, MaxPositions: 128), MeadowVocabulary.Words, MeadowVocabulary.ControlWords,
            MeadowVocabulary.EosWord, MeadowVocabulary.PadWord, MeadowVocabulary.ChatTemplate, seed: 5);
        _pool = new WorkerPool(threads);
    }

    public string Root { get; }

    public string Base => Path.Combine(Root, "base");

    public RecordingObserver Observer { get; set; } = new();

    public StudyServices Services => new(StageCatalog.Table,
        new Dictionary<string, Func<BackendRequest, ITrainingBackend>> { ["embedded"] = request => new EmbeddedBackend(request.Folder, _models, _pool, request.CountWork) },
        name => name == "base" ? Base : Directory.Exists(name) ? name : null, _models.OpenCodec, Open, TimeProvider.System, MachineInfo.Describe(_pool.Threads));

    public ModelLibrary Models => _models;

    public EmbeddedBackend Backend(string folder) => new(Path.Combine(Root, folder), _models, _pool);

    public static Recipe Read(string yaml) => new RecipeReader(StageCatalog.Table).Read(yaml, "test.yaml");

    public async Task<StudyManifest> RunAsync(string yaml, string runs = "runs", double checkpointSeconds = 1000, CancellationToken stop = default, CancellationToken abort = default)
    {
        StudyOptions options = new(Path.Combine(Root, runs), CheckpointSeconds: checkpointSeconds);
        return await new StudyRunner(Services, options, Observer).RunAsync(Read(yaml), stop, abort);
    }

    public StageFolder Stage(StudyManifest manifest, string name, string runs = "runs") => new RunsFolder(Path.Combine(Root, runs)).Stage(manifest.Stages.Single(s => s.Name == name).Key);

    public void Dispose()
    {
        _pool.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private static IWorld? Open(Recipe recipe) => recipe switch
    {
        { World: "meadow" } => new MeadowWorld(new MeadowOptions(Sft: 64, Preference: 32, Unlabeled: 16, Validation: 8, Evaluation: 40)),
        { Data: { } files } => new FileWorld(new[] { ("sft", files.Train), ("preference", files.Preference), ("unlabeled", files.Unlabeled), ("validation", files.Validation), ("evaluation", files.Evaluation) }
            .Where(f => f.Item2 != null).ToDictionary(f => f.Item1, f => f.Item2!)),
        _ => null,
    };
}
