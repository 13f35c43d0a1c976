// The seam between methods and models (docs/architecture.md): a model, to a method, is one output per position and a
// vector-Jacobian product on those outputs. Every loss is a pure function above it; no method sees a tensor.
namespace Paddock.Backends;

/// <summary>
/// One row of a batch. Targets[i] is predicted from Input[..i] inclusive; both have the same length. A target of
/// <see cref="NoTarget"/> asks for no output there: it reads 0 and its coefficient is ignored. Under a scalar head any target of 0 or
/// more asks for the scalar at that position.
/// </summary>
public sealed record Sequence(ReadOnlyMemory<int> Input, ReadOnlyMemory<int> Targets)
{
    public const int NoTarget = -1;

    /// <summary>Prompt and response, outputs wanted for the response's tokens only.</summary>
    public static Sequence ForResponse(ReadOnlySpan<int> prompt, ReadOnlySpan<int> response)
    {
        int length = prompt.Length + response.Length - 1;
        int[] input = new int[length], targets = new int[length];
        prompt.CopyTo(input);
        response[..^1].CopyTo(input.AsSpan(prompt.Length));
        Array.Fill(targets, NoTarget, 0, prompt.Length - 1);
        response.CopyTo(targets.AsSpan(prompt.Length - 1));
        return new(input, targets);
    }

    /// <summary>Prompt and response, outputs wanted for every token but the first.</summary>
    public static Sequence ForWhole(ReadOnlySpan<int> prompt, ReadOnlySpan<int> response)
    {
        int[] all = [.. prompt, .. response];
        return new(all.AsMemory(..^1), all.AsMemory(1..));
    }

    /// <summary>Prompt and response for a scalar head read at the last token (the end token included).</summary>
    public static Sequence ForScore(ReadOnlySpan<int> prompt, ReadOnlySpan<int> response)
    {
        int[] input = [.. prompt, .. response], targets = new int[input.Length];
        Array.Fill(targets, NoTarget);
        targets[^1] = 0;
        return new(input, targets);
    }
}

/// <summary>Output per position: the log-prob of the target, or a scalar (reward, value).</summary>
public enum Head { Token, Scalar }

/// <summary>Which parameters learn.</summary>
public abstract record Adaptation
{
    private Adaptation() { }

    public sealed record Full : Adaptation;

    /// <param name="Targets">Projections that get an adapter: q, k, v, o, gate, up, down; empty = all of them.</param>
    public sealed record Lora(int Rank, double Alpha, IReadOnlyList<string> Targets, bool RankStabilised = false) : Adaptation;
}

/// <param name="Weights">A model folder, a GGUF file or a hub id.</param>
/// <param name="Seed">Seeds whatever is created fresh: adapters, heads.</param>
/// <param name="NewHead">Under a scalar head: put a fresh one, zero at the start, on weights that have none. Otherwise weights without one are refused.</param>
public sealed record ModelSpec(string Weights, Adaptation Adaptation, Head Head, ulong Seed, bool NewHead = false);

/// <param name="Count">Samples of this prompt, at least one.</param>
/// <param name="Stream">Names the random stream; the same stream gives the same samples whatever else is in the batch.</param>
public sealed record SampleRequest(ReadOnlyMemory<int> Prompt, int Count, ulong Stream);

/// <param name="Temperature">0 is greedy.</param>
/// <param name="TopK">0 is off.</param>
/// <param name="TopP">1 is off.</param>
/// <param name="MinP">0 is off.</param>
/// <param name="RepetitionPenalty">1 is off.</param>
public sealed record SamplingOptions(int MaxTokens, float Temperature, int TopK, float TopP, float MinP, float RepetitionPenalty,
    IReadOnlyList<int> StopTokens, IReadOnlyList<string> StopStrings)
{
    public static SamplingOptions Plain(int maxTokens, float temperature, IReadOnlyList<int> stopTokens) =>
        new(maxTokens, temperature, 0, 1f, 0f, 1f, stopTokens, []);
}

/// <summary>Why a completion ended.</summary>
public enum StopReason { StopToken, StopString, Length }

/// <param name="Request">Index of the request.</param>
/// <param name="Sample">Index within the request, 0 .. Count - 1.</param>
/// <param name="Tokens">Sampled ids, the stop token included.</param>
/// <param name="LogProbs">Log-prob of each token under the model at temperature 1, before any filter; what a re-scoring pass gives.</param>
public sealed record Completion(int Request, int Sample, IReadOnlyList<int> Tokens, IReadOnlyList<float> LogProbs, StopReason Stop);

/// <param name="Outputs">One float per position of each sequence; 0 where no target was wanted.</param>
public sealed record PassResult(IReadOnlyList<ReadOnlyMemory<float>> Outputs);

