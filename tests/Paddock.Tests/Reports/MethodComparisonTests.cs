using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Reports;

namespace Paddock.Tests.Reports;

public class MethodComparisonTests
{
    // the made-up study shifts some of its win rates by 0.004 a seed
    [Fact]
    public void Seeds_become_a_mean_with_its_spread()
    {
        MethodComparison comparison = MethodComparison.Of([SampleStudy.Quickstart(1), SampleStudy.Quickstart(2), SampleStudy.Quickstart(3)]);
        Assert.Equal((3, "sft"), (comparison.Seeds, comparison.Baseline));
        Assert.Equal(["sft", "best-of-16", "expert iteration", "dpo"], comparison.Methods.Select(m => m.Name));
        ComparedMethod sft = comparison.Methods[0], dpo = comparison.Methods[3];
        Assert.Equal(0.485, sft.WinRate["pool"].Mean, 1e-12);
        Assert.Equal(0.004, sft.Spread["pool"]!.Value, 1e-12);
        Assert.Equal(0, sft.Spread["gold"]!.Value, 1e-12);
        Assert.Equal(0.004, dpo.Spread["gold"]!.Value, 1e-12);
        Assert.Equal(2.05, dpo.Kl!.Mean, 1e-12);
        Assert.Equal((530_400, 98.3), (dpo.Training.Tokens, dpo.Training.Seconds));
        Assert.Equal(0.00221, dpo.SecondsPerAnswer!.Value, 1e-12);
        Assert.All(comparison.Methods, m => Assert.Equal(0, m.Worse));
    }

    [Fact]
    public void One_seed_has_no_spread() =>
        Assert.All(MethodComparison.Of([SampleStudy.Quickstart()]).Methods, m => Assert.All(m.Spread.Values, Assert.Null));

    [Fact]
    public void A_seed_that_is_clearly_below_the_baseline_is_counted()
    {
        StudySummary good = SampleStudy.Quickstart(1), bad = SampleStudy.Quickstart(2);
        EvaluationSummary last = bad.Evaluations[^1];
        SystemResult[] systems = [.. last.Result.Systems.Select(s => s.Name != "dpo" ? s : s with
        {
            Annotators = s.Annotators.ToDictionary(a => a.Key, a => a.Value with { VersusBaseline = new Estimate(-0.1, a.Key == "rm" ? 0.02 : 0.2, 805) }),
        })];
        bad = bad with { Evaluations = [last with { Result = last.Result with { Systems = systems } }] };
        MethodComparison comparison = MethodComparison.Of([good, bad]);
        Assert.Equal([0, 0, 0, 1], comparison.Methods.Select(m => m.Worse));
    }

    [Fact]
    public void A_study_without_a_table_is_refused() =>
        Assert.Contains("win-rate", Assert.Throws<BadInputException>(() => MethodComparison.Of([SampleStudy.Empty()])).Message);
}
