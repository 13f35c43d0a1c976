using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Evaluation;

public class CalibrationTests
{
    private static readonly double[] P = [0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 0.8, 0.4];
    private static readonly double[] Y = [0, 0, 1, 1, 1, 1, 0, 0];

    [Fact]
    public void Scores_of_the_worked_example()
    {
        Assert.Equal(0.2, Calibration.Brier(P, Y), 1e-15);
        Assert.Equal(0.5782001863575765, Calibration.LogLoss(P, Y), 1e-15);
        Assert.Equal(6.0 / 8, Calibration.Accuracy(P, Y));
        CalibrationBins bins = Calibration.Bins(P, Y, 4);
        Assert.Equal(0.25, bins.Ece, 1e-15);
        Assert.Equal(0.35, bins.Mce, 1e-15);
        Assert.Equal(0.0725, bins.Reliability, 1e-15);
        Assert.Equal(0.125, bins.Resolution, 1e-15);
        Assert.Equal(0.25, bins.Uncertainty, 1e-15);
        Assert.Equal(0.0025, bins.Remainder, 1e-15);
    }

    [Fact]
    public void Isotonic_pools_violators()
    {
        double[] fitted = Calibration.Isotonic(P, Y), sorted = [.. P.Zip(fitted).OrderBy(pair => pair.First).Select(pair => pair.Second)];
        double[] expected = [0, 0, 0.5, 0.5, 2.0 / 3, 2.0 / 3, 2.0 / 3, 1];
        for (int i = 0; i < 8; i++)
            Assert.Equal(expected[i], sorted[i], 1e-15);
    }

    [Fact]
    public void Equal_forecasts_make_the_bins_independent_of_row_order()
    {
        double[] p = [0.5, 0.5, 0.5, 0.5, 0.9, 0.9], y = [1, 0, 0, 1, 1, 1], back = [0, 1, 1, 0, 1, 1];
        Assert.Equal(Calibration.Bins(p, y, 3), Calibration.Bins(p, back, 3));
        Assert.Equal(Calibration.Isotonic(p, y), Calibration.Isotonic(p, back));
    }

    [Fact]
    public void A_calibrated_source_has_no_error_and_temperature_one()
    {
        // outcomes are the probabilities themselves: soft labels
        double[] p = [0.05, 0.2, 0.35, 0.5, 0.8, 0.95];
        Assert.Equal(0, Calibration.Bins(p, p, 3).Ece, 1e-15);
        Assert.Equal(1, Calibration.Temperature([.. p.Select(ScalarMath.Logit)], p), 1e-9);
    }

    [Fact]
    public void Temperature_undoes_a_scaling_of_the_logits()
    {
        RandomStream stream = new(3, "temperature");
        double[] logits = new double[20_000], outcomes = new double[20_000];
        for (int i = 0; i < logits.Length; i++)
        {
            double z = 1.5 * stream.NextGaussian();
            (logits[i], outcomes[i]) = (2.5 * z, stream.NextDouble() < ScalarMath.Sigmoid(z) ? 1 : 0);
        }
        Assert.InRange(Calibration.Temperature(logits, outcomes), 2.3, 2.7);
        Assert.Equal(0, Calibration.Temperature([2, -2], [1, 0]));
        Assert.Equal(double.PositiveInfinity, Calibration.Temperature([2, -2], [0, 1]));
    }

    [Fact]
    public void Certain_forecasts_cost_nothing_when_right_and_everything_when_wrong()
    {
        Assert.Equal(0, Calibration.LogLoss([1, 0], [1, 0]));
        Assert.Equal(double.PositiveInfinity, Calibration.LogLoss([1, 0], [1, 1]));
        Assert.Equal(0.5, Calibration.Accuracy([0.5], [1]));
    }

    [Fact]
    public void What_is_no_probability_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Calibration.Brier([1.1], [1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Calibration.Brier([0.1], [double.NaN]));
    }
}
