using Paddock.Engine;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Training;

namespace Paddock.Backends.Embedded;

/// <summary>A model of the embedded engine behind the seam. Work is done on the calling thread and the pool; results are ready on return.</summary>
internal sealed class EmbeddedModel(TrainableTransformer transformer, ModelSpec spec, EmbeddedBackend backend) : IDistributionModel, IExportableModel, IMixtureModel, IMixableModel
{
    private readonly RaggedBatch _batch = new();
    private float[] _coefficients = [];
    private float[] _entropyCoefficients = [];

    public Task<PassResult> ForwardAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Fill(batch);
        float[] outputs = new float[_batch.TokenCount];
        transformer.Forward(_batch, outputs);
        backend.CountWork(_batch.TokenCount, transformer.ForwardFlops(_batch));
        return Task.FromResult(new PassResult(Cut(batch, outputs)));
    }

    public Task<DistributionResult> ForwardDistributionAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Fill(batch);
        int n = _batch.TokenCount;
        float[] logProbs = new float[n], entropies = new float[n], hits = new float[n];
        transformer.ForwardDistribution(_batch, logProbs, entropies, hits);
        backend.CountWork(n, transformer.ForwardFlops(_batch));
        return Task.FromResult(new DistributionResult(Cut(batch, logProbs), Cut(batch, entropies), Cut(batch, hits)));
    }

    public Task BackwardAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> coefficients, CancellationToken cancellation)
    {
        Fill(batch);
        transformer.Backward(_batch, Join(batch, coefficients, ref _coefficients));
        backend.CountWork(0, transformer.BackwardFlops(_batch));
        return Task.CompletedTask;
    }

    public Task BackwardDistributionAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> logProbCoefficients,
        IReadOnlyList<ReadOnlyMemory<float>> entropyCoefficients, CancellationToken cancellation)
    {
        Fill(batch);
        transformer.Backward(_batch, Join(batch, logProbCoefficients, ref _coefficients), Join(batch, entropyCoefficients, ref _entropyCoefficients));
        backend.CountWork(0, transformer.BackwardFlops(_batch));
        return Task.CompletedTask;
    }

    public Task<StepResult> StepAsync(AdamStep adam, CancellationToken cancellation)
    {
        AdamSettings settings = new(adam.LearningRate, adam.Beta1, adam.Beta2, adam.Epsilon, adam.WeightDecay, adam.ClipNorm);
        return Task.FromResult(new StepResult(transformer.Step(in settings)));
    }

    public Task<CheckpointUri> SaveAsync(string name, CancellationToken cancellation)
    {
        string folder = Path.Combine(backend.Folder, name);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        WholeFile.WriteFolder(folder, unfinished =>
        {
            bool isFull = spec.Adaptation is Adaptation.Full;
            SafetensorsWriter.Write(Path.Combine(unfinished, EmbeddedBackend.WeightsFile), isFull ? transformer.Weights.Export() : transformer.ExportAdapters(), TensorFormat.Float32);
            SafetensorsWriter.Write(Path.Combine(unfinished, EmbeddedBackend.OptimizerFile), transformer.ExportOptimizer(), TensorFormat.Float32);
            TrainingRecord.From(spec).Write(unfinished);
        });
        return Task.FromResult(new CheckpointUri(folder));
    }

    public Task ExportAsync(string folder, CancellationToken cancellation)
    {
        using ModelWeights merged = transformer.MergedWeights();
        backend.Export(merged, spec, folder);
        return Task.CompletedTask;
    }

    public Task MixAsync(ITrainableModel towards, double share, CancellationToken cancellation)
    {
        using ModelWeights merged = ((EmbeddedModel)towards).Merge();
        transformer.Mix(merged, share);
        return Task.CompletedTask;
    }

    public Task<ISampler> SnapshotSamplerAsync(CancellationToken cancellation) =>
        Task.FromResult<ISampler>(backend.OpenSampler(transformer.MergedWeights(), spec.Weights));

    public Task<ISampler> SnapshotMixtureAsync(ITrainableModel other, double share, CancellationToken cancellation) =>
        Task.FromResult<ISampler>(backend.OpenMixture(transformer.MergedWeights(), other is EmbeddedModel embedded ? embedded.MergedWeights()
            : throw new BadInputException("a mixture needs two models of the embedded backend"), share));

    private ModelWeights MergedWeights() => transformer.MergedWeights();

    public ValueTask DisposeAsync()
    {
        transformer.Dispose();
        return ValueTask.CompletedTask;
    }

    private ModelWeights Merge() => transformer.MergedWeights();

    private void Fill(IReadOnlyList<Sequence> batch)
    {
        if (batch.Count == 0)
            throw new ArgumentException("a batch needs at least one sequence", nameof(batch));
        _batch.Clear();
        foreach (Sequence sequence in batch)
            _batch.Add(sequence.Input.Span, sequence.Targets.Span);
    }

    // one array a pass, cut into one window a sequence
    private static ReadOnlyMemory<float>[] Cut(IReadOnlyList<Sequence> batch, float[] values)
    {
        ReadOnlyMemory<float>[] rows = new ReadOnlyMemory<float>[batch.Count];
        for (int i = 0, start = 0; i < rows.Length; start += batch[i].Input.Length, i++)
            rows[i] = values.AsMemory(start, batch[i].Input.Length);
        return rows;
    }

    private ReadOnlySpan<float> Join(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> rows, ref float[] joined)
    {
        if (rows.Count != batch.Count)
            throw new ArgumentException($"{batch.Count} sequences need as many rows of coefficients, got {rows.Count}", nameof(rows));
        if (joined.Length < _batch.TokenCount)
            joined = new float[Math.Max(_batch.TokenCount, 2 * joined.Length)];
        for (int i = 0, start = 0; i < rows.Count; start += rows[i].Length, i++)
        {
            if (rows[i].Length != batch[i].Input.Length)
                throw new ArgumentException($"sequence {i} has {batch[i].Input.Length} positions and {rows[i].Length} coefficients", nameof(rows));
            rows[i].Span.CopyTo(joined.AsSpan(start));
        }
        return joined.AsSpan(0, _batch.TokenCount);
    }
}
