namespace Paddock.Evaluation.Audits;

/// <summary>
/// Krippendorff's coincidences over the three labels first, tie and second, as sums that add over pairs and so can be resampled. The same
/// alpha as <see cref="Agreement.KrippendorffAlpha"/> on the nominal scale.
/// </summary>
internal static class Coincidences
{
    public const int Categories = 3, Width = Categories * Categories;

    /// <summary>0: the first is better, 1: a tie, 2: the second; soft labels are rounded.</summary>
    public static int Category(double label) => label < 0.5 ? 0 : label > 0.5 ? 2 : 1;

    /// <summary>Labels in each category.</summary>
    public static int[] Count(ReadOnlySpan<double> labels)
    {
        int[] counts = new int[Categories];
        foreach (double label in labels)
            counts[Category(label)]++;
        return counts;
    }

    /// <summary>Adds the coincidences of one pair's labels; a single label coincides with nothing.</summary>
    public static void Add(ReadOnlySpan<double> labels, Span<double> sums) => Agreement.AddCoincidences(Count(labels), sums[..Width]);

    /// <summary>1 - D_o / D_e; NaN where all labels are of one category.</summary>
    public static double Alpha(ReadOnlySpan<double> sums)
    {
        Span<double> totals = stackalloc double[Categories];
        double n = 0, observed = 0, squares = 0;
        for (int c = 0; c < Categories; c++)
            for (int k = 0; k < Categories; k++)
            {
                double value = sums[c * Categories + k];
                totals[c] += value;
                n += value;
                observed += c == k ? 0 : value;
            }
        foreach (double total in totals)
            squares += total * total;
        double expected = n * n - squares;
        return expected > 0 ? 1 - observed * (n - 1) / expected : double.NaN;
    }
}
