using Paddock.Engine.Models;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;

namespace Paddock.Backends.Embedded;

/// <summary>The engine's mixture of two models behind the seam.</summary>
internal sealed class EmbeddedMixture : ISampler
{
    private readonly MixtureSampler _sampler;
    private readonly EmbeddedBackend _backend;
    private readonly ParameterLayout _layout;

    /// <param name="first">Taken over and disposed, as <paramref name="second"/> is.</param>
    public EmbeddedMixture(ModelWeights first, ModelWeights second, double share, WorkerPool pool, EmbeddedBackend backend)
    {
        using (first)
        using (second)
            (_sampler, _layout, _backend) = (new MixtureSampler(first, second, share, pool), first.Layout, backend);
    }

    public IAsyncEnumerable<Completion> SampleAsync(IReadOnlyList<SampleRequest> requests, SamplingOptions options, CancellationToken cancellation)
    {
        if (options is not { Temperature: 1, TopK: 0, TopP: 1, MinP: 0, RepetitionPenalty: 1, StopStrings.Count: 0 })
            throw new ArgumentException("a mixture draws at temperature 1 without filters", nameof(options));
        return _sampler.Sample([.. requests.Select(r => new PromptRequest(r.Prompt, r.Count, r.Stream))], options.MaxTokens, options.StopTokens, cancellation).Select(sample =>
        {
            // both models read prompt and answer, but for the last token
            long prompt = requests[sample.Request].Prompt.Length, read = prompt + sample.Tokens.Length - 1;
            _backend.CountWork(2 * (read + 1), 2 * FlopCount.Cached(_layout, read, sample.Tokens.Length, read * (read + 1) / 2));
            return new Completion(sample.Request, sample.Sample, sample.Tokens, sample.LogProbs, sample.Reason == FinishReason.StopToken ? StopReason.StopToken : StopReason.Length);
        }).ToAsyncEnumerable();
    }

    public Task<IReadOnlyList<ReadOnlyMemory<float>>> ScoreAsync(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation) =>
        throw new NotSupportedException("a mixture only draws");

    public ValueTask DisposeAsync()
    {
        _sampler.Dispose();
        return ValueTask.CompletedTask;
    }
}
