using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Methods;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

public class QuarkTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void Rewards_are_cut_into_equal_parts_and_the_remainder_goes_to_the_worst()
    {
        Assert.Equal([3, 0, 3, 2, 1, 0, 1, 3, 2, 3], Quark.QuantilesOf([-4, 9, 0.5, 1, 3, 7, 2.5, -1, 1.5, 0], 4));
        Assert.Equal([1, 0, 2], Quark.QuantilesOf([2, 3, 1], 4)); // one a part
        Assert.Equal([0, 0, 1, 1], Quark.QuantilesOf([5, 5, 5, 5], 2)); // equal rewards keep their order
        Assert.Equal([0, 0, 0], Quark.QuantilesOf([1, 2, 3], 1));
    }

    // at step 0 the policy is its reference: no divergence, so the loss is the likelihood of the kept answers under the model
    [Fact]
    public async Task The_first_step_has_no_divergence_and_keeps_the_best_alone()
    {
        using TinyModel tiny = new();
        StageMemory memory = (await MethodInvariantTests.RunAsync(MethodCase.Named("quark"), tiny, new MethodRun())).Memory;
        IReadOnlyDictionary<string, double> first = memory.Rows[0].Metrics;
        Assert.Equal(0, first["quark/kl"]);
        Assert.True(first["loss"] > 0);
        Assert.True(first["quark/reward_best"] >= first["quark/reward_mean"] && first["quark/reward_mean"] >= first["quark/reward_worst"]);
    }

    // what is rewarded is drawn more often: answers of the id 7
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0.2)] // the worse three quarters are learned as well, each behind its own control
    public async Task A_rewarded_word_is_learned(bool controls, double gain)
    {
        using TinyModel tiny = new();
        StageMemory memory = new();
        await using EmbeddedBackend backend = tiny.Open();
        await using TestStage stage = new(backend, memory);
        int[][] prompts = [.. Enumerable.Range(0, 16).Select(i => new[] { 2 + i, 3 })];
        await new Quark(new QuarkSettings(Batch: 16, Epochs: 40, LearningRate: 1e-2)).RunAsync(prompts, controls ? [[8], [9], [10], [11]] : [], 4, [TinyModel.End],
            (answers, _) => Task.FromResult<double[]>([.. answers.Select(a => (double)a.Tokens.Count(t => t == 7))]),
            await stage.OpenTrainableAsync("model", tiny.Spec(), None), await stage.OpenFrozenAsync("reference", tiny.Spec(), None), stage, None);
        double early = memory.Rows.Take(5).Average(r => r.Metrics["quark/reward_mean"]), late = memory.Rows.TakeLast(5).Average(r => r.Metrics["quark/reward_mean"]);
        Assert.True(late > early + gain, $"{early} at the start, {late} at the end");
    }
}
