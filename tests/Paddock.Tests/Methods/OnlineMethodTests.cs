using System.Security.Cryptography;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Methods;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

/// <summary>What every method that samples its own data owes its reader.</summary>
public class OnlineMethodTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<string> Names => OnlineCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_reward_is_learned(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        // Nash-MD learns from a probability, which small differences hardly move
        double unit = method.Page == "nash-md" ? 10 : 1, rate = method.Lora ? 5e-2 : 1e-2;
        RewardOf reward = async (rollouts, cancellation) => [.. (await OnlineRun.Share(rollouts, cancellation)).Select(r => unit * r)];
        (StageMemory memory, _, _) = await RunAsync(method, tiny, new OnlineRun(Steps: 60, Prompts: 6, LearningRate: rate, Reward: reward, Schedule: "constant"));
        string metric = memory.Rows[0].Metrics.ContainsKey("reward") ? "reward" : "objective/scores";
        double first = memory.Rows.Take(15).Average(r => r.Metrics[metric]) / unit, last = memory.Rows.TakeLast(15).Average(r => r.Metrics[metric]) / unit;
        Assert.All(memory.Rows, row => Assert.True(double.IsFinite(row.Metrics["loss"])));
        // random, tied embeddings bound what adapters can reach
        Assert.True(last > first + (method.Lora ? 0 : 0.1), $"reward {first} at the start, {last} at the end");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_stopped_or_killed_run_goes_on_with_the_same_bits(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        OnlineRun run = new();
        (StageMemory expected, string weights, _) = await RunAsync(method, tiny, run);
        Assert.Equal(Enumerable.Range(0, run.Steps), expected.Rows.Select(r => r.Step));
        foreach (int at in (int[])[1, 3])
        {
            StageMemory stopped = new(), killed = new();
            await Assert.ThrowsAsync<OperationCanceledException>(() => RunAsync(method, tiny, run, stopped, stopAt: at));
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(method, tiny, run, killed, every: 2, killAt: at));
            foreach (StageMemory memory in (StageMemory[])[stopped, killed])
            {
                (_, string actual, _) = await RunAsync(method, tiny, run, memory);
                Assert.Equal(weights, actual);
                AssertSame(expected, memory);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_finished_run_that_is_run_again_does_nothing(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        StageMemory memory = new();
        (_, string weights, _) = await RunAsync(method, tiny, new OnlineRun(), memory, every: 4);
        (_, string again, _) = await RunAsync(method, tiny, new OnlineRun(), memory);
        Assert.Equal(weights, again);
        Assert.Equal(4, memory.Rows.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Threads_change_no_bit(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel one = new(threads: 1), two = new(threads: 2);
        (StageMemory expected, string weights, _) = await RunAsync(method, one, new OnlineRun(Steps: 2));
        (StageMemory actual, string others, _) = await RunAsync(method, two, new OnlineRun(Steps: 2));
        Assert.Equal(weights, others);
        AssertSame(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Micro_batches_change_nothing_but_rounding(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        (StageMemory whole, _, _) = await RunAsync(method, tiny, new OnlineRun(Steps: 2));
        (StageMemory cut, _, _) = await RunAsync(method, tiny, new OnlineRun(Steps: 2, MicroTokens: 1));
        for (int i = 0; i < whole.Rows.Count; i++)
            foreach ((string metric, double value) in whole.Rows[i].Metrics)
            {
                double other = cut.Rows[i].Metrics[metric];
                Assert.True(value.Equals(other) || Math.Abs(value - other) <= 2e-5 * Math.Max(1, Math.Abs(value)), $"step {i}, {metric}: {value:r} whole, {other:r} cut");
            }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_starts_at_its_reference(string name)
    {
        using TinyModel tiny = new();
        (StageMemory memory, _, _) = await RunAsync(OnlineCase.Named(name), tiny, new OnlineRun(Steps: 1));
        IReadOnlyDictionary<string, double> first = memory.Rows[0].Metrics;
        string kl = first.ContainsKey("kl") ? "kl" : "objective/kl";
        if (!double.IsNaN(first[kl]))
            Assert.Equal(0, first[kl], 1e-4);
        // a random model of 24 words: log 24 nats a word, nearly
        string entropy = first.ContainsKey("entropy") ? "entropy" : "policy/entropy_avg";
        Assert.Equal(Math.Log(TinyModel.Vocabulary), first[entropy], 0.3);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Answers_without_a_reward_teach_nothing(string name)
    {
        // the entropy bonus, the KL term and the value model need no reward, and are nought or left where they were at the first step
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        RewardOf none = (rollouts, _) => Task.FromResult(rollouts.Select(_ => double.NaN).ToArray());
        (StageMemory memory, _, List<string> warnings) = await RunAsync(method, tiny, new OnlineRun(Steps: 1, Reward: none));
        if (name != "grpo with entropy")
            Assert.Equal(0, memory.Rows[0].Metrics["grad_norm"], 1e-5);
        Assert.Contains(warnings, w => w.Contains("got no reward", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_best_policy_of_a_run_is_kept()
    {
        using TinyModel tiny = new();
        double[] scores = [0.2, 0.9, 0.5];
        int looks = 0;
        Selection selection = new(2, (_, _) => Task.FromResult(scores[looks++]));
        StageMemory memory = new();
        await using EmbeddedBackend backend = tiny.Open();
        await using TestStage stage = new(backend, memory);
        OnlineCase method = OnlineCase.Named("rloo");
        ITrainableModel model = await stage.OpenTrainableAsync("model", tiny.Spec(), None);
        BestPolicy best = await method.RunAsync(new OnlineRun(Steps: 5, Selection: selection), model, stage, tiny);
        Assert.Equal((4, 0.9), (best.Step, best.Score));
        Assert.Equal(3, looks); // after 2 and 4 steps, and at the end
        Assert.Equal([double.NaN, 0.2, double.NaN, 0.9, 0.5], memory.Rows.Select(r => r.Metrics["selection/score"]));
        await using ITrainableModel kept = await backend.RestoreAsync(new CheckpointUri(best.Saved!), withOptimizer: false, None);
        Assert.NotEqual(await WeightsAsync(kept, "kept"), await WeightsAsync(model, "last"));
    }

    [Fact]
    public async Task Ppo_stops_when_it_has_gone_too_far()
    {
        using TinyModel tiny = new();
        StageMemory memory = new();
        await using EmbeddedBackend backend = tiny.Open();
        await using TestStage stage = new(backend, memory);
        ITrainableModel policy = await stage.OpenTrainableAsync("model", tiny.Spec(), None), reference = await stage.OpenFrozenAsync("reference", tiny.Spec(), None);
        PpoSettings settings = new(Baseline: PpoBaseline.LeaveOneOut, Prompts: 2, Steps: 50, StopKl: 0.5, Kl: 0, LearningRate: 3e-2);
        await new Ppo(settings).RunAsync([[2, 3], [4, 5, 6]], OnlineRun.Share, policy, reference, null, OnlineRun.MaxTokens, [TinyModel.End], null, stage, None);
        Assert.InRange(memory.Rows.Count, 2, 49);
        Assert.True(memory.Rows[^1].Metrics["objective/kl"] > 0.5);
        Assert.All(memory.Rows.SkipLast(1), row => Assert.True(row.Metrics["objective/kl"] <= 0.5));
        Assert.Contains(stage.Warnings, w => w.Contains("beyond stop-kl 0.5", StringComparison.Ordinal));
    }

    private static void AssertSame(StageMemory expected, StageMemory actual)
    {
        Assert.Equal(expected.Rows.Count, actual.Rows.Count);
        for (int i = 0; i < expected.Rows.Count; i++)
            Assert.Equal(expected.Rows[i].Metrics, actual.Rows[i].Metrics);
    }

    // fingerprint of the weights and the optimizer at the end
    internal static async Task<(StageMemory Memory, string Weights, List<string> Warnings)> RunAsync(OnlineCase method, TinyModel tiny, OnlineRun run, StageMemory? memory = null, int every = 0, int? stopAt = null, int? killAt = null)
    {
        memory ??= new StageMemory();
        await using EmbeddedBackend backend = tiny.Open($"{method.Name} {System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(memory)}");
        await using TestStage stage = new(backend, memory, every, stopAt, killAt);
        ITrainableModel model = await stage.OpenTrainableAsync("model", tiny.Spec(Head.Token, method.Lora ? TinyModel.Lora : null), None);
        await method.RunAsync(run, model, stage, tiny);
        return (memory, await WeightsAsync(model, "final"), stage.Warnings);
    }

    private static async Task<string> WeightsAsync(ITrainableModel model, string name)
    {
        CheckpointUri final = await model.SaveAsync(name, None);
        return string.Join(' ', Directory.EnumerateFiles(final.Value, "*.safetensors").Order(StringComparer.Ordinal).Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))));
    }
}
