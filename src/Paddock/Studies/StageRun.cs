using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Paddock.Backends;
using Paddock.Engine;
using Paddock.Storage;
using Paddock.Worlds;

namespace Paddock.Studies;

/// <summary>
/// One attempt at a stage: its folder, its inputs, its models, and the checkpoints that let a later attempt continue with the bits of an
/// uninterrupted one. A stage opens all models it trains before its first checkpoint.
/// </summary>
public sealed class StageRun : StageContext, IAsyncDisposable
{
    private static readonly JsonSerializerOptions StateJson = new(JsonSerializerDefaults.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly PlannedStage _stage;
    private readonly StageSources _sources;
    private readonly StudyOptions _options;
    private readonly StageReports _reports;
    private readonly Checkpoint? _resumed;
    private readonly GrowingFiles _files;
    private readonly Dictionary<string, ITrainableModel> _trainable = new(StringComparer.Ordinal);
    private readonly List<ITrainableModel> _models = [];
    private readonly IReadOnlyList<string> _tiers;
    private readonly double _secondsBefore;
    private readonly Dictionary<string, long> _rows;
    private readonly long _started;
    private ITrainingBackend? _backend;
    private long _lastCheckpoint;
    private int _ordinal;
    private long _tokens;
    private double _flops;

    internal StageRun(PlannedStage stage, StudyPlan plan, RunsFolder runs, StudyServices services, StudyOptions options, StageReports reports, CancellationToken stopping)
    {
        (_stage, _options, _reports, Plan, Services, Stopping) = (stage, options, reports, plan, services, stopping);
        Folder = runs.Stage(stage.Key.Value);
        _sources = new StageSources(stage, runs);
        _resumed = Checkpoint.Load(Folder, out string? problem);
        Checkpoint.DeleteOthers(Folder, _resumed?.Ordinal);
        _files = new GrowingFiles(Folder, _resumed?.Rows);
        StageAccount account = StageAccount.Load(Folder, _resumed, out string? lost);
        (_ordinal, _rows) = (_resumed?.Ordinal ?? 0, new(account.Rows, StringComparer.Ordinal));
        (_secondsBefore, _tokens, _flops) = (account.Seconds, account.Tokens, account.Flops);
        _started = _lastCheckpoint = Time.GetTimestamp();
        string tier = services.Machine.Tier;
        IReadOnlyList<string> before = account.Tiers;
        _tiers = before.Count > 0 && before[^1] == tier ? before : [.. before, tier];
        foreach (string? what in new[] { problem, lost })
            if (what != null)
                Warn($"starts over: {what}");
        if (before.Count > 0 && before[^1] != tier)
            Warn($"continues on {tier} instructions what was begun on {before[^1]}: results may differ in the last digits from those of one machine");
    }

    public string Name => _stage.Stage.Name;

    /// <summary>Where the stage writes.</summary>
    public StageFolder Folder { get; }

    public StudyPlan Plan { get; }

    public StudyServices Services { get; }

    public TimeProvider Time => Services.Time;

    /// <summary>
    /// Signals that the study was asked to stop: a stage that keeps no checkpoints ends with an <see cref="OperationCanceledException"/> at the next
    /// point it can continue from. The token that a stage is run with is cancelled only when that takes too long.
    /// </summary>
    public CancellationToken Stopping { get; }

    /// <summary>Steps that earlier attempts have done; null on a fresh start.</summary>
    public int? ResumedFromStep => _resumed?.Step;

    /// <summary>The stage's own line about its result, for people; set before it returns.</summary>
    public string? Summary { get; set; }

    public override ulong Seed => _stage.Seed;

    public IWorld World => Plan.World ?? throw new InvalidOperationException($"stage '{Name}' reads a world without saying so in {nameof(IStage.Uses)}");

    public override ITrainingBackend Backend => _backend ??= OpenBackend();

    /// <summary>Floating-point operations counted so far.</summary>
    public double Flops => _flops;

    internal IReadOnlyList<string> Tiers => _tiers;

    internal StageTiming Timing => new(_secondsBefore + Time.GetElapsedTime(_started).TotalSeconds, _tokens, _flops, Services.Machine);

    /// <summary>What a setting of this stage names; null is the study's model.</summary>
    public StageSource Input(string? name) => _sources.Get(name);

    public override async Task<ITrainableModel> OpenTrainableAsync(string name, ModelSpec spec, CancellationToken cancellation)
    {
        if (_trainable.ContainsKey(name))
            throw new InvalidOperationException($"stage '{Name}' already trains a model named '{name}'");
        ITrainableModel model = _resumed != null && _resumed.Models.TryGetValue(name, out string? address)
            ? await Backend.RestoreAsync(new CheckpointUri(Folder.Absolute(address)), withOptimizer: true, cancellation)
            : await Backend.CreateAsync(spec, cancellation);
        _models.Add(model);
        _trainable.Add(name, model);
        return model;
    }

    public override async Task<ITrainableModel> OpenFrozenAsync(string name, ModelSpec spec, CancellationToken cancellation)
    {
        ITrainableModel model = await Backend.CreateAsync(spec, cancellation);
        _models.Add(model);
        return model;
    }

    /// <summary>Saves a trained model as the stage's own, for later stages to start from.</summary>
    public async Task SaveModelAsync(ITrainableModel model, CancellationToken cancellation)
    {
        if (Directory.Exists(Folder.Model))
            Directory.Delete(Folder.Model, recursive: true); // of an attempt that ended between here and DONE
        if (model is IExportableModel exportable)
        {
            await exportable.ExportAsync(Folder.Model, cancellation);
            return;
        }
        CheckpointUri saved = await model.SaveAsync("model", cancellation);
        Folder.WriteWeights(saved.Value);
    }

    public override Task<TState?> ResumeAsync<TState>(CancellationToken cancellation) where TState : class
    {
        try
        {
            return Task.FromResult(_resumed?.State.Deserialize<TState>(StateJson));
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{Folder.CurrentCheckpoint}: made by another version of this stage ({e.Message}); delete {Folder.Path} to start it over", e);
        }
    }

    public override async Task CheckpointAsync<TState>(int step, TState state, CancellationToken cancellation) where TState : class
    {
        bool stopping = Stopping.IsCancellationRequested || cancellation.IsCancellationRequested;
        if (!stopping && Time.GetElapsedTime(_lastCheckpoint).TotalSeconds < _options.CheckpointSeconds)
            return;
        await SaveCheckpointAsync(step, state, cancellation.IsCancellationRequested ? CancellationToken.None : cancellation);
        if (stopping)
            throw new OperationCanceledException($"stage '{Name}' stopped after step {step}; run it again to continue", Stopping);
    }

    public override void Log(int step, IReadOnlyDictionary<string, double> metrics)
    {
        ArrayBufferWriter<byte> row = new();
        using (Utf8JsonWriter json = new(row, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("step"u8, step);
            foreach ((string name, double value) in metrics)
                if (double.IsNaN(value))
                    json.WriteNull(name);
                else if (double.IsInfinity(value))
                    json.WriteString(name, value > 0 ? "Infinity" : "-Infinity"); // what System.Text.Json and Python read back
                else
                    json.WriteNumber(name, value);
            json.WriteEndObject();
        }
        Append("metrics.jsonl", row.WrittenSpan);
        _reports.Metrics(step, metrics);
    }

    /// <summary>Appends a row, one line of JSON, to a file of the stage that is cut back on resume to what its checkpoint saw.</summary>
    public void Append(string file, ReadOnlySpan<byte> row) => _files.Append(file, row);

    /// <summary>Opens a file that the stage writes in chunks of rows; no checkpoint is needed for it.</summary>
    public ResumableRows OpenRows(string file, int chunk, long total) =>
        ResumableRows.Open(Folder.File(file), chunk, total, _rows.GetValueOrDefault(file), rows => KeepAccount(file, rows));

    public override void Progress(long done, long total, string unit) => _reports.Progress(done, total, unit);

    public override void Warn(string message)
    {
        byte[] row = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["message"] = message }, StateJson);
        // what an earlier attempt said stands there already
        if (!JsonLines.Read(Folder.Warnings).Any(line => line.Span.SequenceEqual(row)))
            Append("warnings.jsonl", row);
        _reports.Warned(message);
    }

