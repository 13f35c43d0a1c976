using Paddock.Engine.Models;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;

namespace Paddock.Backends.Embedded;

/// <summary>The engine's batched sampler behind the seam; its weights are a copy, so later training does not change it.</summary>
internal sealed class EmbeddedSampler : ISampler
{
    private readonly BatchSampler _sampler;
    private readonly EmbeddedBackend _backend;
    private readonly TextOf? _textOf;
    private readonly double _flopsPerToken;

    /// <param name="weights">Taken over and disposed.</param>
    /// <param name="textOf">Decoder for stop strings; null when the model's tokenizer is not at hand.</param>
    public EmbeddedSampler(ModelWeights weights, WorkerPool pool, EmbeddedBackend backend, TextOf? textOf)
    {
        using (weights)
        {
            _sampler = new BatchSampler(weights, pool);
            // two for each parameter and token; attention's share is left out, as it is small at the lengths sampled here
            _flopsPerToken = 2.0 * weights.Layout.ParameterCount;
        }
        (_backend, _textOf) = (backend, textOf);
    }

    public IAsyncEnumerable<Completion> SampleAsync(IReadOnlyList<SampleRequest> requests, SamplingOptions options, CancellationToken cancellation)
    {
        SamplerOptions engine = new(options.MaxTokens, options.Temperature, options.TopK, options.TopP, options.MinP, options.RepetitionPenalty, options.StopTokens, options.StopStrings,
            options.StopStrings.Count > 0 ? _textOf : null);
        long prompts = requests.Sum(r => (long)r.Prompt.Length);
        _backend.CountWork(prompts, prompts * _flopsPerToken);
        return _sampler.Sample([.. requests.Select(r => new PromptRequest(r.Prompt, r.Count, r.Stream))], engine, cancellation: cancellation).Select(AsCompletion).ToAsyncEnumerable();
    }

    public Task<IReadOnlyList<ReadOnlyMemory<float>>> ScoreAsync(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation)
    {
        long tokens = sequences.Sum(s => (long)s.Length);
        _backend.CountWork(tokens, tokens * _flopsPerToken);
        return Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. _sampler.Score(sequences, cancellation).Select(row => (ReadOnlyMemory<float>)row)]);
    }

    public ValueTask DisposeAsync()
    {
        _sampler.Dispose();
        return ValueTask.CompletedTask;
    }

    private Completion AsCompletion(FinishedSample sample)
    {
        _backend.CountWork(sample.Tokens.Length, sample.Tokens.Length * _flopsPerToken);
        return new(sample.Request, sample.Sample, sample.Tokens, sample.LogProbs, sample.Reason switch
        {
            FinishReason.StopToken => StopReason.StopToken,
            FinishReason.StopString => StopReason.StopString,
            _ => StopReason.Length,
        });
    }
}
