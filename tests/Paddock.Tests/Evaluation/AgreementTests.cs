using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class AgreementTests
{
    private static readonly int[,] Binary = { { 20, 5 }, { 10, 15 } };
    private static readonly int[,] Ordered = { { 10, 3, 1 }, { 2, 12, 4 }, { 0, 3, 15 } };

    [Fact]
    public void Cohen_and_weighted_kappa_and_ac1()
    {
        Assert.Equal(0.7, Agreement.Percent(Binary), 1e-15);
        Assert.Equal(0.40, Agreement.CohenKappa(Binary), 1e-15);
        Assert.Equal(0.40594059405940586, Agreement.GwetAc1(Binary), 1e-15);
        Assert.Equal(0.7448979591836735, Agreement.WeightedKappa(Ordered), 1e-14);
        Assert.Equal(0.6055825242718447, Agreement.CohenKappa(Ordered), 1e-14);
    }

    [Theory]
    [InlineData(Scale.Nominal, 0.743421052631579)]
    [InlineData(Scale.Ordinal, 0.8153875037548814)]
    [InlineData(Scale.Interval, 0.8491071428571428)]
    public void Krippendorff_s_canonical_example(Scale scale, double expected)
    {
        string[] rows = ["12332141 2...".Replace(" ", ""), "12332241 25.3".Replace(" ", ""), ".3332342 251.".Replace(" ", ""), "12332441 251.".Replace(" ", "")];
        int?[][] ratings = [.. rows.Select(row => row.Select(c => c == '.' ? (int?)null : c - '0').ToArray())];
        Assert.All(ratings, row => Assert.Equal(12, row.Length));
        Assert.Equal(expected, Agreement.KrippendorffAlpha(ratings, scale), 1e-14);
    }

    [Fact]
    public void Perfect_agreement_is_one_on_every_measure()
    {
        int[,] table = Agreement.Table([0, 1, 1, 0, 2], [0, 1, 1, 0, 2], 3);
        Assert.Equal((1, 1, 1, 1), (Agreement.Percent(table), Agreement.CohenKappa(table), Agreement.WeightedKappa(table), Agreement.GwetAc1(table)));
        Assert.Equal(1, Agreement.KrippendorffAlpha([[0, 1, 2], [0, 1, 2]], Scale.Ordinal));
    }

    [Fact]
    public void Swapping_the_raters_changes_nothing()
    {
        int[] first = [0, 1, 1, 2, 0, 2], second = [0, 1, 2, 2, 1, 2];
        int[,] straight = Agreement.Table(first, second, 3), swapped = Agreement.Table(second, first, 3);
        Assert.Equal(Agreement.CohenKappa(straight), Agreement.CohenKappa(swapped), 1e-15);
        Assert.Equal(Agreement.GwetAc1(straight), Agreement.GwetAc1(swapped), 1e-15);
    }

    [Fact]
    public void Two_raters_of_one_class_leave_kappa_open() => Assert.True(double.IsNaN(Agreement.CohenKappa(Agreement.Table([1, 1], [1, 1], 2))));
}
