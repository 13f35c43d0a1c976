using Paddock.Reports;
using Paddock.Reports.Charts;

namespace Paddock.Tests.Reports;

public class CurveTests
{
    [Fact]
    public void A_stage_shows_its_four_most_telling_metrics()
    {
        Assert.Equal(["loss", "rewards/accuracies", "rewards/margins", "rewards/chosen"], Curve.Of("dpo", [SampleStudy.Quickstart()]).Select(c => c.Metric));
        Assert.Equal(["loss", "mean_token_accuracy", "entropy", "learning_rate"], Curve.Of("sft", [SampleStudy.Quickstart()]).Select(c => c.Metric));
        Assert.Empty(Curve.Of("pairs", [SampleStudy.Quickstart()]));
    }

    [Fact]
    public void Counters_are_no_curves_and_unknown_metrics_come_before_the_learning_rate()
    {
        IReadOnlyList<(int, double)> line = [(0, 1), (1, 2)];
        StudySummary study = With(new() { ["learning_rate"] = line, ["epoch"] = line, ["num_tokens"] = line, ["novel"] = line, ["loss"] = line });
        Assert.Equal(["loss", "novel", "learning_rate"], Curve.Of("sft", [study]).Select(c => c.Metric));
    }

    [Fact]
    public void Values_that_are_not_finite_are_left_out()
    {
        StudySummary study = With(new() { ["loss"] = [(0, 3), (1, double.NaN), (2, double.PositiveInfinity), (3, 1e300), (4, 5)], ["kl"] = [(0, 1), (1, double.NaN)] });
        Curve curve = Assert.Single(Curve.Of("sft", [study]));
        Assert.Equal([(0, 3.0), (4, 5.0)], Assert.Single(curve.Lines));
        Assert.DoesNotContain("NaN", StudyReport.Render(study, SampleStudy.Date), StringComparison.Ordinal);
    }

    [Fact]
    public void Thinning_keeps_the_order_and_every_extreme()
    {
        (int Step, double Value)[] line = [.. Enumerable.Range(0, 5000).Select(i => (i, i == 1234 ? 99.0 : i == 4321 ? -99.0 : Math.Sin(i)))];
        IReadOnlyList<(int Step, double Value)> thin = Curve.Thin(line);
        Assert.InRange(thin.Count, 80, 160);
        Assert.Contains((1234, 99.0), thin);
        Assert.Contains((4321, -99.0), thin);
        Assert.Equal(thin.OrderBy(p => p.Step), thin);
    }

    [Fact]
    public void Smoothing_leaves_a_straight_line_and_averages_noise_away()
    {
        (int Step, double Value)[] line = [.. Enumerable.Range(0, 400).Select(i => (i, 2.0 * i))], noise = [.. Enumerable.Range(0, 400).Select(i => (i, i % 2 == 0 ? 1.0 : -1.0))];
        Assert.All(Curve.Smooth(line), p => Assert.Equal(2.0 * p.Step, p.Value, 1e-9));
        Assert.All(Curve.Smooth(noise), p => Assert.InRange(p.Value, -0.2, 0.2));
        Assert.Equal([(3, 1.0), (4, -1.0)], Curve.Smooth([(3, 1.0), (4, -1.0)]));
        // a jump at the start must not be carried on below the lowest value
        (int Step, double Value)[] jump = [.. Enumerable.Range(0, 60).Select(i => (i, i < 3 ? 0.0 : 0.5))];
        Assert.All(Curve.Smooth(jump), p => Assert.InRange(p.Value, 0, 0.5));
    }

    [Fact]
    public void Ticks_are_round_and_inside_the_axis()
    {
        Assert.Equal(["0", "0.2", "0.4", "0.6", "0.8", "1.0"], Axis.Over(0, 1, 0, 100).Ticks(5).Select(t => t.Label));
        Assert.Equal(["1e-4", "2e-4", "3e-4", "4e-4", "5e-4"], Axis.Over(5e-5, 5e-4, 0, 100).Ticks(5).Select(t => t.Label));
        Assert.Equal(["0", "100", "200", "300"], Axis.Over(0, 329, 0, 100).Ticks(4).Select(t => t.Label));
        Axis flat = Axis.Over(3, 3, 0, 100);
        Assert.Equal(50, flat.At(3));
        Assert.NotEmpty(flat.Ticks(3));
    }

    private static StudySummary With(Dictionary<string, IReadOnlyList<(int, double)>> curves)
    {
        StudySummary study = SampleStudy.Empty();
        return study with { Stages = [study.Stages[0] with { Curves = curves }] };
    }
}
