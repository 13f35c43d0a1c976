using System.Text.Json;
using Paddock.Engine.Numerics;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class BcoLossTests
{
    private const double Beta = 0.1;

    // rows 0-3 desirable, 4-7 undesirable
    private static LabelledLogProb[] Rows(double up = 0, double down = 0) => [.. Enumerable.Range(0, 8).Select(i =>
        new LabelledLogProb(new(TrlGolden.Tokens(i).Sum() + (i < 4 ? up : down) / Beta), new(TrlGolden.Reference[i]), i < 4))];

    [Fact]
    public void Two_steps_equal_the_reference()
    {
        RunningMean mean = default;
        foreach ((string step, LabelledLogProb[] rows) in new[] { ("first", Rows()), ("second", Rows(0.1, -0.1)) })
        {
            JsonElement golden = TrlGolden.Preferences.GetProperty("bco").GetProperty(step);
            mean = BcoLoss.Shift(mean, Beta, rows);
            BcoLossResult result = BcoLoss.Compute(Beta, mean.Value, rows, new double[8]);
            Assert.Equal(golden[3].GetDouble(), mean.Value, 1e-8); // the reference keeps its mean in float32
            Assert.Equal(TrlGolden.Doubles(golden[0]).Average(), result.Loss, 1e-8);
            Assert.Equal(TrlGolden.Doubles(golden[1]).Average(), result.Metrics.RewardsChosen, 1e-9);
            Assert.Equal(TrlGolden.Doubles(golden[2]).Average(), result.Metrics.RewardsRejected, 1e-9);
        }
        Assert.Equal(16, mean.Count);
    }

    [Fact]
    public void A_running_mean_is_the_mean_of_all()
    {
        double[] values = [1, -2, 5.5, 0.25, 1e6, -3];
        RunningMean mean = new RunningMean().With(values.AsSpan(0, 1)).With(values.AsSpan(1, 3)).With([]).With(values.AsSpan(4));
        Assert.Equal(values.Average(), mean.Value, 1e-9);
        Assert.Equal(values.Length, mean.Count);
    }

    [Fact]
    public void Gradients_are_finite_differences_with_the_shift_held()
    {
        LabelledLogProb[] rows = Rows();
        double[] sums = [.. rows.Select(row => row.Policy.Value)], gradient = new double[8];
        BcoLoss.Compute(Beta, -0.3, rows, gradient);
        for (int i = 0; i < 8; i++)
            Assert.Equal(FiniteDifference.Of(sums, i, x => BcoLoss.Compute(Beta, -0.3, [.. rows.Select((row, k) => row with { Policy = new(x[k]) })], new double[8]).Loss), gradient[i], 2e-8);
    }

    [Fact]
    public void A_policy_that_is_its_reference_costs_log_two()
    {
        LabelledLogProb[] rows = [new(new(-7), new(-7), true), new(new(-3), new(-3), false)];
        RunningMean mean = BcoLoss.Shift(default, Beta, rows);
        Assert.Equal(0, mean.Value);
        Assert.Equal(ScalarMath.Ln2, BcoLoss.Compute(Beta, mean.Value, rows, new double[2]).Loss, 1e-15);
    }

    [Fact]
    public void Log_ratios_of_fifty_and_far_beyond_stay_finite()
    {
        foreach (double ratio in new[] { -1e5, -50, 0, 50, 1e5 })
            foreach (bool desirable in new[] { true, false })
            {
                double[] gradient = new double[1];
                Assert.True(double.IsFinite(BcoLoss.Compute(1, 0, [new(new(ratio), new(0), desirable)], gradient).Loss) && double.IsFinite(gradient[0]));
            }
    }
}
