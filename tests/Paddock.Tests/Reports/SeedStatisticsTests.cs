using Paddock.Evaluation;
using Paddock.Reports;

namespace Paddock.Tests.Reports;

public class SeedStatisticsTests
{
    [Fact]
    public void Between_seeds_counts_when_it_is_larger_than_within()
    {
        // means 0.4, 0.5, 0.6: sd 0.1, standard error 0.1 / sqrt 3
        Estimate combined = SeedStatistics.Combine([new(0.4, 0.01, 50), new(0.5, 0.02, 50), new(0.6, 0.03, 50)]);
        Assert.Equal(0.5, combined.Mean, 1e-12);
        Assert.Equal(0.1 / Math.Sqrt(3), combined.Se, 1e-12);
        Assert.Equal(50, combined.N);
        Assert.Equal(0.1, SeedStatistics.Spread([0.4, 0.5, 0.6])!.Value, 1e-12);
    }

    [Fact]
    public void Seeds_that_agree_by_chance_do_not_hide_the_error_within()
    {
        Assert.Equal(0.02, SeedStatistics.Combine([new(0.5, 0.01, 50), new(0.5, 0.03, 50)]).Se, 1e-12);
        Assert.Equal(0, SeedStatistics.Spread([0.5, 0.5])!.Value);
    }

    [Fact]
    public void One_seed_has_no_spread_and_unmeasured_seeds_are_left_out()
    {
        Estimate one = new(0.3, 0.1, 5), none = new(double.NaN, double.NaN, 0);
        Assert.Equal(one, SeedStatistics.Combine([none, one]));
        Assert.True(double.IsNaN(SeedStatistics.Combine([none, none]).Mean));
        Assert.Null(SeedStatistics.Spread([0.3, double.NaN]));
    }
}
