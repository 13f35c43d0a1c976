using Paddock.Studies.Coverage;

namespace Paddock.Tests.Studies;

/// <summary>A small version of <c>paddock coverage</c>; the full one is in docs/evaluation.md.</summary>
public sealed class CoverageTests
{
    [Fact]
    public async Task Intervals_hold_the_truth_about_as_often_as_they_say()
    {
        const int Repetitions = 300, Resampled = 40;
        IReadOnlyList<CoverageCase> cases = CoverageCases.Of(await CoveragePopulation.OfMeadowAsync());
        IReadOnlyList<CoverageRow> rows = CoverageStudy.Run(cases, Repetitions, Resampled, 3);
        Assert.Equal(cases.Count, rows.Count);
        Assert.All(Enum.GetValues<CoverageKind>(), kind => Assert.Contains(rows, row => row.Kind == kind));
        foreach (CoverageRow row in rows)
        {
            // 0.95 within four standard errors of so few repetitions
            double slack = 4 * Math.Sqrt(0.95 * 0.05 / row.Repetitions);
            Assert.True(row.Kind switch
            {
                CoverageKind.Naive => row.Coverage < 0.95 - slack / 4,
                CoverageKind.AnyTime => row.Coverage >= 0.95 - slack,
                _ => row.Coverage >= 0.95 - slack && row.Coverage <= Math.Min(1, 0.95 + slack),
            }, $"{row.Interval}: {row.Coverage}");
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_rows()
    {
        CoverageCase coin = new("coin", CoverageKind.Nominal, 0, stream => (stream.NextDouble() < 0.95, 1));
        CoverageRow row = Assert.Single(CoverageStudy.Run([coin], 2000, 10, 1));
        Assert.Equal(row, Assert.Single(CoverageStudy.Run([coin], 2000, 10, 1)));
        Assert.True(row.Holds);
        Assert.False(CoverageStudy.Run([coin with { Kind = CoverageKind.Naive }], 2000, 10, 1)[0].Holds);
        Assert.Equal(10, CoverageStudy.Run([coin with { Kind = CoverageKind.Resampled }], 2000, 10, 1)[0].Repetitions);
    }
}
