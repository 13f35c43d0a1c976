using System.Text.Json;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class KtoLossTests
{
    private static readonly JsonElement Golden = TrlGolden.Preferences.GetProperty("kto");

    public static TheoryData<KtoLossType> AllTypes => [.. Enum.GetValues<KtoLossType>()];

    private static KtoLossResult Compute(KtoLossOptions options, double anchor, params LabelledLogProb[] rows) => KtoLoss.Compute(options, anchor, rows, new double[rows.Length]);

    private static LabelledLogProb Row(double ratio, bool desirable) => new(new(ratio - 20), new(-20), desirable);

    private static double AnchorOf(string policy, string reference) =>
        KtoLoss.Anchor([.. TrlGolden.Doubles(Golden.GetProperty(policy)).Zip(TrlGolden.Doubles(Golden.GetProperty(reference)), (p, r) => p - r)]);

    [Fact]
    public void Losses_equal_the_reference()
    {
        LabelledLogProb[] rows = TrlGolden.Labelled();
        double anchor = AnchorOf("KL_policy", "KL_ref"), negative = AnchorOf("KL_ref", "KL_policy");
        Assert.Equal(0.325, anchor, 1e-12);
        Assert.Equal(0, negative);
        Assert.Equal(Golden.GetProperty("kto")[0].GetDouble(), Compute(new(), anchor, rows).Loss, 1e-9);
        Assert.Equal(Golden.GetProperty("kto_weights_1p33_0p75").GetDouble(), Compute(new(DesirableWeight: 1.33, UndesirableWeight: 0.75), anchor, rows).Loss, 1e-9);
        Assert.Equal(Golden.GetProperty("kto_negative_kl_clamped")[0].GetDouble(), Compute(new(), negative, rows).Loss, 1e-9);
        Assert.Equal(Golden.GetProperty("apo_zero_unpaired").GetDouble(), Compute(new(KtoLossType.ApoZeroUnpaired), anchor, rows).Loss, 1e-9);
    }

    [Fact]
    public void Metrics_equal_the_reference()
    {
        KtoLossResult result = Compute(new(), AnchorOf("KL_policy", "KL_ref"), TrlGolden.Labelled());
        Dictionary<string, double> metrics = new() { ["kl"] = result.Kl };
        result.Metrics.AddTo(metrics);
        Assert.Equal(6, metrics.Count);
        foreach ((string name, double value) in metrics)
            Assert.Equal(Golden.GetProperty("kto")[1].GetProperty(name).GetDouble(), value, 1e-12);
    }

    // 1 - s(0.1 (2 - 0.4)) and 1 - s(0.1 (0.4 + 1.5))
    [Theory]
    [InlineData(2, true, 0.4600851)]
    [InlineData(-1.5, false, 0.4526424)]
    public void Worked_examples(double ratio, bool desirable, double expected) => Assert.Equal(expected, Compute(new(), 0.4, Row(ratio, desirable)).Loss, 1e-7);

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Gradients_are_finite_differences_with_the_anchor_held(KtoLossType type)
    {
        KtoLossOptions options = new(type, 0.3, 1.33, 0.75);
        LabelledLogProb[] rows = TrlGolden.Labelled();
        double[] sums = [.. rows.Select(row => row.Policy.Value)], gradient = new double[rows.Length];
        KtoLoss.Compute(options, 0.325, rows, gradient);
        for (int i = 0; i < rows.Length; i++)
        {
            double expected = FiniteDifference.Of(sums, i, x => Compute(options, 0.325, [.. rows.Select((row, k) => row with { Policy = new(x[k]) })]).Loss);
            Assert.Equal(expected, gradient[i], 2e-7 * Math.Max(1, Math.Abs(expected)));
            Assert.True(rows[i].Desirable ? gradient[i] < 0 : gradient[i] > 0);
        }
    }

    [Fact]
    public void The_anchor_is_a_mean_first_and_clamped_after()
    {
        Assert.Equal(1, KtoLoss.Anchor([-3, 5]));
        Assert.Equal(0, KtoLoss.Anchor([-3, 1]));
        Assert.Equal(0, KtoLoss.Anchor([]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_step_of_one_class_has_a_loss_and_does_not_measure_the_other(bool desirable)
    {
        KtoLossResult result = Compute(new(), 0.4, Row(1, desirable), Row(-2, desirable));
        Assert.True(double.IsFinite(result.Loss));
        Assert.Equal(desirable, double.IsNaN(result.Metrics.RewardsRejected));
        Assert.Equal(!desirable, double.IsNaN(result.Metrics.RewardsChosen));
        Assert.True(double.IsNaN(result.Metrics.RewardsMargins));
    }

    [Fact]
    public void The_mean_runs_over_all_rows_whatever_their_class()
    {
        LabelledLogProb up = Row(1, true), down = Row(-2, false);
        Assert.Equal((3 * Compute(new(), 0, up).Loss + Compute(new(), 0, down).Loss) / 4, Compute(new(), 0, up, up, down, up).Loss, 1e-15);
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void A_policy_that_is_its_reference_costs_a_half_without_a_reward(KtoLossType type)
    {
        KtoLossResult result = Compute(new(type), 0, Row(0, true), Row(0, false));
        Assert.Equal((0.5, 0.0, 0.0), (result.Loss, result.Metrics.RewardsChosen, result.Metrics.RewardsRejected));
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Log_ratios_of_fifty_and_far_beyond_stay_finite(KtoLossType type)
    {
        foreach (double ratio in new[] { -1e4, -50, 0, 50, 1e4 })
            foreach (bool desirable in new[] { true, false })
            {
                double[] gradient = new double[1];
                KtoLossResult result = KtoLoss.Compute(new(type, 1), 1e3, [Row(ratio, desirable)], gradient);
                Assert.True(result.Loss is >= 0 and <= 1 && double.IsFinite(gradient[0]), $"{ratio} {desirable}");
            }
    }
}
