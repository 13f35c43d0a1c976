using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Paddock.Engine.Tests.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Sampling;

public sealed class MixtureSamplerTests : IDisposable
{
    private static readonly int[] Stop = [3];

    private readonly WorkerPool _pool = new(1);

    private readonly ModelWeights _first = Random(3), _second = Random(4);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _pool.Dispose();
    }

    // large enough weights that the two models disagree
    private static ModelWeights Random(ulong seed)
    {
        ModelWeights weights = ModelWeights.Random(TinyConfigs.Of("llama", tied: true), seed);
        foreach (Parameter parameter in weights.Layout.All)
            if (parameter.Dimensions == 2)
                foreach (ref float value in weights.Values(parameter))
                    value *= 12;
        return weights;
    }

    private PromptRequest[] Requests(int count, int samples)
    {
        RandomStream stream = new(9, "prompts");
        PromptRequest[] requests = new PromptRequest[count];
        for (int i = 0; i < count; i++)
        {
            int[] prompt = new int[1 + stream.NextInt(6)];
            for (int t = 0; t < prompt.Length; t++)
                prompt[t] = stream.NextInt(_first.Config.VocabularySize);
            requests[i] = new(prompt, samples, (ulong)i + 100);
        }
        return requests;
    }

    private List<FinishedSample> Sample(PromptRequest[] requests, double share)
    {
        using MixtureSampler sampler = new(_first, _second, share, _pool);
        return [.. sampler.Sample(requests, 8, Stop)];
    }

    // log softmax of the averaged logits, by the other sampler's logits of both models
    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(1)]
    public void Log_probs_are_those_of_the_averaged_logits(double share)
    {
        PromptRequest[] requests = Requests(5, 2);
        using BatchSampler first = new(_first, _pool), second = new(_second, _pool);
        int V = _first.Config.VocabularySize;
        foreach (FinishedSample sample in Sample(requests, share))
        {
            int[] prompt = requests[sample.Request].Prompt.ToArray(), all = [.. prompt, .. sample.Tokens];
            float[] a = first.Logits(all), b = second.Logits(all);
            for (int t = 0; t < sample.Tokens.Length; t++)
            {
                double[] mixed = new double[V];
                for (int v = 0; v < V; v++)
                    mixed[v] = (1 - share) * a[(prompt.Length - 1 + t) * V + v] + share * b[(prompt.Length - 1 + t) * V + v];
                Assert.Equal(mixed[sample.Tokens[t]] - ScalarMath.LogSumExp(mixed), sample.LogProbs[t], 1e-4);
            }
        }
    }

    [Fact]
    public void Tokens_are_drawn_as_often_as_they_are_probable()
    {
        const int Draws = 4000;
        int[] prompt = [5, 7];
        using BatchSampler first = new(_first, _pool), second = new(_second, _pool);
        int V = _first.Config.VocabularySize;
        ReadOnlySpan<float> a = first.Logits(prompt).AsSpan(V), b = second.Logits(prompt).AsSpan(V);
        double[] mixed = new double[V], counts = new double[V];
        for (int v = 0; v < V; v++)
            mixed[v] = 0.5 * a[v] + 0.5 * b[v];
        double normaliser = ScalarMath.LogSumExp(mixed);
        using MixtureSampler sampler = new(_first, _second, 0.5, _pool);
        foreach (FinishedSample sample in sampler.Sample([new PromptRequest(prompt, Draws, 1)], 1, Stop))
            counts[sample.Tokens[0]]++;
        for (int v = 0; v < V; v++)
        {
            double p = Math.Exp(mixed[v] - normaliser);
            Assert.True(Math.Abs(counts[v] / Draws - p) <= 5 * Math.Sqrt(p * (1 - p) / Draws) + 1e-3, $"token {v}: {counts[v] / Draws} drawn, {p} expected");
        }
    }

    [Fact]
    public void A_request_gives_the_same_whatever_else_is_asked()
    {
        PromptRequest[] requests = Requests(70, 1); // more than run at once
        List<FinishedSample> all = Sample(requests, 0.5), alone = Sample([requests[66]], 0.5);
        Assert.Equal(70, all.Count);
        Assert.Equal(Enumerable.Range(0, 70), all.Select(s => s.Request));
        Assert.Equal(all[66].Tokens, alone[0].Tokens);
        Assert.Equal(all[66].LogProbs, alone[0].LogProbs);
    }

    [Fact]
    public void An_answer_ends_at_a_stop_token_or_at_its_limit()
    {
        foreach (FinishedSample sample in Sample(Requests(30, 1), 0.5))
        {
            Assert.Equal(sample.Tokens[^1] == 3 ? FinishReason.StopToken : FinishReason.Length, sample.Reason);
            Assert.DoesNotContain(3, sample.Tokens[..^1]);
            Assert.InRange(sample.Tokens.Length, 1, 8);
        }
    }

    [Fact]
    public void Models_of_different_vocabularies_are_refused()
    {
        using ModelWeights other = ModelWeights.Random(TinyConfigs.Of("llama", tied: true) with { VocabularySize = 9 }, 1);
        Assert.Contains("one vocabulary", Assert.Throws<BadInputException>(() => new MixtureSampler(_first, other, 0.5, _pool)).Message);
    }
}
