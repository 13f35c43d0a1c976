using Paddock.Engine;
using Paddock.Engine.Adapters;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Backends.Embedded;

/// <summary>The seam over <c>Paddock.Engine</c>: models in this process, on this machine's processors.</summary>
/// <param name="folder">Where <see cref="ITrainableModel.SaveAsync"/> puts checkpoints.</param>
/// <param name="countWork">Receives tokens and floating-point operations as they are spent; null when nobody counts.</param>
public sealed class EmbeddedBackend(string folder, ModelLibrary library, WorkerPool pool, Action<long, double>? countWork = null) : ITrainingBackend
{
    internal const string WeightsFile = "weights.safetensors", OptimizerFile = "optimizer.safetensors";

    /// <summary>Activations kept between forward and backward; a batch that needs more is recomputed in parts.</summary>
    private const long ActivationBudget = 2L << 30;

    public BackendTraits Traits { get; } = new("embedded", ScalarHeads: true, FullFineTuning: true, FrozenSamplers: true, Distributions: true, SeveralModels: true, FullAdamControl: true);

    internal string Folder => folder;

    public Task<ITrainableModel> CreateAsync(ModelSpec spec, CancellationToken cancellation) =>
        Task.FromResult<ITrainableModel>(new EmbeddedModel(Open(spec), spec, this));

    public Task<ITrainableModel> RestoreAsync(CheckpointUri checkpoint, bool withOptimizer, CancellationToken cancellation)
    {
        if (!Directory.Exists(checkpoint.Value))
            throw new BadInputException($"{checkpoint}: there is no checkpoint here");
        ModelSpec spec = TrainingRecord.Read(checkpoint.Value).ToSpec();
        TrainableTransformer transformer;
        using (SafetensorsFile saved = SafetensorsFile.Open(Path.Combine(checkpoint.Value, WeightsFile)))
            if (spec.Adaptation is Adaptation.Full)
            {
                transformer = Wrap(ModelWeights.Load(library.Find(spec.Weights).Config, saved, Kind(spec.Head)), spec);
            }
            else
            {
                transformer = Open(spec with { NewHead = spec.Head == Head.Scalar });
                transformer.LoadAdapters(saved);
            }
        if (withOptimizer)
            using (SafetensorsFile saved = SafetensorsFile.Open(Path.Combine(checkpoint.Value, OptimizerFile)))
                transformer.LoadOptimizer(saved);
        return Task.FromResult<ITrainableModel>(new EmbeddedModel(transformer, spec, this));
    }

    public async Task<ISampler> OpenSamplerAsync(CheckpointUri checkpoint, CancellationToken cancellation)
    {
        if (!TrainingRecord.IsIn(checkpoint.Value))
            return OpenSampler(library.OpenWeights(checkpoint.Value, HeadKind.Token), checkpoint.Value);
        await using ITrainableModel model = await RestoreAsync(checkpoint, withOptimizer: false, cancellation);
        return await model.SnapshotSamplerAsync(cancellation);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal void CountWork(long tokens, double flops) => countWork?.Invoke(tokens, flops);

    /// <param name="model">Whose tokenizer decodes, for stop strings.</param>
    internal ISampler OpenSampler(ModelWeights weights, string model) =>
        new EmbeddedSampler(weights, pool, this, tokens => library.OpenEngineCodec(model).Tokenizer.Decode(tokens, skipSpecialTokens: false));

    /// <summary>Takes both weights over.</summary>
    internal ISampler OpenMixture(ModelWeights first, ModelWeights second, double share) => new EmbeddedMixture(first, second, share, pool, this);

    /// <summary>Writes weights with the config and tokenizer of the model they started from.</summary>
    internal void Export(ModelWeights weights, ModelSpec spec, string target)
    {
        ModelFiles origin = library.Find(spec.Weights);
        HuggingFaceFolder.Save(target, weights.Config, weights.Export(), TensorFormat.Float32, origin.TokenizerFolder, temporary =>
        {
            if (origin.TokenizerFolder != null)
                return;
            var tokenizer = ModelLibrary.OpenTokenizer(origin);
            tokenizer.Save(Path.Combine(temporary, "tokenizer.json"));
            tokenizer.Config.Save(temporary);
        });
    }

    private TrainableTransformer Open(ModelSpec spec)
    {
        if (spec.Head == Head.Scalar && !spec.NewHead && !library.HasScalarHead(spec.Weights))
            throw new BadInputException($"'{spec.Weights}' is a policy and no reward model (it has no tensor score.weight); name the stage of a reward model");
        return Wrap(library.OpenWeights(spec.Weights, Kind(spec.Head)), spec);
    }

    private TrainableTransformer Wrap(ModelWeights weights, ModelSpec spec)
    {
        LoraOptions? lora = spec.Adaptation is Adaptation.Lora l ? new LoraOptions(l.Rank, l.Alpha, l.Targets, l.RankStabilised) : null;
        return new(weights, lora, spec.Seed, pool) { ActivationBudget = ActivationBudget };
    }

    private static HeadKind Kind(Head head) => head == Head.Scalar ? HeadKind.Scalar : HeadKind.Token;
}
