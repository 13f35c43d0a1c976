using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine;
using Paddock.Engine.Threading;
using Paddock.Judging;
using Paddock.Judging.Clients;
using Paddock.Storage;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Worlds;

namespace Paddock.Cli;

/// <summary>Puts the parts together: the one place that knows every backend, world and folder of models.</summary>
internal sealed class FrontDoor : IDisposable
{
    private const int MaxThreads = 1024;

    private readonly WorkerPool _pool;
    private readonly Dictionary<string, ReplyStore> _stores = new(StringComparer.Ordinal);
    private readonly Lazy<HttpClient> _http = new(JudgeServices.NewHttp);

    /// <param name="threads">Compute threads; 0 takes all processors.</param>
    /// <param name="runs">Folder of all results: finished stages there may be named <c>study/stage</c>.</param>
    public FrontDoor(int threads, string runs = "runs")
    {
        if (threads is < 0 or > MaxThreads)
            throw new BadInputException($"--threads must be from 0 (all processors) to {MaxThreads}, not {threads}");
        Runs = new RunsFolder(runs);
        _pool = new WorkerPool(threads > 0 ? threads : Environment.ProcessorCount);
        Models = new ModelLibrary([Path.Combine(AppContext.BaseDirectory, "models")]);
        Services = new StudyServices(
            StageCatalog.Table,
            new Dictionary<string, Func<BackendRequest, ITrainingBackend>>
            {
                ["embedded"] = request => new EmbeddedBackend(request.Folder, Models, _pool, request.CountWork),
            },
            FindModel,
            Models.OpenCodec,
            recipe => OpenWorld(recipe, Meadow),
            TimeProvider.System,
            MachineInfo.Describe(_pool.Threads),
            name => FinishedStages.Find(Runs, name),
            (settings, place) => Judges().BuildAnnotator(settings, place));
    }

    public WorkerPool Pool => _pool;

    public ModelLibrary Models { get; }

    public RunsFolder Runs { get; }

    public StudyServices Services { get; }

    /// <summary>Sizes of the Meadow's splits for studies of this process.</summary>
    public MeadowOptions? Meadow { get; init; }

    /// <summary>Reads a recipe; names of worlds, backends and models are checked with it.</summary>
    public Recipe ReadRecipe(string path, IReadOnlyDictionary<string, string>? variables = null)
    {
        if (Directory.Exists(path))
            throw new BadInputException($"{path} is a folder; give a recipe file{(File.Exists(Path.Combine(path, "study.yaml")) ? $", such as {Path.Combine(path, "study.yaml")}" : "")}");
        if (!File.Exists(path) && ShippedRecipe(Path.GetFileNameWithoutExtension(path)) is var shipped && File.Exists(shipped))
        {
            string here = Path.Combine("recipes", Path.GetFileName(shipped));
            throw new BadInputException($"{path}: no such recipe; did you mean {(File.Exists(here) ? here : shipped)}?");
        }
        return Reader.ReadFile(path, variables);
    }

    /// <summary>As <see cref="ReadRecipe"/>, from text that a verb wrote; messages call it <paramref name="name"/>.</summary>
    public Recipe ReadRecipeText(string yaml, string name) => Reader.Read(yaml, name);

    /// <summary>What a user writes as a model: any that <see cref="ModelLibrary.Find"/> knows, or the finished stage of a study that made one.</summary>
    public string ModelOf(string name) => FinishedStages.Find(Runs, name) is { } stage
        ? new StageSource(name, stage, null).Weights
        : name;

    /// <summary>A recipe that ships with the program.</summary>
    public static string ShippedRecipe(string name) => Path.Combine(AppContext.BaseDirectory, "recipes", name + ".yaml");

    /// <summary>Builds judges; their replies are kept in one store for all studies of this folder of runs, unless another file is given.</summary>
    public JudgeBuilder Judges(string? store = null, CacheMode mode = CacheMode.Record, PriceTable? prices = null)
    {
        string path = store ?? Path.Combine(Runs.Root, ".judge", "replies.db");
        if (!_stores.TryGetValue(path, out ReplyStore? replies))
            _stores[path] = replies = ReplyStore.Open(path);
        return new(new JudgeServices(replies, mode, prices ?? PriceTable.Shipped, _http.Value, TimeProvider.System, OpenEmbedded));
    }

    public void Dispose()
    {
        foreach (ReplyStore store in _stores.Values)
            store.Dispose();
        if (_http.IsValueCreated)
            _http.Value.Dispose();
        _pool.Dispose();
    }

    private (Microsoft.Extensions.AI.IChatClient, string) OpenEmbedded(string model)
    {
        string place = Models.Find(ModelOf(model)).Place;
        EmbeddedBackend backend = new(Path.GetTempPath(), Models, _pool); // it saves nothing
        ISampler sampler = backend.OpenSamplerAsync(new CheckpointUri(place), CancellationToken.None).GetAwaiter().GetResult();
        return (new EmbeddedChatClient(sampler, Models.OpenCodec(place), model, TimeProvider.System), Fingerprint.OfPath(place));
    }

    private RecipeReader Reader => new(Services.Stages, new RecipeNames(["meadow"], [.. Services.Backends.Keys], model => FindModel(model) != null, name => FinishedStages.Find(Runs, name),
        recipe => OpenWorld(recipe, Meadow), ProductOf));

    /// <summary>Where the model lies, or null when there is none of this name.</summary>
    public string? FindModel(string model) => Models.TryFind(model)?.Place;

    // a model that cannot be read has its error when it is opened
    private StageProduct ProductOf(string model)
    {
        try
        {
            return FindModel(model) == null ? StageProduct.Unknown : Models.HasScalarHead(model) ? StageProduct.RewardModel : StageProduct.Policy;
        }
        catch (BadInputException)
        {
            return StageProduct.Unknown;
        }
    }

    private static IWorld? OpenWorld(Recipe recipe, MeadowOptions? meadow) => recipe switch
    {
        { World: "meadow" } => new MeadowWorld(meadow),
        { World: { } other } => throw new BadInputException($"there is no world '{other}'; worlds: meadow (or give 'data' with files)"),
        { Data: { } files } => new FileWorld(Splits(files)),
        _ => null,
    };

    private static Dictionary<string, string> Splits(DataFiles files)
    {
        Dictionary<string, string> splits = [];
        foreach ((string split, string? path) in new[] { ("sft", files.Train), ("preference", files.Preference), ("unlabeled", files.Unlabeled), ("validation", files.Validation), ("evaluation", files.Evaluation) })
            if (path != null)
                splits.Add(split, path);
        return splits;
    }
}
