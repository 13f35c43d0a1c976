using System.Buffers.Binary;
using Paddock.Backends;
using Paddock.Studies;

namespace Paddock.Tests.Studies;

/// <summary>Models of one number that move by what they are stepped with; saved as a folder with one file.</summary>
internal sealed class FakeBackend(BackendRequest request, Action<string> hook) : ITrainingBackend
{
    public BackendTraits Traits { get; } = new("fake", true, true, true, false, true, true);

    public int Open { get; set; }

    public Task<ITrainableModel> CreateAsync(ModelSpec spec, CancellationToken cancellation) => Make(Path.Combine(spec.Weights, FakeModel.File), spec.Seed);

    public Task<ITrainableModel> RestoreAsync(CheckpointUri checkpoint, bool withOptimizer, CancellationToken cancellation) => Make(Path.Combine(checkpoint.Value, FakeModel.File), null);

    public Task<ISampler> OpenSamplerAsync(CheckpointUri checkpoint, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => Open == 0 ? ValueTask.CompletedTask : throw new InvalidOperationException("a model outlives its backend");

    private Task<ITrainableModel> Make(string file, ulong? seed)
    {
        Open++;
        byte[] bytes = File.ReadAllBytes(file);
        double weight = BinaryPrimitives.ReadDoubleLittleEndian(bytes);
        return Task.FromResult<ITrainableModel>(new FakeModel(this, request.Folder, weight + (seed is { } s ? s % 97 : 0), hook));
    }
}

internal sealed class FakeModel(FakeBackend backend, string folder, double weight, Action<string> hook) : ITrainableModel
{
    public const string File = "weights.bin";

    private bool _disposed;

    public Task<PassResult> ForwardAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation) => throw new NotSupportedException();

    public Task BackwardAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> coefficients, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<StepResult> StepAsync(AdamStep adam, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        hook("step");
        weight = Math.Sin(weight * 3) + adam.LearningRate;
        return Task.FromResult(new StepResult(Math.Abs(weight)));
    }

    public Task<CheckpointUri> SaveAsync(string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        hook("save " + name);
        string target = Path.Combine(folder, name), temporary = target + ".partial";
        Directory.CreateDirectory(temporary);
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, weight);
        System.IO.File.WriteAllBytes(Path.Combine(temporary, File), bytes);
        hook("half saved " + name);
        Directory.Move(temporary, target);
        hook("saved " + name);
        return Task.FromResult(new CheckpointUri(target));
    }

    public Task<ISampler> SnapshotSamplerAsync(CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask DisposeAsync()
    {
        if (!_disposed)
            backend.Open--;
        _disposed = true;
        return ValueTask.CompletedTask;
    }
}
