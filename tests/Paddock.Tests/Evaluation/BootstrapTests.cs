using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class BootstrapTests
{
    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    [InlineData(0.025, -1.959963984540054)]
    [InlineData(0.95, 1.6448536269514722)]
    [InlineData(0.995, 2.5758293035489004)]
    [InlineData(0.0001, -3.719016485455709)]
    [InlineData(1e-10, -6.361340902404056)]
    public void Quantiles_of_the_normal(double p, double expected)
    {
        Assert.Equal(expected, Gaussian.Quantile(p), 1e-11);
        Assert.Equal(p, Gaussian.Cdf(Gaussian.Quantile(p)), 1e-15);
    }

    [Fact]
    public void The_distribution_function_at_its_landmarks()
    {
        Assert.Equal(0.8413447460685429, Gaussian.Cdf(1), 1e-15);
        Assert.Equal(0.9986501019683699, Gaussian.Cdf(3), 1e-15);
        Assert.Equal(7.61985302416e-24, Gaussian.Cdf(-10), 1e-34);
        Assert.Equal((0, 1), (Gaussian.Cdf(double.NegativeInfinity), Gaussian.Cdf(double.PositiveInfinity)));
        Assert.Equal(1, Gaussian.Cdf(-2.9999999) / Gaussian.Cdf(-3.0000001), 1e-6); // series and continued fraction meet
        Assert.Equal((double.NegativeInfinity, double.PositiveInfinity), (Gaussian.Quantile(0), Gaussian.Quantile(1)));
        Assert.True(double.IsNaN(Gaussian.Quantile(1.5)));
    }

    private static double[] Skewed(ref RandomStream stream, int n)
    {
        double[] values = new double[n];
        for (int i = 0; i < n; i++)
            values[i] = Math.Exp(stream.NextGaussian() * 0.5);
        return values;
    }

    private static ResampledStatistic MeanOf(double[] values) => indices =>
    {
        double sum = 0;
        foreach (int i in indices)
            sum += values[i];
        return sum / indices.Length;
    };

    [Fact]
    public void The_same_seed_gives_the_same_interval_and_another_seed_one_nearby()
    {
        RandomStream data = new(1, "values");
        double[] values = Skewed(ref data, 100);
        Interval first = Bootstrap.OfMean(values, new(1, "bootstrap")), again = Bootstrap.OfMean(values, new(1, "bootstrap")), other = Bootstrap.OfMean(values, new(2, "bootstrap"));
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(first.Low, other.Low, 0.02);
        Assert.Equal(Moments.Mean(values), first.Mean);
        Assert.Equal(Moments.StandardError(values), first.StandardError, 0.1 * first.StandardError);
        Assert.Equal(("BCa", 100), (first.Method, first.N));
    }

    [Fact]
    public void On_symmetric_data_both_kinds_meet_the_normal_interval()
    {
        double[] values = [.. Enumerable.Range(0, 200).Select(i => (i - 99.5) / 100)];
        Interval normal = Interval.OfMean(values), percentile = Bootstrap.Percentile(200, MeanOf(values), new(4, "b"), 4000), bca = Bootstrap.BiasCorrected(200, MeanOf(values), new(4, "b"), 4000);
        foreach (Interval interval in new[] { percentile, bca })
        {
            Assert.Equal(normal.Low, interval.Low, 0.008);
            Assert.Equal(normal.High, interval.High, 0.008);
        }
    }

    [Fact]
    public void On_skewed_data_bias_correction_moves_the_interval_towards_the_tail()
    {
        RandomStream data = new(1, "values");
        double[] values = [.. Skewed(ref data, 60).Select(v => v * v * v)];
        Interval percentile = Bootstrap.Percentile(60, MeanOf(values), new(4, "b")), bca = Bootstrap.BiasCorrected(60, MeanOf(values), new(4, "b"));
        Assert.True(bca.Low > percentile.Low && bca.High > percentile.High);
    }

    [Fact]
    public void Constant_data_have_an_interval_of_no_width_and_undefined_statistics_none()
    {
        Interval constant = Bootstrap.OfMean(new double[] { 2, 2, 2 }, new(1, "b"), 100);
        Assert.Equal((2, 2, 2), (constant.Mean, constant.Low, constant.High));
        Interval undefined = Bootstrap.Percentile(3, indices => indices.Contains(0) ? double.NaN : 1, new(1, "b"), 100);
        Assert.True(double.IsNaN(undefined.Low) && double.IsNaN(undefined.High));
    }

    [Fact]
    public void Intervals_cover_the_truth_about_as_often_as_they_say()
    {
        const int Repeats = 1000;
        const double Truth = 1.0 / 3; // mean of the square of a uniform draw
        RandomStream data = new(9, "coverage");
        int percentile = 0, bca = 0;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            double[] values = new double[60];
            for (int i = 0; i < values.Length; i++)
                values[i] = Math.Pow(data.NextDouble(), 2);
            RandomStream stream = new RandomStream(9, "bootstrap").Split((ulong)repeat);
            percentile += Covers(Bootstrap.Percentile(60, MeanOf(values), stream, 300));
            bca += Covers(Bootstrap.BiasCorrected(60, MeanOf(values), stream, 300));
        }
        Assert.InRange(percentile, 0.93 * Repeats, 0.97 * Repeats);
        Assert.InRange(bca, 0.93 * Repeats, 0.97 * Repeats);

        static int Covers(Interval interval) => interval.Low <= Truth && Truth <= interval.High ? 1 : 0;
    }
}
