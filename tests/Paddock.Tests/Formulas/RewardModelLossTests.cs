using Paddock.Engine.Numerics;
using System.Text.Json;
using Paddock.Methods.Formulas;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Formulas;

public class RewardModelLossTests
{
    private static RewardModelLossResult Compute(double centre, params RewardPair[] pairs) =>
        RewardModelLoss.Compute(new(centre), pairs, new double[pairs.Length], new double[pairs.Length]);

    private static RewardPair[] Golden(double margin)
    {
        double[] rewards = TrlGolden.Doubles(TrlGolden.Root.GetProperty("reward").GetProperty("rewards"));
        return [.. Enumerable.Range(0, 4).Select(i => new RewardPair(rewards[i], rewards[i + 4], margin))];
    }

    [Fact]
    public void Losses_and_metrics_equal_the_reference()
    {
        JsonElement reward = TrlGolden.Root.GetProperty("reward"), metrics = reward.GetProperty("plain")[1];
        RewardModelLossResult plain = Compute(0, Golden(0));
        Assert.Equal(reward.GetProperty("plain")[0].GetDouble(), plain.Loss, 1e-12);
        Assert.Equal(reward.GetProperty("margin_0p5").GetDouble(), Compute(0, Golden(0.5)).Loss, 1e-12);
        Assert.Equal(reward.GetProperty("center_0p01").GetDouble(), Compute(0.01, Golden(0)).Loss, 1e-12);
        Dictionary<string, double> named = [];
        plain.AddTo(named);
        foreach (string name in new[] { "min_reward", "mean_reward", "max_reward", "accuracy", "margin" })
            Assert.Equal(metrics.GetProperty(name).GetDouble(), named[name], 1e-12);
        Assert.Equal(6, named.Count);
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0.5, 0.01, 1)]
    [InlineData(0, 0, 0.7)]
    [InlineData(0.3, 0.02, 0.2)]
    public void Gradients_are_finite_differences(double margin, double centre, double probability)
    {
        double[] scores = [1.2, 0.3, -0.5, 0.7, 0.9, -1.0], chosen = new double[3], rejected = new double[3], ignored = new double[3];
        RewardModelLoss.Compute(new(centre), Pairs(scores), chosen, rejected);
        for (int i = 0; i < 6; i++)
        {
            double expected = FiniteDifference.Of(scores, i, x => RewardModelLoss.Compute(new(centre), Pairs(x), ignored, new double[3]).Loss);
            Assert.Equal(expected, i < 3 ? chosen[i] : rejected[i - 3], 1e-8);
        }

        RewardPair[] Pairs(double[] x) => [.. Enumerable.Range(0, 3).Select(i => new RewardPair(x[i], x[i + 3], margin, probability))];
    }

    [Fact]
    public void Equal_scores_cost_log_two_and_are_not_accurate()
    {
        RewardModelLossResult result = Compute(0, new RewardPair(3, 3));
        Assert.Equal(ScalarMath.Ln2, result.Loss, 1e-15);
        Assert.Equal(0, result.Accuracy);
    }

    [Fact]
    public void Large_leads_stay_finite()
    {
        Assert.Equal(50, Compute(0, new RewardPair(-25, 25)).Loss, 1e-12);
        Assert.Equal(1e6, Compute(0, new RewardPair(-5e5, 5e5)).Loss, 1e-6);
        Assert.Equal(0, Compute(0, new RewardPair(5e5, -5e5)).Loss);
    }

    [Fact]
    public void A_shift_of_all_scores_changes_nothing_but_their_range()
    {
        RewardModelLossResult plain = Compute(0, new RewardPair(1, 0.25), new RewardPair(-2, 0.5)), shifted = Compute(0, new RewardPair(9, 8.25), new RewardPair(6, 8.5));
        Assert.Equal((plain.Loss, plain.Accuracy, plain.Margin), (shifted.Loss, shifted.Accuracy, shifted.Margin));
        Assert.Equal(plain.MeanReward + 8, shifted.MeanReward);
    }

    [Fact]
    public void Swapping_a_soft_pair_and_its_probability_changes_no_loss() =>
        Assert.Equal(Compute(0.01, new RewardPair(1, 0.25, 0.1, 0.8)).Loss, Compute(0.01, new RewardPair(0.25, 1, 0.1, 0.2)).Loss, 1e-15);

    [SharedTheory]
    [InlineData("reward_plain")]
    [InlineData("reward_margin")]
    [InlineData("reward_center")]
    [InlineData("reward_margin_center_accum2")]
    public void Every_step_of_a_recorded_run_has_its_loss(string run)
    {
        JsonElement root = TrlRun.Load(run), options = root.GetProperty("resolved_trainer_fields");
        double centre = options.GetProperty("center_rewards_coefficient") is { ValueKind: JsonValueKind.Number } c ? c.GetDouble() : 0;
        JsonElement batches = TrlRun.Batches(root);
        int micros = 0;
        foreach (JsonElement micro in TrlRun.Micros(root))
        {
            double[] scores = TrlGolden.Doubles(micro.GetProperty("rows").GetProperty("scores"));
            JsonElement batch = batches[micro.GetProperty("batch").GetInt32()];
            double[] margins = batch.TryGetProperty("margin", out JsonElement given) && given.ValueKind == JsonValueKind.Array ? TrlGolden.Doubles(given) : new double[scores.Length / 2];
            int n = scores.Length / 2;
            RewardPair[] pairs = [.. Enumerable.Range(0, n).Select(i => new RewardPair(scores[i], scores[i + n], margins[i]))];
            double expected = micro.GetProperty("loss").GetDouble();
            Assert.Equal(expected, Compute(centre, pairs).Loss, 1e-5 * Math.Max(1, Math.Abs(expected)));
            micros++;
        }
        Assert.True(micros >= 8);
    }
}
