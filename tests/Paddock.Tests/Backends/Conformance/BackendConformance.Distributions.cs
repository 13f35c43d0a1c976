using Paddock.Backends;

namespace Paddock.Tests.Backends.Conformance;

internal static partial class BackendConformance
{
    /// <summary>Checks of <see cref="IDistributionModel"/>, by name: for backends that say they have it, with a token head.</summary>
    public static IReadOnlyDictionary<string, Func<ConformanceSubject, Task>> Distributions { get; } = new Dictionary<string, Func<ConformanceSubject, Task>>
    {
        ["log-probs are those of the plain forward"] = DistributionLogProbsAsync,
        ["entropy and hits are those of all tokens' scores"] = EntropyAsync,
        ["backward is the derivative through log-probs and entropies"] = EntropyDerivativeAsync,
        ["without entropy coefficients it is the plain backward"] = PlainBackwardAsync,
    };

    private static async Task<IDistributionModel> WarmDistributionAsync(ITrainingBackend backend, ConformanceSubject subject) =>
        Assert.IsAssignableFrom<IDistributionModel>(await WarmAsync(backend, subject));

    private static async Task DistributionLogProbsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using IDistributionModel model = await WarmDistributionAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        Same(await model.ForwardAsync(batch, None), new PassResult((await model.ForwardDistributionAsync(batch, None)).LogProbs), Tolerance);
    }

    private static async Task EntropyAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using IDistributionModel model = await WarmDistributionAsync(backend, subject);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        Sequence[] batch = Batch(subject, rows: 6);
        DistributionResult result = await model.ForwardDistributionAsync(batch, None);
        int hits = 0, misses = 0;
        for (int i = 0; i < batch.Length; i++)
            for (int t = 0; t < batch[i].Input.Length; t++)
            {
                int target = batch[i].Targets.Span[t];
                if (target == Sequence.NoTarget)
                {
                    Assert.Equal((0f, 0f), (result.Entropies[i].Span[t], result.ArgMaxHits[i].Span[t]));
                    continue;
                }
                int[] prefix = batch[i].Input[..(t + 1)].ToArray();
                IReadOnlyList<ReadOnlyMemory<float>> next = await sampler.ScoreAsync([.. Enumerable.Range(0, subject.Vocabulary).Select(v => (ReadOnlyMemory<int>)(int[])[.. prefix, v])], None);
                double[] logProbs = [.. next.Select(row => (double)row.Span[^1])];
                Assert.Equal(-logProbs.Sum(p => Math.Exp(p) * p), result.Entropies[i].Span[t], 1e-5);
                bool isHit = Enumerable.Range(0, subject.Vocabulary).MaxBy(v => logProbs[v]) == target;
                Assert.Equal(isHit ? 1f : 0f, result.ArgMaxHits[i].Span[t]);
                (hits, misses) = isHit ? (hits + 1, misses) : (hits, misses + 1);
            }
        Assert.True(misses > 0);

        // a target that is the arg max, so that a hit is seen too
        ReadOnlyMemory<int> prompt = Prompts(subject)[0];
        Completion greedy = (await SampleAsync(sampler, [new SampleRequest(prompt, 1, 0)], SamplingOptions.Plain(3, 0f, [])))[0];
        Sequence best = Sequence.ForResponse(prompt.Span, greedy.Tokens.ToArray());
        Assert.Equal(3f, (await model.ForwardDistributionAsync([best], None)).ArgMaxHits[0].ToArray().Sum());
    }

    private static async Task EntropyDerivativeAsync(ConformanceSubject subject)
    {
        const double Rate = 1e-3;
        await using ITrainingBackend backend = subject.Open();
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] a = Coefficients(batch, "a"), b = Coefficients(batch, "b"), none = Ones(batch, 0);
        // through both, through entropies alone, and an entropy's change along the gradient of the log-probs
        foreach ((ReadOnlyMemory<float>[] logProbs, ReadOnlyMemory<float>[] entropies) in new[] { (a, b), (none, b) })
        {
            double norm = 0;
            double[] at = new double[2];
            for (int side = 0; side < 2; side++)
            {
                await using IDistributionModel model = await WarmDistributionAsync(backend, subject);
                await model.ForwardDistributionAsync(batch, None);
                await model.BackwardDistributionAsync(batch, logProbs, entropies, None);
                norm = (await model.StepAsync(Descent(0), None)).GradientNorm;
                await model.ForwardDistributionAsync(batch, None);
                await model.BackwardDistributionAsync(batch, Combine(logProbs, side == 0 ? 1 : -1), Combine(entropies, side == 0 ? 1 : -1), None);
                await model.StepAsync(Descent(Rate / norm), None);
                DistributionResult moved = await model.ForwardDistributionAsync(batch, None);
                at[side] = Dot(new PassResult(moved.LogProbs), logProbs, batch) + Dot(new PassResult(moved.Entropies), entropies, batch);
            }
            Close(norm, (at[1] - at[0]) / (2 * Rate), 5e-3);
        }
    }

    private static async Task PlainBackwardAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using IDistributionModel plain = await WarmDistributionAsync(backend, subject), whole = await WarmDistributionAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] coefficients = Coefficients(batch, "c");
        await plain.BackwardAsync(batch, coefficients, None);
        await whole.ForwardDistributionAsync(batch, None);
        await whole.BackwardDistributionAsync(batch, coefficients, Ones(batch, 0), None);
        Close((await plain.StepAsync(Descent(0.05), None)).GradientNorm, (await whole.StepAsync(Descent(0.05), None)).GradientNorm, 1e-5);
        Same(await plain.ForwardAsync(batch, None), await whole.ForwardAsync(batch, None), Tolerance);

        // and gathering it twice, or on top of a plain one, adds up
        await plain.BackwardAsync(batch, Combine(coefficients, 2), None);
        await whole.BackwardAsync(batch, coefficients, None);
        await whole.ForwardDistributionAsync(batch, None);
        await whole.BackwardDistributionAsync(batch, coefficients, Ones(batch, 0), None);
        Close((await plain.StepAsync(Descent(0), None)).GradientNorm, (await whole.StepAsync(Descent(0), None)).GradientNorm, 1e-5);
    }
}
