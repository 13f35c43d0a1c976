using System.Text;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Sampling;

public class BatchSamplerTests
{
    private static readonly ModelConfig Tiny = new()
    {
        Family = "llama",
        VocabularySize = 70,
        HiddenSize = 32,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadSize = 8,
        FeedForwardSize = 64,
        MaxPositions = 128,
        TiedEmbeddings = true,
    };

    // layers * (keys [KV, D, 16] + values [KV, 16, 16]) floats
    private const long BlockBytes = 2 * (2 * 8 * 16 + 2 * 16 * 16) * 4;

    // ids are characters from the space on, so that stop strings can be followed by eye
    private static readonly TextOf Text = tokens =>
    {
        StringBuilder text = new();
        foreach (int token in tokens)
            text.Append((char)(' ' + token));
        return text.ToString();
    };

    private static ModelWeights Weights(ModelConfig? config = null)
    {
        ModelWeights weights = ModelWeights.Random(config ?? Tiny, 3);
        // larger matrices than at the start of training, so that distributions are far from flat
        foreach (Parameter parameter in weights.Layout.All)
            if (parameter.Dimensions == 2)
                foreach (ref float value in weights.Values(parameter))
                    value *= 12;
        return weights;
    }

    private static PromptRequest[] Requests(int count, int samples)
    {
        RandomStream stream = new(9, "prompts");
        PromptRequest[] requests = new PromptRequest[count];
        for (int i = 0; i < count; i++)
        {
            int[] prompt = new int[1 + stream.NextInt(40)];
            for (int t = 0; t < prompt.Length; t++)
                prompt[t] = stream.NextInt(Tiny.VocabularySize);
            requests[i] = new(prompt, samples, (ulong)i + 100);
        }
        return requests;
    }

