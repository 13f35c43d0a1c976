using Paddock.Engine.Numerics;

namespace Paddock.Backends;

/// <summary>
/// What a method sees of the stage it runs in. A method draws data order and randomness as pure functions of (seed, purpose, step),
/// keeps its own state in one small serialisable record, and starts its loop at the step it resumes from; so a killed run
/// continues with the bits of an uninterrupted one.
/// </summary>
public abstract class StageContext
{
    /// <summary>Seed of this stage, from the study's seed and the stage's name.</summary>
    public abstract ulong Seed { get; }

    /// <summary>The backend that models of this stage live on.</summary>
    public abstract ITrainingBackend Backend { get; }

    /// <summary>A random stream of this stage.</summary>
    public RandomStream Stream(string purpose) => new(Seed, purpose);

    /// <summary>
    /// Opens a model that this stage trains: from the stage's last checkpoint, optimizer included, when there is one, else fresh from
    /// <paramref name="spec"/>. The context disposes it.
    /// </summary>
    public abstract Task<ITrainableModel> OpenTrainableAsync(string name, ModelSpec spec, CancellationToken cancellation);

    /// <summary>Opens a model that stays as it is (a reference, a reward model); never checkpointed. The context disposes it.</summary>
    public abstract Task<ITrainableModel> OpenFrozenAsync(string name, ModelSpec spec, CancellationToken cancellation);

    /// <summary>The state of the last checkpoint, or null on a fresh start. Metrics logged after it have been dropped.</summary>
    public abstract Task<TState?> ResumeAsync<TState>(CancellationToken cancellation) where TState : class;

    /// <summary>
    /// Offers to keep the state and every model of <see cref="OpenTrainableAsync"/> after <paramref name="step"/> steps. The context
    /// decides whether a checkpoint is due; it is always due when cancellation was asked for, which then throws.
    /// </summary>
    public abstract Task CheckpointAsync<TState>(int step, TState state, CancellationToken cancellation) where TState : class;

    /// <summary>Appends one row to metrics.jsonl. Names are a contract (docs/methods); NaN is written as null: not measured.</summary>
    public abstract void Log(int step, IReadOnlyDictionary<string, double> metrics);

    /// <summary>Shows how far the stage is.</summary>
    public abstract void Progress(long done, long total, string unit);

    /// <summary>Tells the user something about this stage that is not an error.</summary>
    public abstract void Warn(string message);
}