    /// <summary>Adds to the stage's account of work done.</summary>
    public void CountWork(long tokens, double flops)
    {
        _tokens += tokens;
        _flops += flops;
    }

    internal void CloseFiles() => _files.Dispose();

    public async ValueTask DisposeAsync()
    {
        _files.Dispose();
        for (int i = _models.Count - 1; i >= 0; i--)
            await _models[i].DisposeAsync();
        if (_backend != null)
            await _backend.DisposeAsync();
    }

    private void KeepAccount(string file, long rows)
    {
        _rows[file] = rows;
        StageTiming timing = Timing;
        Artefacts.Write(Folder.Account, new StageAccount(_rows, _tiers, timing.Seconds, timing.Tokens, timing.Flops), StudiesJson.Default.StageAccount);
    }

    private async Task SaveCheckpointAsync<TState>(int step, TState state, CancellationToken cancellation)
    {
        int ordinal = _ordinal + 1;
        Dictionary<string, string> models = new(StringComparer.Ordinal);
        foreach ((string name, ITrainableModel model) in _trainable)
            models.Add(name, Folder.Relative((await model.SaveAsync(Checkpoint.ModelName(ordinal, name), cancellation)).Value));
        StageTiming timing = Timing;
        Artefacts.Write(Folder.CurrentCheckpoint, new Checkpoint(ordinal, step, _tiers, models, _files.FlushAndCount(),
            JsonSerializer.SerializeToElement(state, StateJson), timing.Seconds, timing.Tokens, timing.Flops), StudiesJson.Default.Checkpoint);
        _ordinal = ordinal;
        Checkpoint.DeleteOthers(Folder, ordinal);
        _lastCheckpoint = Time.GetTimestamp();
    }

    private ITrainingBackend OpenBackend()
    {
        if (!_stage.Stage.Uses.HasFlag(StageUses.Backend))
            throw new InvalidOperationException($"stage '{Name}' uses a backend without saying so in {nameof(IStage.Uses)}");
        string uri = Plan.Recipe.Backend, scheme = BackendScheme.Of(uri);
        return Services.Backends.TryGetValue(scheme, out Func<BackendRequest, ITrainingBackend>? open)
            ? open(new BackendRequest(uri, Folder.Path, Folder.Key, CountWork))
            : throw new BadInputException($"unknown backend '{scheme}'; backends: {string.Join(", ", Services.Backends.Keys)}");
    }
}
