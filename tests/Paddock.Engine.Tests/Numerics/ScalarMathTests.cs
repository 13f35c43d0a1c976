using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Engine.Tests.Numerics;

public class ScalarMathTests
{
    private static void Near(double expected, double actual, double relative = 4e-16) => Assert.InRange(actual, expected - relative * Math.Abs(expected), expected + relative * Math.Abs(expected));

    // expected values: 50-digit arithmetic, rounded
    [Theory]
    [InlineData(1e-20, 1e-20)]
    [InlineData(1e-10, 9.9999999995e-11)]
    [InlineData(-1e-10, -1.00000000005e-10)]
    [InlineData(1e-5, 9.999950000333332e-06)]
    [InlineData(0.5, 0.4054651081081644)]
    [InlineData(-0.9, -2.302585092994046)]
    [InlineData(1e10, 23.02585093004046)]
    public void Log1p_keeps_its_precision_near_zero(double x, double expected) => Near(expected, Log1p(x));

    [Theory]
    [InlineData(1e-20, 1e-20)]
    [InlineData(1e-10, 1.00000000005e-10)]
    [InlineData(-1e-10, -9.9999999995e-11)]
    [InlineData(1e-5, 1.0000050000166667e-05)]
    [InlineData(1, 1.718281828459045)]
    [InlineData(-50, -1)]
    public void Expm1_keeps_its_precision_near_zero(double x, double expected) => Near(expected, Expm1(x), 6e-16);

    [Theory]
    [InlineData(0, -0.6931471805599453)]
    [InlineData(50, -1.928749847963918e-22)]
    [InlineData(-50, -50)]
    [InlineData(1000, 0)]
    [InlineData(-1000, -1000)]
    [InlineData(2, -0.12692801104297249)]
    public void LogSigmoid_neither_overflows_nor_cancels(double x, double expected)
    {
        Near(expected, LogSigmoid(x));
        Near(-expected, Softplus(-x));
    }

    [Fact]
    public void Sigmoid_is_symmetric_and_its_slope_is_the_product()
    {
        foreach (double x in new[] { -745.0, -50, -3, -0.1, 0, 0.1, 3, 50, 745 })
        {
            Assert.Equal(1, Sigmoid(x) + Sigmoid(-x), 15);
            Near(Sigmoid(x) * Sigmoid(-x), SigmoidSlope(x), 1e-15);
        }
        Assert.Equal(0, SigmoidSlope(1e6));
    }

    [Theory]
    [InlineData(-1e-20, -46.051701859880914)]
    [InlineData(-0.1, -2.352168461044090)]
    [InlineData(-0.6931471805599453, -0.6931471805599453)]
    [InlineData(-0.7, -0.686341002808385)]
    [InlineData(-50, -1.928749847963918e-22)]
    public void LogOneMinusExp_switches_at_log_two(double a, double expected) => Near(expected, LogOneMinusExp(a), 1e-14);

    [Fact]
    public void LogOneMinusExp_of_certainty_is_minus_infinity() => Assert.Equal(double.NegativeInfinity, LogOneMinusExp(0));

    [Fact]
    public void LogSumExp_is_shift_invariant_and_total()
    {
        Assert.Equal(1000 + Math.Log(2), LogSumExp([1000, 1000]), 12);
        Assert.Equal(-1000 + Math.Log(3), LogSumExp([-1000, -1000, -1000]), 12);
        Assert.Equal(double.NegativeInfinity, LogSumExp([]));
        Assert.Equal(double.NegativeInfinity, LogSumExp([double.NegativeInfinity, double.NegativeInfinity]));
    }

    [Fact]
    public void Logit_inverts_the_sigmoid() => Assert.Equal(0.73, Sigmoid(Logit(0.73)), 15);
}
