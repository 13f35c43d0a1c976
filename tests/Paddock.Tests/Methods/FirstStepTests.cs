using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Methods;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

/// <summary>What the first step must read before anything is learned, and what soft labels converge to.</summary>
public sealed class FirstStepTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("reward model")]
    [InlineData("dpo")]
    [InlineData("dpo of adapters")]
    [InlineData("spin")]
    public async Task A_loss_on_pairs_starts_at_log_two(string name) =>
        Assert.Equal(Math.Log(2), (await FirstAsync(name))["loss"], 1e-12);

    [Theory]
    [InlineData("dpo")]
    [InlineData("dpo of adapters")]
    [InlineData("dpo with ipo")]
    public async Task A_policy_that_is_its_reference_has_no_rewards(string name)
    {
        IReadOnlyDictionary<string, double> first = await FirstAsync(name);
        foreach (string metric in (string[])["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"])
            Assert.Equal(0, first[metric]);
    }

    [Fact]
    public async Task Without_a_reference_rewards_are_log_probs()
    {
        IReadOnlyDictionary<string, double> first = await FirstAsync("dpo without a reference");
        Assert.Equal(0.1 * first["logps/chosen"], first["rewards/chosen"], 1e-12);
        Assert.Equal(0.1 * first["logps/rejected"], first["rewards/rejected"], 1e-12);
    }

    // drawn all the way after every step, the reference is the policy: nothing is ever rewarded
    [Fact]
    public async Task A_reference_that_moves_all_the_way_leaves_no_reward()
    {
        StageMemory memory = await TrainAsync(Head.Token, async (model, stage) => await new Dpo(new DpoSettings(SyncEvery: 1, SyncShare: 1, Batch: 4, Epochs: 2, LearningRate: 3e-3))
            .RunAsync(MethodCase.HardPairs(new MethodRun()), model, await stage.OpenTrainableAsync("reference", _tiny.Spec(), None), stage, None));
        Assert.All(memory.Rows, row => Assert.Equal(Math.Log(2), row.Metrics["loss"], 1e-12));
    }

    // (0 - 1 / (2 beta))^2 at beta 0.1
    [Fact]
    public async Task Ipo_starts_at_the_square_of_its_target() => Assert.Equal(25, (await FirstAsync("dpo with ipo"))["loss"], 1e-9);

    [Theory]
    [InlineData("kto", 0.5)]
    [InlineData("kto without an anchor", 0.5)]
    [InlineData("bco", 0.693147180559945)]
    public async Task A_loss_on_labels_starts_at_that_of_no_reward(string name, double expected)
    {
        IReadOnlyDictionary<string, double> first = await FirstAsync(name);
        Assert.Equal(expected, first["loss"], 1e-12);
        foreach (string metric in (string[])["rewards/chosen", "rewards/rejected", "rewards/margins"])
            Assert.True(first[metric] is 0 or double.NaN, metric);
        Assert.Equal(0, first[name == "bco" ? "delta" : "kl"]);
    }

    // mean log-probs of a random model are all but equal, so its log odds ratio is about 0
    [Fact]
    public async Task An_odds_ratio_starts_at_the_likelihood_and_nearly_log_two()
    {
        IReadOnlyDictionary<string, double> first = await FirstAsync("orpo");
        Assert.Equal(first["nll_loss"] - 0.5 * first["log_odds_ratio"], first["loss"], 1e-12);
        Assert.Equal(-Math.Log(2), first["log_odds_ratio"], 0.1);
    }

    [Fact]
    public async Task A_reward_model_with_a_zero_head_prefers_nothing()
    {
        IReadOnlyDictionary<string, double> first = await FirstAsync("reward model");
        foreach (string metric in (string[])["accuracy", "margin", "mean_reward", "min_reward", "max_reward"])
            Assert.Equal(0, first[metric]);
    }

    [Theory]
    [InlineData("sft")]
    [InlineData("sft of adapters")]
    [InlineData("sft without distributions")]
    [InlineData("expert iteration")]
    [InlineData("feedme")]
    [InlineData("pretraining")]
    public async Task A_likelihood_starts_at_what_scoring_says(string name)
    {
        MethodRun run = new(Rows: 4, Batch: 4, Epochs: 1);
        await using EmbeddedBackend backend = _tiny.Open();
        await using ISampler sampler = await backend.OpenSamplerAsync(new CheckpointUri(_tiny.Weights), None);
        double sum = 0, weight = 0;
        foreach (TokenizedExample example in MethodCase.Examples(run))
        {
            ReadOnlyMemory<float> scores = (await sampler.ScoreAsync([(int[])[.. example.Prompt, .. example.Response]], None))[0];
            for (int t = 0; t < example.Response.Length; t++)
            {
                double w = name == "pretraining" && t % 2 == 1 ? 2 : 1;
                sum -= w * scores.Span[example.Prompt.Length + t];
                weight += w;
            }
        }
        Assert.Equal(sum / weight, (await FirstAsync(name, run))["loss"], 1e-5);
    }

    // the control ids are read between prompt and answer, and are no targets: as many tokens are learned as the answers have
    [Fact]
    public async Task Control_tokens_are_read_and_not_learned()
    {
        TokenizedPair pair = MethodCase.Pairs(new MethodRun())[0];
        await using EmbeddedBackend backend = _tiny.Open();
        await using ISampler sampler = await backend.OpenSamplerAsync(new CheckpointUri(_tiny.Weights), None);
        double sum = 0;
        foreach ((int[] prompt, int[] response) in new[] { ((int[])[.. pair.Prompt, 5], pair.Chosen), ((int[])[.. pair.Prompt, 6, 7], pair.Rejected) })
        {
            ReadOnlyMemory<float> scores = (await sampler.ScoreAsync([(int[])[.. prompt, .. response]], None))[0];
            for (int t = 0; t < response.Length; t++)
                sum -= scores.Span[prompt.Length + t];
        }
        StageMemory memory = await TrainAsync(Head.Token, (model, stage) =>
            new RewardConditioning(new RewardConditioningSettings(new SftSettings(2, 1))).RunAsync([pair], [5], [6, 7], model, stage, None));
        Assert.Equal(pair.Chosen.Length + pair.Rejected.Length, memory.Rows[0].Metrics["num_tokens"]);
        Assert.Equal(sum / memory.Rows[0].Metrics["num_tokens"], memory.Rows[0].Metrics["loss"], 1e-5);
    }

    [Fact]
    public async Task Tokens_are_counted_over_the_run()
    {
        MethodRun run = new();
        (StageMemory sft, _) = await MethodInvariantTests.RunAsync(MethodCase.Named("sft"), _tiny, run);
        Assert.Equal(2 * MethodCase.Examples(run).Sum(e => e.Response.Length), sft.Rows[^1].Metrics["num_tokens"]);
        (StageMemory pretraining, _) = await MethodInvariantTests.RunAsync(MethodCase.Named("pretraining"), _tiny, run);
        TokenizedExample[] documents = MethodCase.Examples(run);
        Assert.Equal(Enumerable.Range(0, 24).Sum(i => documents[i % 10].Prompt.Length + documents[i % 10].Response.Length), pretraining.Rows[^1].Metrics["num_tokens"]);
    }

    [Theory]
    [InlineData(0.7)]
    [InlineData(0.4)]
    public async Task A_soft_label_is_learned_as_its_log_odds(double p)
    {
        TokenizedPair[] pairs = [new TokenizedPair([2, 3], [4, 5, 1], [6, 1], p)];
        StageMemory reward = await TrainAsync(Head.Scalar, (model, stage) => new RewardModel(new RewardModelSettings(1, 300, 5e-3)).RunAsync(pairs, model, stage, None));
        Assert.Equal(Math.Log(p / (1 - p)), reward.Rows[^1].Metrics["margin"], 0.02);
        StageMemory dpo = await TrainAsync(Head.Token, async (model, stage) =>
            await new Dpo(new DpoSettings(Beta: 0.5, Batch: 1, Epochs: 300, LearningRate: 5e-3)).RunAsync(pairs, model, await stage.OpenFrozenAsync("reference", _tiny.Spec(), None), stage, None));
        Assert.Equal(Math.Log(p / (1 - p)), dpo.Rows[^1].Metrics["rewards/margins"], 0.02);
        double entropy = -(p * Math.Log(p) + (1 - p) * Math.Log(1 - p));
        Assert.Equal(entropy, reward.Rows[^1].Metrics["loss"], 1e-3);
        Assert.Equal(entropy, dpo.Rows[^1].Metrics["loss"], 1e-3);
    }

    [Theory]
    [InlineData(Head.Scalar)]
    [InlineData(Head.Token)]
    public async Task An_even_label_asks_for_nothing(Head head)
    {
        TokenizedPair[] pairs = [new TokenizedPair([2, 3], [4, 5, 1], [6, 1], 0.5)];
        StageMemory memory = await TrainAsync(head, (model, stage) => OnPairsAsync(head, pairs, model, stage));
        Assert.All(memory.Rows, row => Assert.Equal(0, row.Metrics["grad_norm"]));
    }

    [Theory]
    [InlineData(Head.Scalar)]
    [InlineData(Head.Token)]
    public async Task A_pair_turned_around_with_its_label_is_the_same_pair(Head head)
    {
        TokenizedPair[] pairs = [new TokenizedPair([2, 3], [4, 5, 1], [6, 1], 0.8), new TokenizedPair([7], [8, 9], [10, 1])];
        TokenizedPair[] turned = [.. pairs.Select(p => new TokenizedPair(p.Prompt, p.Rejected, p.Chosen, 1 - p.Probability))];
        StageMemory expected = await TrainAsync(head, (model, stage) => OnPairsAsync(head, pairs, model, stage)), actual = await TrainAsync(head, (model, stage) => OnPairsAsync(head, turned, model, stage));
        string margin = head == Head.Scalar ? "margin" : "rewards/margins";
        for (int i = 0; i < expected.Rows.Count; i++)
        {
            Assert.Equal(expected.Rows[i].Metrics["loss"], actual.Rows[i].Metrics["loss"], 1e-5);
            Assert.Equal(expected.Rows[i].Metrics[margin], -actual.Rows[i].Metrics[margin], 1e-5);
        }
    }

    private async Task OnPairsAsync(Head head, TokenizedPair[] pairs, ITrainableModel model, StageContext stage)
    {
        if (head == Head.Scalar)
            await new RewardModel(new RewardModelSettings(2, 5, 3e-3)).RunAsync(pairs, model, stage, None);
        else
            await new Dpo(new DpoSettings(Batch: 2, Epochs: 5, LearningRate: 3e-3)).RunAsync(pairs, model, await stage.OpenFrozenAsync("reference", _tiny.Spec(), None), stage, None);
    }

    private async Task<IReadOnlyDictionary<string, double>> FirstAsync(string name, MethodRun? run = null) =>
        (await MethodInvariantTests.RunAsync(MethodCase.Named(name), _tiny, run ?? new MethodRun())).Memory.Rows[0].Metrics;

    private async Task<StageMemory> TrainAsync(Head head, Func<ITrainableModel, StageContext, Task> train)
    {
        StageMemory memory = new();
        await using EmbeddedBackend backend = _tiny.Open();
        await using TestStage stage = new(backend, memory);
        await train(await stage.OpenTrainableAsync("model", _tiny.Spec(head), None), stage);
        return memory;
    }
}