    [Theory]
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Q8_0)]
    public void Threads_slots_passes_and_memory_change_no_bit(WeightFormat format)
    {
        SamplerOptions options = new(20, Temperature: 0.9f, TopK: 30, TopP: 0.95f, RepetitionPenalty: 1.1f, StopTokens: [5, 6], FilteredLogProbs: true);
        PromptRequest[] requests = Requests(9, 3);
        using ModelWeights weights = Weights();
        FinishedSample[]? expected = null;
        // six blocks of 16 tokens: barely the longest prompt and one sample of it
        foreach ((int threads, int slots, int rows, long bytes) in new[] { (1, 1, 1, 1L << 20), (2, 8, 256, 1L << 24), (1, 64, 7, 1L << 24), (2, 64, 256, 1L << 24), (2, 64, 64, 6 * BlockBytes) })
        {
            using WorkerPool pool = new(threads);
            using BatchSampler sampler = new(weights, pool, new(slots, bytes, rows), format);
            FinishedSample[] samples = [.. sampler.Sample(requests, options)];
            Assert.Equal(27, samples.Length);
            expected ??= samples;
            for (int i = 0; i < samples.Length; i++)
            {
                Assert.Equal((i / 3, i % 3), (samples[i].Request, samples[i].Sample));
                Assert.Equal(expected[i].Tokens, samples[i].Tokens);
                Assert.Equal(expected[i].LogProbs, samples[i].LogProbs);
                Assert.Equal(expected[i].FilteredLogProbs!, samples[i].FilteredLogProbs!);
                Assert.Equal(expected[i].Reason, samples[i].Reason);
            }
            // a second call starts from nothing, and a request alone gives what it gave among others
            Assert.Equal(samples[4].Tokens, sampler.Sample([requests[1]], options).ToArray()[1].Tokens);
        }
        Assert.Contains(expected!, sample => sample.Reason == FinishReason.StopToken);
        Assert.NotEqual(expected![0].Tokens, expected[1].Tokens);
    }

    [Fact]
    public void Log_probs_of_samples_are_the_bits_of_a_scoring_pass_whatever_the_filters()
    {
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(2);
        using BatchSampler sampler = new(weights, pool, new(8, 1 << 24, 16));
        PromptRequest[] requests = Requests(6, 2);
        FinishedSample[] samples = [.. sampler.Sample(requests, new(30, Temperature: 1.3f, MinP: 0.02f))];
        IReadOnlyList<float[]> scores = sampler.Score([.. samples.Select(s => new ReadOnlyMemory<int>([.. requests[s.Request].Prompt.Span, .. s.Tokens]))]);
        for (int i = 0; i < samples.Length; i++)
            Assert.Equal(samples[i].LogProbs, scores[i][^samples[i].Tokens.Length..]);
    }

    [Fact]
    public void Drawn_tokens_follow_the_models_distribution()
    {
        const int Draws = 20_000;
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(2);
        using BatchSampler sampler = new(weights, pool, new(512, 1 << 26));
        int[] prompt = [3, 1, 4, 1, 5];
        float[] logits = sampler.Logits(prompt)[^Tiny.VocabularySize..];
        double normaliser = SamplingRules.LogSumExp(logits);
        int[] counts = new int[Tiny.VocabularySize];
        foreach (FinishedSample sample in sampler.Sample([new(prompt, Draws, 77)], new(1)))
            counts[sample.Tokens[0]]++;
        double chi = 0, pooledExpected = 0, pooledCount = 0;
        int cells = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double expected = Draws * Math.Exp(logits[i] - normaliser);
            if (expected < 10)
            {
                (pooledExpected, pooledCount) = (pooledExpected + expected, pooledCount + counts[i]);
                continue;
            }
            chi += (counts[i] - expected) * (counts[i] - expected) / expected;
            cells++;
        }
        Assert.InRange(cells, 5, counts.Length);
        // chi-square: mean = degrees of freedom, standard deviation sqrt(2 df); five of them
        Assert.InRange(chi, 0, cells + 5 * Math.Sqrt(2.0 * cells));
        Assert.InRange(pooledCount, pooledExpected - 5 * Math.Sqrt(pooledExpected + 1), pooledExpected + 5 * Math.Sqrt(pooledExpected + 1));
    }

    [Fact]
    public void A_stop_string_cuts_the_text_and_keeps_the_tokens_that_completed_it()
    {
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(1);
        using BatchSampler sampler = new(weights, pool);
        PromptRequest request = new(new int[] { 3, 1, 4 }, 1, 5);
        FinishedSample free = sampler.Sample([request], new(40, TextOf: Text)).Single();
        Assert.Equal(FinishReason.Length, free.Reason);
        Assert.Equal(Text(free.Tokens), free.Text);
        string stop = free.Text!.Substring(17, 3);
        int at = free.Text.IndexOf(stop, StringComparison.Ordinal);
        FinishedSample cut = sampler.Sample([request], new(40, TextOf: Text, StopStrings: ["~~~~", stop])).Single();
        Assert.Equal(FinishReason.StopString, cut.Reason);
        Assert.Equal(free.Text[..at], cut.Text);
        Assert.Equal(free.Tokens[..(at + 3)], cut.Tokens);

        int stopToken = free.Tokens[9], first = Array.IndexOf(free.Tokens, stopToken);
        FinishedSample ended = sampler.Sample([request], new(40, TextOf: Text, StopTokens: [stopToken])).Single();
        Assert.Equal(FinishReason.StopToken, ended.Reason);
        Assert.Equal(free.Tokens[..(first + 1)], ended.Tokens);
        Assert.Equal(free.Text[..first], ended.Text);
    }

    [Fact]
    public void A_chat_streams_the_tokens_of_the_whole_sample_and_can_be_left_early()
    {
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(1);
        using BatchSampler sampler = new(weights, pool);
        PromptRequest request = new(new int[] { 8, 9 }, 1, 2);
        FinishedSample whole = sampler.Sample([request], new(15)).Single();
        Assert.Equal(whole.Tokens, sampler.Stream(request, new(15)).Select(token => token.Token));
        Assert.Equal(whole.Tokens[..4], sampler.Stream(request, new(15)).Take(4).Select(token => token.Token));
        Assert.Equal(whole.LogProbs, sampler.Stream(request, new(15)).Select(token => token.LogProb));

        using CancellationTokenSource source = new();
        Assert.Throws<OperationCanceledException>(() => sampler.Sample([request], new(15), _ => source.Cancel(), source.Token).ToArray());
        using IEnumerator<SampledToken> open = sampler.Stream(request, new(15)).GetEnumerator();
        Assert.True(open.MoveNext());
        Assert.Contains("in use", Assert.Throws<InvalidOperationException>(() => sampler.Score([new int[] { 1, 2 }])).Message);
    }

    [Fact]
    public void A_sampler_stays_as_it_was_while_training_goes_on()
    {
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(1);
        using SamplerWeights packed = SamplerWeights.Pack(weights);
        using BatchSampler copy = new(weights, pool), shared = new(packed, pool);
        float[] before = copy.Logits([1, 2, 3]);
        foreach (Parameter parameter in weights.Layout.All)
            weights.Values(parameter).Clear();
        Assert.Equal(before, copy.Logits([1, 2, 3]));
        packed.Dispose(); // the sampler holds on
        Assert.Equal(before, shared.Logits([1, 2, 3]));
    }

    [Fact]
    public void Learned_positions_end_a_sample()
    {
        ModelConfig config = Tiny with
        {
            Family = "gpt2",
            Norm = NormKind.LayerNorm,
            Activation = ActivationKind.GeluTanh,
            Position = PositionKind.Learned,
            Biases = true,
            KeyValueHeadCount = 4,
            MaxPositions = 24,
        };
        using ModelWeights weights = Weights(config);
        using WorkerPool pool = new(1);
        using BatchSampler sampler = new(weights, pool);
        FinishedSample sample = sampler.Sample([new(new int[20], 1, 0)], new(100)).Single();
        Assert.Equal((5, FinishReason.Length), (sample.Tokens.Length, sample.Reason)); // positions 20 .. 23, and one drawn after the last
    }

    [Fact]
    public void Bad_requests_are_named()
    {
        using ModelWeights weights = Weights();
        using WorkerPool pool = new(1);
        using BatchSampler sampler = new(weights, pool, new(CacheBytes: 6 * BlockBytes));
        void Fails(string part, PromptRequest request, SamplerOptions? options = null) =>
            Assert.Contains(part, Assert.Throws<BadInputException>(() => sampler.Sample([request], options ?? new(4)).ToArray()).Message);
        Fails("request 0: has no tokens", new(Array.Empty<int>(), 1, 0));
        Fails("129 tokens are more than the model's 128 positions", new(new int[129], 1, 0));
        Fails("id 70 is outside", new(new int[] { 1, 70 }, 1, 0));
        Fails("asks for 0 samples", new(new int[] { 1 }, 0, 0));
        Fails("key/value cache", new(new int[100], 1, 0), new(500));
        Fails("max tokens", new(new int[] { 1 }, 1, 0), new(0));
        Assert.Contains("sequence 0: has no tokens", Assert.Throws<BadInputException>(() => sampler.Score([Array.Empty<int>()])).Message);
        Assert.Contains("scalar head", Assert.Throws<BadInputException>(() => SamplerWeights.Pack(ModelWeights.Random(Tiny, 1, HeadKind.Scalar))).Message);
        Assert.Single(sampler.Sample([new(new int[] { 1 }, 1, 0)], new(1))); // still usable
    }
}
