using Paddock.Evaluation;

namespace Paddock.Reports;

/// <summary>How the results of several seeds of one study become one number with its uncertainty.</summary>
public static class SeedStatistics
{
    /// <summary>
    /// Mean over seeds. Between seeds the models differ, within a seed the prompts do: the standard error is the one between seeds, but
    /// never below the mean one within a seed, for all seeds share the prompts. Seeds that measured nothing (NaN) are left out; one seed
    /// is returned as it is.
    /// </summary>
    public static Estimate Combine(IReadOnlyList<Estimate> seeds)
    {
        Estimate[] measured = [.. seeds.Where(s => !double.IsNaN(s.Mean))];
        if (measured.Length == 0)
            return new(double.NaN, double.NaN, 0);
        if (measured.Length == 1)
            return measured[0];
        double between = Moments.StandardError([.. measured.Select(s => s.Mean)]), within = measured.Average(s => s.Se);
        return new(measured.Average(s => s.Mean), double.IsNaN(within) ? between : Math.Max(between, within), measured[0].N);
    }

    /// <summary>Standard deviation between seeds (n - 1 in the denominator); null for fewer than two that measured anything.</summary>
    public static double? Spread(IEnumerable<double> seeds)
    {
        double[] measured = [.. seeds.Where(s => !double.IsNaN(s))];
        return measured.Length < 2 ? null : Math.Sqrt(Moments.Variance(measured));
    }
}
