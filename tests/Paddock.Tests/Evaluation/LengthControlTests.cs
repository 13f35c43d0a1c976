using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class LengthControlTests
{
    private static readonly RandomStream Stream = new(1, "lc");

    [Fact]
    public void The_rate_is_the_mean_fitted_probability_at_equal_length()
    {
        LengthControlWeights weights = new(-2, 1, -1);
        Assert.Equal(0.5 * ScalarMath.Sigmoid(-1) + 0.5 * ScalarMath.Sigmoid(1), LengthControl.Rate(weights, [0, 2], [0.5, 0.5]), 1e-15);
        Assert.Equal(0.5, LengthControl.Rate(new(0, 0, 0), [-3, 1, 7], [0.2, 0.3, 0.5]), 1e-15); // the baseline against itself
        // two values of sd (p2 - p1)/2 about their mean: sqrt(that^2 / (n - 1))
        double spread = (ScalarMath.Sigmoid(1) - ScalarMath.Sigmoid(-1)) / 2;
        Assert.Equal(spread / Math.Sqrt(804), LengthControl.FittedError(weights, [0, 2], [0.5, 0.5], 805), 1e-15);
    }

    [Fact]
    public void A_constant_model_is_the_raw_rate()
    {
        double?[] scores = [1, 0, 0, 1, 1, null, 0.5, 1];
        LengthControlResult result = LengthControl.Refit(scores, LengthControl.LengthFeature([5, 5, 5, 5, 5, 5, 5, 5]), null, null, Stream, 0);
        Assert.Equal(4.5 / 7, result.Rate.Mean, 1e-9);
        Assert.Equal((7, LengthControlVariant.Minimal), (result.Rate.N, result.Variant));
        Assert.True(double.IsNaN(result.Rate.Low));
    }

    [Fact]
    public void A_system_that_wins_by_length_alone_is_brought_to_a_half()
    {
        RandomStream stream = new(9, "long");
        double?[] scores = new double?[4000];
        double[] differences = new double[4000];
        for (int i = 0; i < scores.Length; i++)
        {
            differences[i] = 300 * stream.NextGaussian() - 250; // mostly longer than the baseline
            scores[i] = stream.NextDouble() < ScalarMath.Sigmoid(-2 * Math.Tanh(differences[i] / 300)) ? 1 : 0;
        }
        LengthControlResult result = LengthControl.Refit(scores, LengthControl.LengthFeature(differences), null, null, Stream, 200);
        Assert.True(WinRate.Of(scores).Rate.Mean > 0.65);
        Assert.InRange(0.5, result.Rate.Low, result.Rate.High);
        Assert.Equal(-2, result.Weights.Length, 0.25);
        Assert.True(result.FittedError < result.Rate.StandardError / 10); // the published error says next to nothing
    }

    [Fact]
    public void Swapping_the_systems_turns_the_controlled_rate_around()
    {
        double?[] scores = [1, 0, 0.3, 1, 0, 0.8, 0, 1];
        double[] differences = [10, -40, 25, 3, -8, 90, 14, -60];
        LengthControlResult straight = LengthControl.Refit(scores, LengthControl.LengthFeature(differences), null, null, Stream, 0);
        LengthControlResult swapped = LengthControl.Refit([.. scores.Select(s => 1 - s)], LengthControl.LengthFeature([.. differences.Select(d => -d)]), null, null, Stream, 0);
        Assert.Equal(1 - straight.Rate.Mean, swapped.Rate.Mean, 1e-7);
        Assert.Equal(straight.Weights.Length, swapped.Weights.Length, 1e-6);
    }

    [Fact]
    public void A_row_of_unknown_difficulty_is_left_out()
    {
        double?[] scores = [1, 0, 1, 0, 1, 1];
        double[] lengths = LengthControl.LengthFeature([3, -2, 5, 1, -4, 2]);
        LengthControlResult result = LengthControl.Refit(scores, lengths, [0.1, -0.5, 0.7, double.NaN, 1.2, 0.3], null, Stream, 0);
        Assert.Equal((5, LengthControlVariant.Unregularised), (result.Rate.N, result.Variant));
        Assert.Contains("at least two prompts", Assert.Throws<BadInputException>(() => LengthControl.Refit(scores, lengths, [0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN], null, Stream, 0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, 37, true)]  // below 50 - 12.5
    [InlineData(50, 38, false)]
    [InlineData(50, 63, true)]
    [InlineData(8, 19, false)]  // 8 + 92/4 = 31
    public void Far_from_the_raw_rate_is_worth_a_warning(double raw, double controlled, bool far) => Assert.Equal(far, LengthControl.IsFarFrom(raw, controlled));

    [Theory]
    [InlineData("abc", 3)]
    [InlineData("a😀b", 3)]
    [InlineData("日本語", 3)]
    [InlineData("", 0)]
    [InlineData("👩‍👩", 3)] // joined by a zero-width joiner: three code points
    public void Lengths_are_code_points(string text, int length) => Assert.Equal(length, TextLength.CodePoints(text));
}
