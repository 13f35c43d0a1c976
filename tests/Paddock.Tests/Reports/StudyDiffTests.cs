using Paddock.Evaluation;
using Paddock.Reports;

namespace Paddock.Tests.Reports;

public class StudyDiffTests
{
    [Fact]
    public void A_study_does_not_differ_from_itself()
    {
        StudyDiff diff = StudyDiff.Of([SampleStudy.Quickstart()], [SampleStudy.Quickstart()]);
        Assert.Empty(diff.Settings);
        Assert.All(diff.Stages, stage => Assert.Equal("same", stage.State));
        Assert.All(diff.Numbers, number => Assert.False(number.Matters));
        Assert.All(diff.Numbers, number => Assert.True(double.IsNaN(number.P)));
        Assert.Null(diff.Comparable);
    }

    [Fact]
    public void Two_seeds_differ_by_less_than_their_errors()
    {
        StudyDiff diff = StudyDiff.Of([SampleStudy.Quickstart(1)], [SampleStudy.Quickstart(2)]);
        Assert.Equal([new("seed", "1", "2")], diff.Settings);
        Assert.All(diff.Stages, stage => Assert.Equal("other", stage.State));
        NumberDifference sft = diff.Numbers.Single(n => n.System == "sft" && n.Measure == "win rate by pool");
        // 0.4 points with an error of sqrt(2) * 0.87
        Assert.Equal(0.004, sft.Difference.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(2) * 0.0087, sft.Difference.StandardError, 1e-12);
        Assert.Equal(2 * Gaussian.Cdf(-0.004 / (Math.Sqrt(2) * 0.0087)), sft.P, 1e-12);
        Assert.All(diff.Numbers, n => Assert.False(n.Matters));
    }

    [Fact]
    public void A_large_difference_matters_and_a_small_one_beside_it_is_not_shown()
    {
        StudyDiff diff = StudyDiff.Of([SampleStudy.Small(System("sft", 0.50, 0.1), System("dpo", 0.50, 0.01))], [SampleStudy.Small(System("sft", 0.55, 0.1), System("dpo", 0.60, 0.01), System("new", 1, 0))]);
        Assert.Equal([false, true], diff.Numbers.Select(n => n.Matters));
        // of two tests the smaller p is doubled
        Assert.Equal(2 * diff.Numbers[1].P, diff.Numbers[1].AdjustedP, 1e-15);
        Assert.DoesNotContain(diff.Numbers, n => n.System == "new");

        static SystemResult System(string name, double rate, double error) => SampleStudy.System(name, new(new(rate, error, 10), 5, 0, 5, 0, null));
    }

    [Fact]
    public void Numbers_of_other_prompts_are_announced()
    {
        StudyDiff diff = StudyDiff.Of([SampleStudy.Quickstart()], [SampleStudy.Small(SampleStudy.System("sft", new(new(0.5, 0.1, 10), 5, 0, 5, 0, null)))]);
        Assert.Equal("the worlds differ", diff.Comparable);
        Assert.Equal("no win-rate stage in both", StudyDiff.Of([SampleStudy.Quickstart()], [SampleStudy.Empty()]).Comparable);
        Assert.Contains(diff.Stages, stage => stage is { Name: "dpo", State: "only in the first" });
        Assert.Empty(StudyDiff.Of([SampleStudy.Empty()], [SampleStudy.Empty()]).Numbers);
    }

    [Fact]
    public void Markdown_has_every_number_of_the_main_table()
    {
        string text = MarkdownReport.Render([SampleStudy.Quickstart()], SampleStudy.Date);
        Assert.StartsWith("# quickstart\n\nSeed 1, 2026-03-14.", text, StringComparison.Ordinal);
        Assert.Contains("| best-of-16 | 64.2 ± 0.9 | +16.1 ± 0.8 | 66.8 ± 1.0 | +13.6 ± 0.9 |", text, StringComparison.Ordinal);
        Assert.Contains("| rm | 61.2 | 59.1 to 63.3 |", text, StringComparison.Ordinal);
        Assert.Contains("nothing is corrected for many comparisons", text, StringComparison.Ordinal);
        // every row of a table has the cells of its head
        foreach (string[] table in text.Split("\n\n").Select(block => block.Split('\n').Where(line => line.StartsWith('|')).ToArray()).Where(table => table.Length > 0))
            Assert.Single(table.Select(line => line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')).Distinct());
    }

    [Fact]
    public void Names_cannot_break_a_markdown_table()
    {
        SystemResult system = SampleStudy.System("a|b\n<script>", new(new(0.5, 0.1, 8), 3, 2, 3, 2, null));
        string text = MarkdownReport.Render([SampleStudy.Small(system)], SampleStudy.Date);
        Assert.Contains(@"| a\|b \<script\> | 50.0 ± 10.0 (2 missing) |", text, StringComparison.Ordinal);
    }
}
