using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class WinRateTests
{
    private static readonly double?[] Scores = [1, 0.5, 0, 0, 1, 1, 0.5, 0];
    private static readonly string[] Clusters = ["a", "a", "b", "b", "c", "c", "d", "d"];

    [Fact]
    public void The_standard_error_is_the_sample_deviation_over_root_n()
    {
        WinRateResult result = WinRate.Of(Scores);
        Assert.Equal(0.5, result.Rate.Mean);
        Assert.Equal(0.16366341767699427, result.Rate.StandardError, 1e-15);
        Assert.Equal((8, "normal", "prompts"), (result.Rate.N, result.Rate.Method, result.Rate.Unit));
        Assert.Equal(0.5 - 1.959963984540054 * 0.16366341767699427, result.Rate.Low, 1e-15);
        Assert.Equal((3, 2, 3, 0), (result.Wins, result.Ties, result.Losses, result.Missing));
        Assert.Equal(0.5, result.DiscreteRate);
    }

    [Fact]
    public void Verdicts_of_one_prompt_are_clustered()
    {
        WinRateResult result = WinRate.Clustered(Scores, Clusters);
        Assert.Equal(0.5, result.Rate.Mean);
        Assert.Equal(0.2282177322938192, result.Rate.StandardError, 1e-15);
        Assert.Equal(4, result.Rate.N);
    }

    [Fact]
    public void One_verdict_a_prompt_needs_no_clustering() =>
        Assert.Equal(WinRate.Of(Scores).Rate.StandardError, WinRate.Clustered(Scores, ["1", "2", "3", "4", "5", "6", "7", "8"]).Rate.StandardError, 1e-15);

    [Fact]
    public void Copying_every_prompt_leaves_the_clustered_interval_as_it_was()
    {
        Interval once = WinRate.Clustered(Scores, Clusters).Rate, twice = WinRate.Clustered([.. Scores, .. Scores], [.. Clusters, .. Clusters]).Rate;
        Assert.Equal((once.Mean, once.N), (twice.Mean, twice.N));
        Assert.Equal(once.StandardError, twice.StandardError, 1e-15);
    }

    [Fact]
    public void Equal_weights_are_the_clustered_rate()
    {
        Interval clustered = WinRate.Clustered(Scores, Clusters).Rate, weighted = WinRate.Weighted(Scores, [2, 2, 2, 2, 2, 2, 2, 2], Clusters).Rate;
        Assert.Equal((clustered.Mean, clustered.N), (weighted.Mean, weighted.N));
        Assert.Equal(clustered.StandardError, weighted.StandardError, 1e-15);
    }

    [Fact]
    public void A_weighted_rate_is_a_ratio_of_sums()
    {
        // totals (S, W): (1, 2) and (3, 4): p = 4/6, residuals 1 - 4/3 and 3 - 8/3, V = (2/9)/2, mean W 3
        WinRateResult result = WinRate.Weighted([0.5, 0.75, null], [2, 4, 9], ["a", "b", "c"]);
        Assert.Equal(2.0 / 3, result.Rate.Mean, 1e-15);
        Assert.Equal(Math.Sqrt(1.0 / 9) / 3, result.Rate.StandardError, 1e-15);
        Assert.Equal((2, 1), (result.Rate.N, result.Missing));
        Assert.Throws<ArgumentOutOfRangeException>(() => WinRate.Weighted([1], [-1], ["a"]));
    }

    [Theory]
    [InlineData(17, 805, 0.013226203587095453, 0.03355856295524731)]
    [InlineData(0, 10, 0, 0.2775327998628892)]
    [InlineData(10, 10, 0.7224672001371108, 1)]
    [InlineData(5, 10, 0.236593090512564, 0.7634069094874361)]
    public void Wilson_of_a_binary_rate(int wins, int n, double low, double high)
    {
        Interval interval = WinRate.Wilson(wins, n);
        Assert.Equal(low, interval.Low, 1e-15);
        Assert.Equal(high, interval.High, 1e-15);
    }

    [Fact]
    public void Missing_verdicts_are_counted_and_never_scored()
    {
        WinRateResult with = WinRate.Of([1, null, 0.5, 0, null]), without = WinRate.Of([1, 0.5, 0]);
        Assert.Equal(without.Rate, with.Rate);
        Assert.Equal((2, 0), (with.Missing, without.Missing));
        Assert.Equal(1, WinRate.Clustered([1, null], ["a", "b"]).Missing);
    }

    [Fact]
    public void A_clean_sweep_has_an_interval_all_the_same()
    {
        Interval rate = WinRate.Of([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).Rate;
        Assert.Equal((1, "Wilson", 1), (rate.Mean, rate.Method, rate.High));
        Assert.Equal(1 - 0.2775327998628892, rate.Low, 1e-15);
    }

    [Fact]
    public void No_verdict_and_one_verdict_leave_open_what_they_cannot_say()
    {
        WinRateResult none = WinRate.Of([null, null]), one = WinRate.Of([0.5]);
        Assert.True(double.IsNaN(none.Rate.Mean) && double.IsNaN(none.Rate.Low) && double.IsNaN(none.DiscreteRate));
        Assert.True(double.IsNaN(one.Rate.StandardError) && double.IsNaN(one.Rate.High));
        Assert.True(double.IsNaN(WinRate.Clustered([1, 0], ["a", "a"]).Rate.StandardError));
    }

    [Fact]
    public void A_score_outside_the_unit_interval_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => WinRate.Of([1.5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => WinRate.Of([double.NaN]));
    }

    [Fact]
    public void A_judge_that_always_says_first_scores_one_half_after_both_orders()
    {
        double?[] scores = [.. Enumerable.Range(0, 9).Select(_ => WinRate.CombineOrders(1, 1))];
        Assert.Equal((0.5, 9), (WinRate.Of(scores).Rate.Mean, WinRate.Of(scores).Ties));
        Assert.Null(WinRate.CombineOrders(1, null));
        Assert.Null(WinRate.CombineOrders(null, 0));
        Assert.Equal(1, WinRate.CombineOrders(1, 0));
        Assert.Equal(0.75, WinRate.CombineOrders(1, 0.5));
    }

    [Fact]
    public void Swapping_the_systems_turns_the_rate_around()
    {
        WinRateResult straight = WinRate.Of(Scores), swapped = WinRate.Of([.. Scores.Select(score => 1 - score)]);
        Assert.Equal(1 - straight.Rate.Mean, swapped.Rate.Mean, 1e-15);
        Assert.Equal((straight.Wins, straight.Losses), (swapped.Losses, swapped.Wins));
    }

    /// <summary>Prompt effects make two verdicts of a prompt alike: true rate 0.6, 150 prompts, 2 verdicts each.</summary>
    [Fact]
    public void Intervals_cover_the_truth_about_as_often_as_they_say()
    {
        const int Repeats = 2000, Prompts = 150;
        RandomStream stream = new(5, "coverage");
        string[] clusters = [.. Enumerable.Range(0, 2 * Prompts).Select(i => $"{i / 2}")];
        double?[] verdicts = new double?[2 * Prompts], single = new double?[Prompts];
        int clustered = 0, naive = 0, normal = 0, wilson = 0;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int i = 0; i < Prompts; i++)
            {
                double rate = stream.NextDouble() < 0.5 ? 0.3 : 0.9;
                verdicts[2 * i] = single[i] = stream.NextDouble() < rate ? 1 : 0;
                verdicts[2 * i + 1] = stream.NextDouble() < rate ? 1 : 0;
            }
            clustered += Covers(WinRate.Clustered(verdicts, clusters).Rate);
            naive += Covers(WinRate.Of(verdicts).Rate);
            normal += Covers(WinRate.Of(single).Rate);
            wilson += Covers(WinRate.Wilson(WinRate.Of(single).Wins, Prompts));
        }
        Assert.InRange(clustered, 0.93 * Repeats, 0.97 * Repeats);
        Assert.InRange(normal, 0.93 * Repeats, 0.97 * Repeats);
        Assert.InRange(wilson, 0.93 * Repeats, 0.97 * Repeats);
        Assert.True(naive < 0.92 * Repeats); // rows are not independent: what clustering is for

        static int Covers(Interval interval) => interval.Low <= 0.6 && 0.6 <= interval.High ? 1 : 0;
    }
}