/// <param name="GradientNorm">Global L2 norm before clipping.</param>
public sealed record StepResult(double GradientNorm);

/// <summary>One AdamW step with decoupled decay (Loshchilov and Hutter 2019); decay touches tensors of two or more dimensions only.</summary>
/// <param name="ClipNorm">Global gradient norm to clip to; 0 is off.</param>
public sealed record AdamStep(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, double ClipNorm = 1.0);

/// <summary>Where a model's state lies: a folder for the embedded backend, a <c>tinker://</c> path for a remote one.</summary>
public readonly record struct CheckpointUri(string Value)
{
    public override string ToString() => Value;
}

/// <summary>What a backend really does. A method states its needs on start and refuses to run rather than degrade in silence.</summary>
public sealed record BackendTraits(string Name, bool ScalarHeads, bool FullFineTuning, bool FrozenSamplers, bool Distributions, bool SeveralModels, bool FullAdamControl)
{
    /// <summary>Throws a clear error unless the need is met.</summary>
    public void Require(bool met, string need)
    {
        if (!met)
            throw new Engine.BadInputException($"backend '{Name}' cannot run this method: it needs {need}");
    }
}

/// <summary>Creates models and samplers; one per stage.</summary>
public interface ITrainingBackend : IAsyncDisposable
{
    BackendTraits Traits { get; }

    Task<ITrainableModel> CreateAsync(ModelSpec spec, CancellationToken cancellation);

    /// <summary>Reopens what <see cref="ITrainableModel.SaveAsync"/> wrote, with the optimizer's moments when asked.</summary>
    Task<ITrainableModel> RestoreAsync(CheckpointUri checkpoint, bool withOptimizer, CancellationToken cancellation);

    Task<ISampler> OpenSamplerAsync(CheckpointUri checkpoint, CancellationToken cancellation);
}

/// <summary>A model that learns. Calls take effect in the order they are made; await each before the next.</summary>
public interface ITrainableModel : IAsyncDisposable
{
    Task<PassResult> ForwardAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation);

    /// <summary>Adds sum over positions of c * d output / d theta to the gradients. On the batch of the last forward its activations are reused.</summary>
    Task BackwardAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> coefficients, CancellationToken cancellation);

    /// <summary>Applies the gathered gradients and clears them.</summary>
    Task<StepResult> StepAsync(AdamStep adam, CancellationToken cancellation);

    /// <summary>Saves weights and optimizer under <paramref name="name"/>, which appears whole or not at all.</summary>
    Task<CheckpointUri> SaveAsync(string name, CancellationToken cancellation);

    /// <summary>A sampler over the weights as they are now; later steps do not change it.</summary>
    Task<ISampler> SnapshotSamplerAsync(CancellationToken cancellation);
}

/// <summary>Models whose whole next-token distribution is at hand: entropy per position, and a gradient through it.</summary>
public interface IDistributionModel : ITrainableModel
{
    /// <summary>Log-prob of the target, entropy in nats, and whether the target is the arg max (1 or 0), per wanted position.</summary>
    Task<DistributionResult> ForwardDistributionAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation);

    /// <summary>Adds sum of (a * d log-prob + b * d entropy) / d theta for the batch of the last <see cref="ForwardDistributionAsync"/>.</summary>
    Task BackwardDistributionAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> logProbCoefficients,
        IReadOnlyList<ReadOnlyMemory<float>> entropyCoefficients, CancellationToken cancellation);
}

/// <summary>Models that can be mixed with another one, token by token.</summary>
public interface IMixtureModel : ITrainableModel
{
    /// <summary>
    /// A sampler over p proportional to p_this^(1 - share) p_other^share, both as they are now; later steps do not change it. It draws at
    /// temperature 1 without filters, and scores nothing.
    /// </summary>
    /// <exception cref="Engine.BadInputException">The other model is of another backend or another vocabulary.</exception>
    Task<ISampler> SnapshotMixtureAsync(ITrainableModel other, double share, CancellationToken cancellation);
}

public sealed record DistributionResult(IReadOnlyList<ReadOnlyMemory<float>> LogProbs, IReadOnlyList<ReadOnlyMemory<float>> Entropies, IReadOnlyList<ReadOnlyMemory<float>> ArgMaxHits);

/// <summary>Draws from a fixed policy. Batching, prefix sharing and refilling are its business.</summary>
public interface ISampler : IAsyncDisposable
{
    /// <summary>Completions as they finish, in an order that depends on nothing but the requests.</summary>
    IAsyncEnumerable<Completion> SampleAsync(IReadOnlyList<SampleRequest> requests, SamplingOptions options, CancellationToken cancellation);

    /// <summary>Log-prob of every token given those before it; [0] is NaN.</summary>
    Task<IReadOnlyList<ReadOnlyMemory<float>>> ScoreAsync(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation);
}
