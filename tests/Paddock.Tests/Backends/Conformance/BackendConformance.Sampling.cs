using Paddock.Backends;
using Paddock.Engine.Numerics;

namespace Paddock.Tests.Backends.Conformance;

internal static partial class BackendConformance
{
    /// <summary>Checks of samplers, by name: for models with a token head.</summary>
    public static IReadOnlyDictionary<string, Func<ConformanceSubject, Task>> Sampling { get; } = new Dictionary<string, Func<ConformanceSubject, Task>>
    {
        ["a score is the forward's log-prob, shifted, and the first is NaN"] = ScoreAsync,
        ["a sampler stays as it was made"] = FrozenAsync,
        ["the same stream draws the same samples"] = ReproducibleAsync,
        ["samples do not depend on the rest of the batch"] = BatchIndependentAsync,
        ["log-probs of samples are those of scoring"] = SampleLogProbsAsync,
        ["the stop token ends a sample and is part of it"] = StopTokenAsync,
        ["greedy takes the arg max"] = GreedyAsync,
        ["requests that ask for nothing are refused"] = SamplingRefusalsAsync,
    };

    private static ReadOnlyMemory<int>[] Prompts(ConformanceSubject subject, int count = 3)
    {
        RandomStream stream = new(19, "prompts");
        ReadOnlyMemory<int>[] prompts = new ReadOnlyMemory<int>[count];
        for (int i = 0; i < count; i++)
            prompts[i] = Ids(ref stream, 2 + i, subject.Vocabulary);
        return prompts;
    }

    private static async Task<Completion[]> SampleAsync(ISampler sampler, IReadOnlyList<SampleRequest> requests, SamplingOptions options)
    {
        List<Completion> completions = [];
        await foreach (Completion completion in sampler.SampleAsync(requests, options, None))
            completions.Add(completion);
        Completion[] ordered = [.. completions.OrderBy(c => c.Request).ThenBy(c => c.Sample)];
        Assert.Equal(requests.SelectMany((r, i) => Enumerable.Range(0, r.Count).Select(s => (i, s))), ordered.Select(c => (c.Request, c.Sample)));
        Assert.All(ordered, c => Assert.Equal(c.Tokens.Count, c.LogProbs.Count));
        return ordered;
    }

