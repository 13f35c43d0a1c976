using Paddock.Backends;

namespace Paddock.Tests.Backends.Conformance;

/// <summary>What a backend might get wrong.</summary>
internal enum Fault { ClipsNegative, Overwrites, Doubles, NeverClears, KeepsOldOutputs, IgnoresClipping, LosesMoments, ShiftsScores }

/// <summary>A right backend with one fault, to see that the checks are checks.</summary>
internal sealed class BrokenBackend(ITrainingBackend inner, Fault fault) : ITrainingBackend
{
    public BackendTraits Traits => inner.Traits;

    public async Task<ITrainableModel> CreateAsync(ModelSpec spec, CancellationToken cancellation) => new Model(await inner.CreateAsync(spec, cancellation), fault);

    public async Task<ITrainableModel> RestoreAsync(CheckpointUri checkpoint, bool withOptimizer, CancellationToken cancellation) =>
        new Model(await inner.RestoreAsync(checkpoint, withOptimizer && fault != Fault.LosesMoments, cancellation), fault);

    public Task<ISampler> OpenSamplerAsync(CheckpointUri checkpoint, CancellationToken cancellation) => inner.OpenSamplerAsync(checkpoint, cancellation);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class Model(ITrainableModel inner, Fault fault) : ITrainableModel
    {
        private (IReadOnlyList<Sequence> Batch, IReadOnlyList<ReadOnlyMemory<float>> Coefficients)? _last;
        private PassResult? _outputs;

        public async Task<PassResult> ForwardAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation)
        {
            PassResult outputs = await inner.ForwardAsync(batch, cancellation);
            if (fault == Fault.KeepsOldOutputs && _outputs is { } old && old.Outputs.Select(o => o.Length).SequenceEqual(outputs.Outputs.Select(o => o.Length)))
                return old;
            return _outputs = outputs;
        }

        public async Task BackwardAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> coefficients, CancellationToken cancellation)
        {
            IReadOnlyList<ReadOnlyMemory<float>> given = fault switch
            {
                Fault.ClipsNegative => [.. coefficients.Select(row => (ReadOnlyMemory<float>)row.ToArray().Select(c => Math.Max(c, 0)).ToArray())],
                Fault.Doubles => Scaled(coefficients, 2),
                _ => coefficients,
            };
            if (fault == Fault.Overwrites && _last is { } last)
                await inner.BackwardAsync(last.Batch, Scaled(last.Coefficients, -1), cancellation);
            await inner.BackwardAsync(batch, given, cancellation);
            _last = (batch, coefficients);
        }

        public async Task<StepResult> StepAsync(AdamStep adam, CancellationToken cancellation)
        {
            StepResult result = await inner.StepAsync(fault == Fault.IgnoresClipping ? adam with { ClipNorm = 0 } : adam, cancellation);
            if (fault == Fault.NeverClears && _last is { } last)
                await inner.BackwardAsync(last.Batch, last.Coefficients, cancellation);
            else
                _last = null;
            return result;
        }

        public Task<CheckpointUri> SaveAsync(string name, CancellationToken cancellation) => inner.SaveAsync(name, cancellation);

        public async Task<ISampler> SnapshotSamplerAsync(CancellationToken cancellation) => new Sampler(await inner.SnapshotSamplerAsync(cancellation), fault);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private static ReadOnlyMemory<float>[] Scaled(IReadOnlyList<ReadOnlyMemory<float>> rows, float by) => [.. rows.Select(row => (ReadOnlyMemory<float>)row.ToArray().Select(c => by * c).ToArray())];
    }

    private sealed class Sampler(ISampler inner, Fault fault) : ISampler
    {
        public IAsyncEnumerable<Completion> SampleAsync(IReadOnlyList<SampleRequest> requests, SamplingOptions options, CancellationToken cancellation) => inner.SampleAsync(requests, options, cancellation);

        // one position early, as a server answers that counts from the first target
        public async Task<IReadOnlyList<ReadOnlyMemory<float>>> ScoreAsync(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation)
        {
            IReadOnlyList<ReadOnlyMemory<float>> rows = await inner.ScoreAsync(sequences, cancellation);
            return fault != Fault.ShiftsScores ? rows : [.. rows.Select(row => (ReadOnlyMemory<float>)(float[])[.. row[1..].Span, 0f])];
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

public class ConformanceChecksTests
{
    public static TheoryData<string, string> Faults => new()
    {
        { nameof(Fault.ClipsNegative), "coefficients keep their sign" },
        { nameof(Fault.ClipsNegative), "backward is the derivative of forward" },
        { nameof(Fault.Overwrites), "two backward calls are one" },
        { nameof(Fault.Doubles), "backward is the derivative of forward" },
        { nameof(Fault.NeverClears), "a step clears the gradients" },
        { nameof(Fault.KeepsOldOutputs), "a forward after a step sees the new weights" },
        { nameof(Fault.IgnoresClipping), "the norm is told before clipping" },
        { nameof(Fault.LosesMoments), "a restored optimizer goes on as if never saved" },
        { nameof(Fault.ShiftsScores), "a score is the forward's log-prob, shifted, and the first is NaN" },
        { nameof(Fault.ShiftsScores), "log-probs of samples are those of scoring" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_is_seen(string fault, string check)
    {
        using TinyModel tiny = new();
        ConformanceSubject subject = new(() => new BrokenBackend(tiny.Open(), Enum.Parse<Fault>(fault)), tiny.Spec(), TinyModel.Vocabulary, IsBitExact: true);
        Func<ConformanceSubject, Task> run = BackendConformance.Training.TryGetValue(check, out Func<ConformanceSubject, Task>? training) ? training : BackendConformance.Sampling[check];
        Assert.IsAssignableFrom<Xunit.Sdk.XunitException>(await Record.ExceptionAsync(() => run(subject)));
    }
}
