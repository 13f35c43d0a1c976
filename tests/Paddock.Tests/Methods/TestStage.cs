using System.Text.Json;
using Paddock.Backends;

namespace Paddock.Tests.Methods;

/// <summary>What outlives an attempt at a stage: its last checkpoint and the rows it has logged.</summary>
internal sealed class StageMemory
{
    public int Checkpoints { get; set; }

    public string? State { get; set; }

    public Dictionary<string, CheckpointUri> Models { get; } = [];

    public List<(int Step, IReadOnlyDictionary<string, double> Metrics)> Rows { get; } = [];

    public int RowsAtCheckpoint { get; set; }
}

/// <summary>A stage for methods alone: checkpoints through the backend every few steps, and a plug that can be pulled.</summary>
/// <param name="memory">Of earlier attempts; a fresh one starts from nothing.</param>
/// <param name="every">Steps between checkpoints; 0 keeps none.</param>
/// <param name="stopAt">Asked to stop at this step: a checkpoint is kept, then an <see cref="OperationCanceledException"/>.</param>
/// <param name="killAt">Killed after this step: nothing more is kept.</param>
internal sealed class TestStage(ITrainingBackend backend, StageMemory memory, int every = 0, int? stopAt = null, int? killAt = null) : StageContext, IAsyncDisposable
{
    // as a stage of a study keeps its state
    private static readonly JsonSerializerOptions StateJson = new() { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly Dictionary<string, ITrainableModel> _trainable = [];
    private readonly List<ITrainableModel> _models = [];

    public override ulong Seed => 11;

    public override ITrainingBackend Backend => backend;

    public List<string> Warnings { get; } = [];

    public (long Done, long Total, string Unit) Last { get; private set; }

    public override async Task<ITrainableModel> OpenTrainableAsync(string name, ModelSpec spec, CancellationToken cancellation)
    {
        ITrainableModel model = memory.Models.TryGetValue(name, out CheckpointUri saved)
            ? await backend.RestoreAsync(saved, withOptimizer: true, cancellation)
            : await backend.CreateAsync(spec, cancellation);
        _trainable.Add(name, model);
        _models.Add(model);
        return model;
    }

    public override async Task<ITrainableModel> OpenFrozenAsync(string name, ModelSpec spec, CancellationToken cancellation)
    {
        _models.Add(await backend.CreateAsync(spec, cancellation));
        return _models[^1];
    }

    public override Task<TState?> ResumeAsync<TState>(CancellationToken cancellation) where TState : class
    {
        memory.Rows.RemoveRange(memory.RowsAtCheckpoint, memory.Rows.Count - memory.RowsAtCheckpoint);
        return Task.FromResult(memory.State == null ? null : JsonSerializer.Deserialize<TState>(memory.State, StateJson));
    }

    public override async Task CheckpointAsync<TState>(int step, TState state, CancellationToken cancellation) where TState : class
    {
        if (step == killAt)
            throw new InvalidOperationException("killed");
        if (step != stopAt && (every == 0 || step % every != 0))
            return;
        memory.Checkpoints++;
        foreach ((string name, ITrainableModel model) in _trainable)
            memory.Models[name] = await model.SaveAsync($"{memory.Checkpoints}-{name}", cancellation);
        memory.State = JsonSerializer.Serialize(state, StateJson);
        memory.RowsAtCheckpoint = memory.Rows.Count;
        if (step == stopAt)
            throw new OperationCanceledException();
    }

    public override void Log(int step, IReadOnlyDictionary<string, double> metrics) => memory.Rows.Add((step, new Dictionary<string, double>(metrics)));

    public override void Progress(long done, long total, string unit) => Last = (done, total, unit);

    public override void Warn(string message) => Warnings.Add(message);

    public async ValueTask DisposeAsync()
    {
        foreach (ITrainableModel model in _models)
            await model.DisposeAsync();
    }
}
