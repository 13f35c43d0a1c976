using Paddock.Evaluation.Audits;

namespace Paddock.Tests.Evaluation.Audits;

/// <summary>AlpacaEval's own examples of its analysis: two pairs, four labels each, preferences on its scale of 1 to 2.</summary>
public class CrossAnnotationTests
{
    [Fact]
    public void One_against_one() => Assert.Equal(0.75, Mean(CrossAnnotation.OneVersusOne, [1, 1, 1, 1], [2, 2, 2, 1]), 1e-15);

    [Theory]
    [InlineData(new double[] { 2, 2, 2, 1 }, 0.875)]
    [InlineData(new[] { 2, 2, 2, 1.5 }, 0.9375)]
    [InlineData(new[] { 1.9, 1.8, 1.7, 1.6 }, 0.925)]
    public void One_against_the_rest(double[] second, double expected) => Assert.Equal(expected, Mean(CrossAnnotation.LeaveOneOut, [1, 1, 1, 1], second), 1e-15);

    [Theory]
    [InlineData(new[] { 0.0, 1 }, 1)]
    [InlineData(new[] { 1, 0.0, 1, 0 }, 1)]
    [InlineData(new[] { 0.5, 0.0 }, 0.5)]
    [InlineData(new[] { 0.5, 1, 0.0 }, 0)]
    [InlineData(new[] { 0.0, 0, 1 }, 0)]
    [InlineData(new[] { 0.5, 0.5, 1 }, 0.5)]
    [InlineData(new[] { 0.1, 0.9, 0.3 }, 0.3)]
    [InlineData(new[] { 0.1, 1 }, 0.55)]
    [InlineData(new[] { 1.0 }, 1)]
    public void The_vote_is_the_mode_of_hard_labels_and_the_median_of_soft_ones(double[] labels, double vote) => Assert.Equal(vote, CrossAnnotation.Vote(labels), 1e-15);

    [Fact]
    public void A_single_label_has_nothing_to_be_compared_with()
    {
        Assert.Equal((0, 0), CrossAnnotation.LeaveOneOut([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossAnnotation.Vote([]));
    }

    private delegate (double Score, int Count) Rule(ReadOnlySpan<double> labels);

    private static double Mean(Rule rule, params double[][] pairs)
    {
        (double Score, int Count)[] sums = [.. pairs.Select(pair => rule([.. pair.Select(preference => preference - 1)]))];
        return sums.Sum(s => s.Score) / sums.Sum(s => s.Count);
    }
}