    private static async Task ScoreAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        RandomStream stream = new(20, "scored");
        int[][] rows = [.. ((int[])[1, 2, 7, 12]).Select(length => Ids(ref stream, length, subject.Vocabulary))];
        IReadOnlyList<ReadOnlyMemory<float>> scores = await sampler.ScoreAsync([.. rows.Select(r => (ReadOnlyMemory<int>)r)], None);
        Assert.Equal(rows.Length, scores.Count);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal(rows[i].Length, scores[i].Length);
            Assert.True(float.IsNaN(scores[i].Span[0]));
            if (rows[i].Length == 1)
                continue;
            PassResult pass = await model.ForwardAsync([new Sequence(rows[i].AsMemory(..^1), rows[i].AsMemory(1..))], None);
            for (int t = 1; t < rows[i].Length; t++)
                Assert.Equal(pass.Outputs[0].Span[t - 1], scores[i].Span[t], Tolerance);
        }
    }

    private static async Task FrozenAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        if (!backend.Traits.FrozenSamplers)
            return;
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler before = await model.SnapshotSamplerAsync(None);
        ReadOnlyMemory<int>[] prompts = Prompts(subject);
        IReadOnlyList<ReadOnlyMemory<float>> expected = await before.ScoreAsync(prompts, None);
        Sequence[] batch = Batch(subject);
        await model.BackwardAsync(batch, Ones(batch, -1), None);
        await model.StepAsync(Adam(0.1), None);
        IReadOnlyList<ReadOnlyMemory<float>> actual = await before.ScoreAsync(prompts, None);
        await using ISampler after = await model.SnapshotSamplerAsync(None);
        IReadOnlyList<ReadOnlyMemory<float>> moved = await after.ScoreAsync(prompts, None);
        for (int i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(expected[i][1..].ToArray(), actual[i][1..].ToArray());
            Assert.NotEqual(expected[i][1..].ToArray(), moved[i][1..].ToArray());
        }
    }

    private static async Task ReproducibleAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler one = await model.SnapshotSamplerAsync(None), two = await model.SnapshotSamplerAsync(None);
        SamplingOptions options = SamplingOptions.Plain(8, 1f, []);
        SampleRequest[] requests = [.. Prompts(subject).Select((p, i) => new SampleRequest(p, 3, (ulong)i))];
        Completion[] first = await SampleAsync(one, requests, options), again = await SampleAsync(two, requests, options);
        Completion[] others = await SampleAsync(one, [.. requests.Select(r => r with { Stream = r.Stream + 100 })], options);
        Assert.Equal(first.Select(c => c.Tokens), again.Select(c => c.Tokens));
        Assert.NotEqual(first.Select(c => c.Tokens), others.Select(c => c.Tokens));
        Assert.True(first.Select(c => string.Join(' ', c.Tokens)).Distinct().Count() > 3, "the samples of a prompt do not differ");
        Assert.All(first, c => Assert.Equal((8, StopReason.Length), (c.Tokens.Count, c.Stop)));
    }

    private static async Task BatchIndependentAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        SamplingOptions options = SamplingOptions.Plain(8, 1f, []);
        SampleRequest[] requests = [.. Prompts(subject).Select((p, i) => new SampleRequest(p, 2, (ulong)i))];
        Completion[] together = await SampleAsync(sampler, requests, options);
        for (int i = 0; i < requests.Length; i++)
            Assert.Equal(together.Where(c => c.Request == i).Select(c => c.Tokens), (await SampleAsync(sampler, [requests[i]], options)).Select(c => c.Tokens));
    }

    private static async Task SampleLogProbsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        ReadOnlyMemory<int>[] prompts = Prompts(subject);
        // at temperature 1 and before any filter, whatever they were drawn with
        SamplingOptions options = new(8, 0.7f, 5, 0.9f, 0f, 1f, [], []);
        Completion[] completions = await SampleAsync(sampler, [.. prompts.Select((p, i) => new SampleRequest(p, 2, (ulong)i))], options);
        foreach (Completion completion in completions)
        {
            int[] whole = [.. prompts[completion.Request].Span, .. completion.Tokens];
            ReadOnlyMemory<float> scores = (await sampler.ScoreAsync([whole], None))[0];
            for (int t = 0; t < completion.Tokens.Count; t++)
                Assert.Equal(scores.Span[prompts[completion.Request].Length + t], completion.LogProbs[t], Tolerance);
        }
    }

    private static async Task StopTokenAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        int[] stops = [1, 3, 5, 7];
        Completion[] completions = await SampleAsync(sampler, [.. Prompts(subject).Select((p, i) => new SampleRequest(p, 8, (ulong)i))], SamplingOptions.Plain(12, 1f, stops));
        Completion[] stopped = [.. completions.Where(c => c.Stop == StopReason.StopToken)];
        Assert.NotEmpty(stopped);
        Assert.All(stopped, c => Assert.Contains(c.Tokens[^1], stops));
        Assert.All(completions, c => Assert.DoesNotContain(c.Tokens.SkipLast(c.Stop == StopReason.StopToken ? 1 : 0), stops.Contains));
        Assert.All(completions.Except(stopped), c => Assert.Equal((12, StopReason.Length), (c.Tokens.Count, c.Stop)));
    }

    private static async Task GreedyAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        ReadOnlyMemory<int> prompt = Prompts(subject)[0];
        Completion completion = (await SampleAsync(sampler, [new SampleRequest(prompt, 1, 0)], SamplingOptions.Plain(4, 0f, [])))[0];
        List<int> prefix = [.. prompt.Span];
        foreach (int token in completion.Tokens)
        {
            IReadOnlyList<ReadOnlyMemory<float>> next = await sampler.ScoreAsync([.. Enumerable.Range(0, subject.Vocabulary).Select(v => (ReadOnlyMemory<int>)(int[])[.. prefix, v])], None);
            int best = Enumerable.Range(0, subject.Vocabulary).MaxBy(v => next[v].Span[^1]);
            Assert.Equal(best, token);
            Assert.Equal(1.0, next.Sum(row => Math.Exp(row.Span[^1])), 1e-5);
            prefix.Add(token);
        }
    }

    private static async Task SamplingRefusalsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        ReadOnlyMemory<int> prompt = Prompts(subject)[0];
        SamplingOptions options = SamplingOptions.Plain(4, 1f, []);
        await Refused(() => SampleAsync(sampler, [new SampleRequest(prompt, 0, 0)], options));
        await Refused(() => SampleAsync(sampler, [new SampleRequest(ReadOnlyMemory<int>.Empty, 1, 0)], options));
        await Refused(() => SampleAsync(sampler, [new SampleRequest(new[] { subject.Vocabulary }, 1, 0)], options));
        await Refused(() => SampleAsync(sampler, [new SampleRequest(prompt, 1, 0)], options with { MaxTokens = 0 }));
        await Refused(() => sampler.ScoreAsync([ReadOnlyMemory<int>.Empty], None));
        // and it still works
        Assert.Single(await SampleAsync(sampler, [new SampleRequest(prompt, 1, 0)], options));
    }
}
