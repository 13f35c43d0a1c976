using Paddock.Evaluation;
using Paddock.Reports;

namespace Paddock.Tests.Reports;

public class ShowTests
{
    [Theory]
    [InlineData(0, "0 FLOP")]
    [InlineData(12.5, "12.5 FLOP")]
    [InlineData(999.4, "999.4 FLOP")]
    [InlineData(999.9, "1.00 kFLOP")]
    [InlineData(9_996, "10.0 kFLOP")]
    [InlineData(2.61e12, "2.61 TFLOP")]
    [InlineData(99.97e12, "100 TFLOP")]
    [InlineData(1.234e15, "1.23 PFLOP")]
    [InlineData(5e21, "5000 EFLOP")]
    [InlineData(double.NaN, "–")]
    public void Operations_have_three_digits_and_a_prefix(double flops, string shown) => Assert.Equal(shown, Show.Flops(flops));

    [Theory]
    [InlineData(0.00213, "0.00213")]
    [InlineData(9.4, "9.4")]
    [InlineData(104.6, "105")]
    [InlineData(12_345.6, "12,346")]
    [InlineData(1e-7, "< 0.0001")]
    [InlineData(0.0, "0")]
    [InlineData(double.PositiveInfinity, "–")]
    public void Seconds_have_three_digits(double seconds, string shown) => Assert.Equal(shown, Show.Seconds(seconds));

    [Fact]
    public void A_difference_has_a_sign_unless_it_rounds_to_nothing()
    {
        Assert.Equal("+9.1 ± 0.8", Show.Points(new Estimate(0.0912, 0.0081, 10)));
        Assert.Equal("-9.1 ± 0.8", Show.Points(new Estimate(-0.0912, 0.0081, 10)));
        Assert.Equal("0.0 ± 0.8", Show.Points(new Estimate(-0.0001, 0.0081, 10)));
    }

    [Fact]
    public void An_interval_of_a_rate_stays_between_0_and_100()
    {
        Assert.Equal("40.4 to 79.6", Show.Interval(new Estimate(0.6, 0.1, 10)));
        Assert.Equal("76.4 to 100.0", Show.Interval(new Estimate(0.98, 0.11, 10)));
        Assert.Equal("–", Show.Interval(new Estimate(0.98, double.NaN, 1)));
    }
}
