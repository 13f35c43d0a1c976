using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class ComparisonsTests
{
    [Fact]
    public void McNemar_exact_and_mid_p()
    {
        (double exact, double midP) = Comparisons.McNemar(3, 9);
        Assert.Equal(0.09228515625, midP, 1e-15);
        Assert.Equal(0.14599609375, exact, 1e-15);
        Assert.Equal(Comparisons.McNemar(9, 3), Comparisons.McNemar(3, 9));
        Assert.Equal((1, 1), Comparisons.McNemar(4, 4));
        Assert.Equal((1, 1), Comparisons.McNemar(0, 0));
        Assert.Equal(0.5, Comparisons.McNemar(0, 1).MidP, 1e-15);
        Assert.InRange(Comparisons.McNemar(900, 1100).MidP, 7e-6, 9e-6); // 2 Phi(-200/sqrt 2000) = 7.7e-6
    }

    [Fact]
    public void Holm_steps_down()
    {
        Assert.Equal([0.03, 0.06, 0.06], Comparisons.Holm([0.01, 0.04, 0.03]).Select(p => Math.Round(p, 15)));
        Assert.Equal([1, 1], Comparisons.Holm([0.7, 0.9]));
        Assert.Empty(Comparisons.Holm([]));
    }

    [Fact]
    public void A_paired_difference_uses_the_prompts_both_were_scored_on()
    {
        PairedComparison result = Comparisons.Paired([1, 1, 0, 0.5, null, 1], [0, 1, 1, 0.5, 1, null]);
        Assert.Equal((0.0, 4, 2), (result.Difference.Mean, result.Difference.N, result.Missing));
        Assert.Equal(Math.Sqrt(2.0 / 3 / 4), result.Difference.StandardError, 1e-15); // differences 1, 0, -1, 0
        Assert.Equal((1, 1, 1.0), (result.AOnly, result.BOnly, result.McNemarMidP));
    }

    [Fact]
    public void A_system_under_a_second_name_ties_itself()
    {
        double?[] scores = [1, 0, 0.25, null];
        PairedComparison result = Comparisons.Paired(scores, scores);
        Assert.Equal((0, 0, 0, 0), (result.Difference.Mean, result.Difference.StandardError, result.AOnly, result.BOnly));
    }

    [Fact]
    public void Differences_of_one_prompt_are_clustered()
    {
        double?[] a = [1, 0.5, 0, 1, 1, null], b = [0, 0.5, 1, 0, 0.5, 1];
        Interval plain = Comparisons.Paired(a, b).Difference, own = Comparisons.PairedClustered(a, b, ["1", "2", "3", "4", "5", "6"]);
        Assert.Equal(plain.Mean, own.Mean, 1e-15);
        Assert.Equal(plain.StandardError, own.StandardError, 1e-15);
        Interval twice = Comparisons.PairedClustered([.. a, .. a], [.. b, .. b], ["1", "2", "3", "4", "5", "6", "1", "2", "3", "4", "5", "6"]);
        Assert.Equal((own.Mean, own.N), (twice.Mean, twice.N));
        Assert.Equal(own.StandardError, twice.StandardError, 1e-15);
    }
}
