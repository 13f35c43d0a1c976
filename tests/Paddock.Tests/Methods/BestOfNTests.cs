using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Methods;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

public sealed class BestOfNTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly SamplingOptions Sampling = SamplingOptions.Plain(6, 1f, [TinyModel.End]);

    private static readonly int[][] Prompts = [[2, 3], [4], [5, 6, 7], [8, 9], [10], [11, 12]];

    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(new[] { 1.0, 3.0, 2.0 }, 1)]
    [InlineData(new[] { 3.0, 1.0, 3.0 }, 0)]
    [InlineData(new[] { 1.0, 2.0, 2.0, 2.0 }, 1)]
    [InlineData(new[] { -5.0 }, 0)]
    [InlineData(new[] { double.NaN, -1.0, double.NaN }, 1)]
    [InlineData(new[] { -1.0, double.NaN, 0.0 }, 2)]
    [InlineData(new[] { double.NaN, double.NaN }, 0)]
    [InlineData(new[] { double.NegativeInfinity, double.NaN, double.NegativeInfinity }, 0)]
    [InlineData(new[] { double.NaN, double.NegativeInfinity }, 1)]
    [InlineData(new[] { 1.0, double.PositiveInfinity, double.PositiveInfinity }, 1)]
    public void The_first_of_the_best_is_chosen_and_what_is_no_number_never_wins(double[] rewards, int chosen)
    {
        BestOfNChoice choice = BestOfN.Choose(rewards);
        Assert.Equal(chosen, choice.Chosen);
        Assert.Equal(rewards, choice.Rewards);
    }

    [Fact]
    public void A_choice_is_that_of_sorting()
    {
        RandomStream stream = new(3, "rewards");
        for (int trial = 0; trial < 500; trial++)
        {
            double[] rewards = new double[1 + stream.NextInt(9)];
            for (int i = 0; i < rewards.Length; i++)
                rewards[i] = stream.NextInt(6) is var r and > 0 ? r : double.NaN;
            int expected = Enumerable.Range(0, rewards.Length).Where(i => !double.IsNaN(rewards[i])).OrderByDescending(i => rewards[i]).ThenBy(i => i).FirstOrDefault();
            Assert.Equal(expected, BestOfN.Choose(rewards).Chosen);
        }
    }

    [Fact]
    public async Task The_kept_answer_is_the_one_that_brute_force_finds()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel reward = await RewardAsync(backend);
        await using ISampler policy = await backend.OpenSamplerAsync(new CheckpointUri(_tiny.Weights), None);
        ulong[] streams = [.. Prompts.Select((_, i) => 50 + (ulong)i)];
        List<Completion> seen = [];
        IReadOnlyList<(Completion Kept, BestOfNChoice Choice)> kept = await new BestOfN(new BestOfNSettings(5)).RunAsync(Prompts, streams, policy, Sampling, new RewardScorer(reward), None, seen.Add);
        Assert.Equal(5 * Prompts.Length, seen.Count);
        HashSet<int> positions = [];
        for (int i = 0; i < Prompts.Length; i++)
        {
            // one prompt alone, one answer at a time
            List<Completion> answers = [];
            await foreach (Completion completion in policy.SampleAsync([new SampleRequest(Prompts[i], 5, streams[i])], Sampling, None))
                answers.Add(completion);
            answers.Sort((a, b) => a.Sample.CompareTo(b.Sample));
            int best = 0;
            float bestReward = float.NegativeInfinity;
            for (int s = 0; s < 5; s++)
            {
                float score = (await reward.ForwardAsync([Sequence.ForScore(Prompts[i], answers[s].Tokens.ToArray())], None)).Outputs[0].Span[^1];
                Assert.Equal(score, kept[i].Choice.Rewards[s], 1e-5);
                if (score > bestReward)
                    (best, bestReward) = (s, score);
            }
            Assert.Equal(best, kept[i].Choice.Chosen);
            Assert.Equal(answers[best].Tokens, kept[i].Kept.Tokens);
            positions.Add(best);
        }
        Assert.True(positions.Count > 1, "the best answer always stood at one place: the test shows nothing");
    }

    [Fact]
    public async Task A_score_depends_on_its_example_alone()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel reward = await RewardAsync(backend);
        TokenizedExample[] examples = MethodCase.Examples(new MethodRun());
        double[] together = await new RewardScorer(reward).ScoreAsync(examples, None), cut = await new RewardScorer(reward, microTokens: 7).ScoreAsync(examples, None);
        Assert.Equal(10, together.Distinct().Count());
        for (int i = 0; i < examples.Length; i++)
        {
            Assert.Equal(together[i], cut[i], 1e-5);
            Assert.Equal(together[i], (await new RewardScorer(reward).ScoreAsync([examples[i]], None))[0], 1e-5);
        }
    }

    [Fact]
    public async Task Expert_iteration_selects_chunk_by_chunk_what_it_selects_at_once()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel reward = await RewardAsync(backend);
        await using ISampler policy = await backend.OpenSamplerAsync(new CheckpointUri(_tiny.Weights), None);
        List<string> whole = await SelectAsync(chunk: 100, first: 0), cut = await SelectAsync(chunk: 2, first: 0), rest = await SelectAsync(chunk: 2, first: 4), none = await SelectAsync(chunk: 4, first: 6);
        Assert.Equal(6, whole.Count);
        Assert.Equal(whole, cut);
        Assert.Equal(whole[4..], rest);
        Assert.Empty(none);

        async Task<List<string>> SelectAsync(int chunk, int first)
        {
            List<string> kept = [];
            await using TestStage stage = new(backend, new StageMemory());
            await new ExpertIteration(new ExpertIterationSettings(N: 4, ChunkPrompts: chunk)).SelectAsync(Prompts, first, policy, Sampling, new RewardScorer(reward), stage, chosen =>
            {
                kept.AddRange(chosen.Select(c => $"{c.Choice.Chosen}: {string.Join(' ', c.Kept.Tokens)}"));
                return Task.CompletedTask;
            }, None);
            Assert.Equal(kept.Count == 0 ? (0, 0, null!) : (6L, 6L, "prompts"), stage.Last);
            return kept;
        }
    }

    [Fact]
    public async Task A_reward_annotator_says_the_sigmoid_of_the_difference_and_turns_with_the_answers()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel reward = await RewardAsync(backend);
        RewardAnnotator annotator = new("rm", new RewardScorer(reward), new ModelLibrary([]).OpenCodec(_tiny.Weights));
        Prompt prompt = Prompt.FromInstruction("a", "w2 w3");
        Response one = new("w4 w5"), two = new("w6", Finished: false);
        IReadOnlyList<Verdict> verdicts = await annotator.CompareAsync([new("1", prompt, one, two), new("2", prompt, two, one), new("3", prompt, one, one)], None);
        double[] scores = await new RewardScorer(reward).ScoreAsync([new([2, 3], [4, 5, TinyModel.End]), new([2, 3], [6])], None);
        Assert.Equal(1 / (1 + Math.Exp(scores[1] - scores[0])), verdicts[0].FirstPreferred!.Value, 1e-6);
        Assert.Equal(1, verdicts[0].FirstPreferred!.Value + verdicts[1].FirstPreferred!.Value, 1e-6);
        Assert.Equal(0.5, verdicts[2].FirstPreferred);
        Assert.NotEqual(scores[0], scores[1], 1e-3);
    }

    [Fact]
    public void Metrics_are_means_over_the_prompts()
    {
        Dictionary<string, double> metrics = new BestOfN(new BestOfNSettings(2)).Metrics([new BestOfNChoice(1, [1, 3]), new BestOfNChoice(0, [4, 0])]);
        Assert.Equal(2, metrics["bon/n"]);
        Assert.Equal(2, metrics["bon/reward_mean"]);
        Assert.Equal(3.5, metrics["bon/reward_selected"]);
        Assert.Equal(Math.Log(2) - 0.5, metrics["bon/kl_analytic"], 1e-12);
    }

    // a reward model that has learned something, so that rewards differ
    private async Task<ITrainableModel> RewardAsync(EmbeddedBackend backend)
    {
        ITrainableModel model = await backend.CreateAsync(_tiny.Spec(Head.Scalar), None);
        await using TestStage stage = new(backend, new StageMemory());
        await new RewardModel(new RewardModelSettings(4, 4, 2e-2)).RunAsync(MethodCase.Pairs(new MethodRun()), model, stage, None);
        return model;
    }
}
