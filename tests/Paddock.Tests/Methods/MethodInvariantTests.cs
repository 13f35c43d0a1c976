using System.Security.Cryptography;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

/// <summary>What every method owes its reader, whatever it optimises.</summary>
public class MethodInvariantTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private const int Steps = 6; // 10 rows in batches of 4, twice

    public static TheoryData<string> Names => MethodCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_batch_can_be_learned_by_heart(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel tiny = new();
        (StageMemory memory, _) = await RunAsync(method, tiny, new MethodRun(Rows: 3, Batch: 3, Epochs: 150, LearningRate: 2e-2));
        double first = memory.Rows[0].Metrics["loss"], last = memory.Rows[^1].Metrics["loss"];
        Assert.All(memory.Rows, row => Assert.True(double.IsFinite(row.Metrics["loss"])));
        // under adapters the random, tied embeddings stay as they are, and with them a bound on every logit of about 0.3
        double reach = method is { Lora: true, Head: Head.Token } ? 0.9 : method.Reach;
        Assert.True(last < reach * first, $"{first} at the start, {last} at the end");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_stopped_or_killed_run_goes_on_with_the_same_bits(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel tiny = new();
        MethodRun run = new();
        (StageMemory expected, string weights) = await RunAsync(method, tiny, run);
        Assert.Equal(Enumerable.Range(0, Steps), expected.Rows.Select(r => r.Step));
        for (int at = 1; at < Steps; at++)
        {
            StageMemory stopped = new(), killed = new();
            await Assert.ThrowsAsync<OperationCanceledException>(() => RunAsync(method, tiny, run, stopped, stopAt: at));
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(method, tiny, run, killed, every: 2, killAt: at));
            foreach (StageMemory memory in (StageMemory[])[stopped, killed])
            {
                (_, string actual) = await RunAsync(method, tiny, run, memory);
                Assert.Equal(weights, actual);
                AssertSame(expected, memory);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_finished_run_that_is_run_again_does_nothing(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel tiny = new();
        StageMemory memory = new();
        (_, string weights) = await RunAsync(method, tiny, new MethodRun(), memory, every: Steps);
        (_, string again) = await RunAsync(method, tiny, new MethodRun(), memory);
        Assert.Equal(weights, again);
        Assert.Equal(Steps, memory.Rows.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Micro_batches_change_nothing_but_rounding(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel tiny = new();
        (StageMemory whole, _) = await RunAsync(method, tiny, new MethodRun());
        foreach (int tokens in (int[])[1, 30])
        {
            (StageMemory cut, _) = await RunAsync(method, tiny, new MethodRun(MicroTokens: tokens));
            Assert.Equal(whole.Rows.Count, cut.Rows.Count);
            for (int i = 0; i < Steps; i++)
                foreach ((string metric, double value) in whole.Rows[i].Metrics)
                    Assert.True(value.Equals(cut.Rows[i].Metrics[metric]) || Math.Abs(value - cut.Rows[i].Metrics[metric]) <= 1e-5 * Math.Max(1, Math.Abs(value)), $"step {i}, {metric}: {value:r} whole, {cut.Rows[i].Metrics[metric]:r} cut");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Threads_change_no_bit(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel one = new(threads: 1), two = new(threads: 2);
        (StageMemory expected, string weights) = await RunAsync(method, one, new MethodRun());
        (StageMemory actual, string others) = await RunAsync(method, two, new MethodRun());
        Assert.Equal(weights, others);
        AssertSame(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_schedule_and_the_epoch_are_those_of_the_step(string name)
    {
        using TinyModel tiny = new();
        (StageMemory memory, _) = await RunAsync(MethodCase.Named(name), tiny, new MethodRun());
        Assert.Equal(1, memory.Rows[2].Metrics["epoch"] / (MethodCase.Named(name).Page == "pretraining" ? 0.5 : 1), 1e-12);
        Assert.Equal(0, memory.Rows[0].Metrics["learning_rate"]); // the first step of a warm-up
        Assert.Equal(3e-3, memory.Rows[1].Metrics["learning_rate"], 1e-12);
        Assert.All(memory.Rows, row => Assert.True(row.Metrics["grad_norm"] > 0));
    }

    private static void AssertSame(StageMemory expected, StageMemory actual)
    {
        Assert.Equal(expected.Rows.Count, actual.Rows.Count);
        for (int i = 0; i < expected.Rows.Count; i++)
        {
            Assert.Equal(expected.Rows[i].Step, actual.Rows[i].Step);
            Assert.Equal(expected.Rows[i].Metrics, actual.Rows[i].Metrics);
        }
    }

    // fingerprint of the weights and the optimizer at the end
    internal static async Task<(StageMemory Memory, string Weights)> RunAsync(MethodCase method, TinyModel tiny, MethodRun run, StageMemory? memory = null, int every = 0, int? stopAt = null, int? killAt = null)
    {
        memory ??= new StageMemory();
        await using EmbeddedBackend backend = tiny.Open($"{method.Name} {Guid(memory)}");
        await using TestStage stage = new(backend, memory, every, stopAt, killAt);
        ITrainableModel model = await stage.OpenTrainableAsync("model", method.Spec(tiny), None);
        await method.RunAsync(run, model, stage, tiny);
        CheckpointUri final = await model.SaveAsync("final", None);
        return (memory, string.Join(' ', Directory.EnumerateFiles(final.Value, "*.safetensors").Order(StringComparer.Ordinal).Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))))));
    }

    private static int Guid(StageMemory memory) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(memory);
}
