using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class CorrelationTests
{
    [Fact]
    public void Alpaca_farm_s_systems_rank_alike_under_simulated_and_human_preference()
    {
        // the systems with both numbers in table 2 of the AlpacaFarm paper; it reports 0.98
        double[] simulated = [79.0, 61.4, 46.8, 45.0, 41.9, 39.2, 36.7, 36.6, 24.4, 11.3], human = [69.8, 52.9, 55.1, 50.7, 45.7, 40.7, 44.3, 37.9, 32.5, 6.5];
        // two neighbours change places: 1 - 6 (1 + 1 + 1 + 1) / (10 * 99)
        Assert.Equal(1 - 24.0 / 990, Correlation.Spearman(simulated, human), 1e-14);
        Interval interval = Correlation.SpearmanInterval(simulated, human);
        Assert.InRange(interval.Low, 0.85, 0.95);
        Assert.InRange(interval.High, 0.98, 1);
        Assert.Equal(10, interval.N);
    }

    [Fact]
    public void Pearson_by_hand()
    {
        Assert.Equal(1, Correlation.Pearson([1, 2, 3], [2, 4, 6]), 1e-15);
        Assert.Equal(-1, Correlation.Pearson([1, 2, 3], [3, 2, 1]), 1e-15);
        // deviations (-1.5, -.5, .5, 1.5) and (-.5, -1.5, 1.5, .5): 3 / 5
        Assert.Equal(0.6, Correlation.Pearson([1, 2, 3, 4], [2, 1, 4, 3]), 1e-15);
        Assert.True(double.IsNaN(Correlation.Pearson([1, 1], [1, 2])));
        Assert.True(double.IsNaN(Correlation.Pearson([1], [1])));
    }

    [Fact]
    public void Ties_share_their_mean_rank()
    {
        Assert.Equal([2.5, 1, 2.5, 4], Correlation.Ranks([5, 1, 5, 9]));
        Assert.Equal([], Correlation.Ranks([]));
        Assert.All(Correlation.Ranks([1, double.NaN]), rank => Assert.True(double.IsNaN(rank)));
    }

    [Fact]
    public void Three_systems_have_no_interval()
    {
        Interval interval = Correlation.SpearmanInterval([1, 2, 3], [1, 2, 3]);
        Assert.Equal(1, interval.Mean);
        Assert.True(double.IsNaN(interval.Low));
    }
}
