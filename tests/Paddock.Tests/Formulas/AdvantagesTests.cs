using System.Text.Json;
using Paddock.Methods;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class AdvantagesTests
{
    private static readonly JsonElement Golden = OnlineGolden.Root.GetProperty("grpo_advantages");

    private static readonly double[][] Rewards = OnlineGolden.Rows(Golden.GetProperty("rewards_per_func"));

    private static readonly double[] Weights = TrlGolden.Doubles(Golden.GetProperty("weights"));

    private static readonly double[] Combined = [.. Rewards.Select(row => GroupAdvantages.Combine(row, Weights))];

    [Theory]
    [InlineData("sum_then_normalize/group", RewardScale.Group)]
    [InlineData("sum_then_normalize/batch", RewardScale.Batch)]
    [InlineData("sum_then_normalize/none", RewardScale.None)]
    public void Advantages_of_a_group_equal_the_reference(string name, RewardScale scale) =>
        Compare(TrlGolden.Doubles(Golden.GetProperty(name)), GroupAdvantages.Of(Combined, 4, scale), 1e-6);

    [Fact]
    public void Standardising_each_reward_first_equals_the_reference() =>
        Compare(TrlGolden.Doubles(Golden.GetProperty("normalize_then_sum/group")), GroupAdvantages.NormaliseThenSum(Rewards, Weights, 4), 1e-6);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Leave_one_out_equals_the_reference(bool normalise)
    {
        // old = -(0.1 i + 0.1), two tokens a row; ref = old - 0.05 row
        double[] kl = [.. Enumerable.Range(0, 8).Select(row => 2 * 0.05 * row)];
        double[] actual = Rloo.Advantages(new RlooSettings(Samples: 4, Kl: 0.05, RewardClip: 1.5, Normalise: normalise), Combined, kl);
        Compare(TrlGolden.Doubles(OnlineGolden.Root.GetProperty($"rloo_advantages normalize={normalise}")), actual, 1e-6);
    }

    [Fact]
    public void Equal_rewards_teach_nothing()
    {
        double[] same = [2, 2, 2, 2];
        foreach (RewardScale scale in Enum.GetValues<RewardScale>())
            Assert.All(GroupAdvantages.Of(same, 2, scale), a => Assert.Equal(0, a));
        Assert.All(GroupAdvantages.LeaveOneOut(same, 2), a => Assert.Equal(0, a));
        Assert.Equal(1, GroupAdvantages.FlatShare(same, 2));
        Assert.Equal(0.5, GroupAdvantages.FlatShare([1, 2, 2, 2], 2));
    }

    [Fact]
    public void A_reward_that_was_not_given_is_not_zero()
    {
        double[] rewards = [1, 3, double.NaN, double.NaN, 5, double.NaN, double.NaN, double.NaN];
        Assert.Equal([-2, 2, 0, 0, 0, 0, 0, 0], GroupAdvantages.LeaveOneOut(rewards, 4));
        Assert.Equal([-1, 1, 0, 0, 0, 0, 0, 0], GroupAdvantages.Of(rewards, 4, RewardScale.None));
        Assert.All(GroupAdvantages.Of(rewards, 4, RewardScale.Group), a => Assert.True(double.IsFinite(a)));
        Assert.All(GroupAdvantages.Of([double.NaN, double.NaN], 2, RewardScale.Batch), a => Assert.Equal(0, a));
        Assert.True(double.IsNaN(GroupAdvantages.Combine([double.NaN, double.NaN], [1, 1])));
    }

    [Fact]
    public void Whitening_equals_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("masked_whiten");
        double[][] x = [[1, 2, 3], [4, 5]];
        (double mean, double variance) = Gae.Moments(x, unbiased: true);
        Assert.Equal((golden.GetProperty("mean").GetDouble(), golden.GetProperty("var").GetDouble()), (mean, variance));
        Assert.Equal(2.0, Gae.Moments(x, unbiased: false).Variance);
        foreach ((string field, bool shift) in (ReadOnlySpan<(string, bool)>)[("whiten", true), ("noshift", false)])
        {
            double[][] white = [[.. x[0]], [.. x[1]]], expected = OnlineGolden.Rows(golden.GetProperty(field));
            Gae.Whiten(white, (mean, variance), shift);
            for (int i = 0; i < 2; i++)
                Compare(expected[i][..white[i].Length], white[i], 1e-6);
        }
    }

    // gamma = lambda = 1 telescopes: what is still to come, less what was expected
    [Fact]
    public void Advantages_without_discount_are_what_is_to_come()
    {
        double[] rewards = [1, -2, 4], values = [0.5, 0.25, -1];
        Assert.Equal([2.5, 1.75, 5], Gae.Advantages(rewards, values, 1, 1));
        Assert.Equal([0.75, -3.25, 5], Gae.Advantages(rewards, values, 1, 0)); // one step of lookahead
        double[] discounted = Gae.Advantages(rewards, [0, 0, 0], 0.5, 1);
        Assert.Equal([1 - 1 + 1, -2 + 2, 4], discounted);
    }

    [Fact]
    public void A_quantile_interpolates() => Assert.Equal((2.5, 1.0, 4.0), (Quantiles.Linear([4, 1, 3, 2], 0.5), Quantiles.Linear([4, 1, 3, 2], 0), Quantiles.Linear([4, 1, 3, 2], 1)));

    [Fact]
    public void A_baseline_is_subtracted_before_scaling()
    {
        Assert.Equal([-1, 1, 0], Reinforce.Advantages([1, 3, double.NaN], 2, normalise: false));
        double[] scaled = Reinforce.Advantages([1, 3], 0, normalise: true);
        Assert.Equal(3, scaled[1] / scaled[0], 1e-12);
        Assert.Equal([-1], Reinforce.Advantages([1], 2, normalise: true)); // one answer has no spread
    }

    private static void Compare(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance);
    }
}
