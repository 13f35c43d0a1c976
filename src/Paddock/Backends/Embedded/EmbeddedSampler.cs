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
    private readonly ParameterLayout _layout;

    /// <param name="weights">Taken over and disposed.</param>
    /// <param name="textOf">Decoder for stop strings; null when the model's tokenizer is not at hand.</param>
    public EmbeddedSampler(ModelWeights weights, WorkerPool pool, EmbeddedBackend backend, TextOf? textOf)
    {
        using (weights)
        {
            _sampler = new BatchSampler(weights, pool);
            _layout = weights.Layout;
        }
        (_backend, _textOf) = (backend, textOf);
    }

    public IAsyncEnumerable<Completion> SampleAsync(IReadOnlyList<SampleRequest> requests, SamplingOptions options, CancellationToken cancellation)
    {
        SamplerOptions engine = new(options.MaxTokens, options.Temperature, options.TopK, options.TopP, options.MinP, options.RepetitionPenalty, options.StopTokens, options.StopStrings,
            options.StopStrings.Count > 0 ? _textOf : null);
        // a prompt is computed once for all its samples, and its last position alone predicts
        foreach (SampleRequest request in requests)
            Count(request.Prompt.Length, request.Prompt.Length, 1, 0);
        return _sampler.Sample([.. requests.Select(r => new PromptRequest(r.Prompt, r.Count, r.Stream))], engine, cancellation: cancellation)
            .Select(sample => AsCompletion(sample, requests[sample.Request].Prompt.Length)).ToAsyncEnumerable();
    }

    public Task<IReadOnlyList<ReadOnlyMemory<float>>> ScoreAsync(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation)
    {
        foreach (ReadOnlyMemory<int> sequence in sequences)
            Count(sequence.Length, sequence.Length, sequence.Length - 1, 0);
        return Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([.. _sampler.Score(sequences, cancellation).Select(row => (ReadOnlyMemory<float>)row)]);
    }

    public ValueTask DisposeAsync()
    {
        _sampler.Dispose();
        return ValueTask.CompletedTask;
    }

    // positions that follow others in the cache, and the tokens that the account knows them as
    private void Count(long tokens, long computed, long wanted, long before) =>
        _backend.CountWork(tokens, FlopCount.Cached(_layout, computed, wanted, computed * before + computed * (computed + 1) / 2));

    private Completion AsCompletion(FinishedSample sample, int prompt)
    {
        // the last token is never fed back
        int fed = sample.Tokens.Length - 1;
        Count(sample.Tokens.Length, fed, fed, prompt);
        return new(sample.Request, sample.Sample, sample.Tokens, sample.LogProbs, sample.Reason switch
        {
            FinishReason.StopToken => StopReason.StopToken,
            FinishReason.StopString => StopReason.StopString,
            _ => StopReason.Length,
        });
    }
}
