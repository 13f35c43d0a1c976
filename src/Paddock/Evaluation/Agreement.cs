namespace Paddock.Evaluation;

/// <summary>How far apart two categories are, for Krippendorff's alpha.</summary>
public enum Scale { Nominal, Ordinal, Interval }

/// <summary>
/// Agreement between raters. A table counts items by (category of the first rater, category of the second); it is square. Intervals come
/// from <see cref="Bootstrap"/> over items. NaN where chance agreement is already total.
/// </summary>
public static class Agreement
{
    /// <summary>Counts label pairs.</summary>
    public static int[,] Table(ReadOnlySpan<int> first, ReadOnlySpan<int> second, int categories)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Length, first.Length);
        int[,] table = new int[categories, categories];
        for (int i = 0; i < first.Length; i++)
            table[first[i], second[i]]++;
        return table;
    }

    /// <summary>Share of items with the same label.</summary>
    public static double Percent(int[,] table)
    {
        (double[,] share, _, _) = Shares(table);
        double same = 0;
        for (int i = 0; i < table.GetLength(0); i++)
            same += share[i, i];
        return same;
    }

    /// <summary>Cohen's kappa (p_o - p_e) / (1 - p_e), chance from both raters' marginals (Cohen 1960).</summary>
    public static double CohenKappa(int[,] table) => Kappa(table, static (i, j) => i == j ? 0 : 1);

    /// <summary>Kappa with weights (i - j)^2 (Cohen 1968).</summary>
    public static double WeightedKappa(int[,] table) => Kappa(table, static (i, j) => (i - j) * (i - j));

    /// <summary>Gwet's AC1 (Gwet 2008), which does not collapse when one class dominates.</summary>
    public static double GwetAc1(int[,] table)
    {
        (_, double[] rows, double[] columns) = Shares(table);
        double observed = Percent(table), chance = 0;
        for (int k = 0; k < rows.Length; k++)
        {
            double pi = (rows[k] + columns[k]) / 2;
            chance += pi * (1 - pi) / (rows.Length - 1);
        }
        return (observed - chance) / (1 - chance);
    }

    /// <summary>
    /// Krippendorff's alpha = 1 - D_o / D_e over any number of raters, missing labels allowed (Krippendorff 2011).
    /// </summary>
    /// <param name="ratings">One array per rater, one label or null per item; labels are the numbers 0, 1, 2 ... in order of the scale.</param>
    public static double KrippendorffAlpha(IReadOnlyList<IReadOnlyList<int?>> ratings, Scale scale)
    {
        int items = ratings.Count == 0 ? 0 : ratings[0].Count, categories = 0;
        foreach (IReadOnlyList<int?> rater in ratings)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(rater.Count, items);
            foreach (int? label in rater)
                categories = Math.Max(categories, (label ?? -1) + 1);
        }
        double[] coincidences = new double[categories * categories];
        int[] counts = new int[categories];
        for (int item = 0; item < items; item++)
        {
            Array.Clear(counts);
            foreach (IReadOnlyList<int?> rater in ratings)
                if (rater[item] is { } label)
                    counts[label]++;
            AddCoincidences(counts, coincidences);
        }
        double[] totals = new double[categories];
        double n = 0, observed = 0, expected = 0;
        for (int c = 0; c < categories; c++)
            for (int k = 0; k < categories; k++)
            {
                totals[c] += coincidences[c * categories + k];
                n += coincidences[c * categories + k];
            }
        for (int c = 0; c < categories; c++)
            for (int k = 0; k < categories; k++)
            {
                double distance = SquaredDistance(c, k, totals, scale);
                observed += coincidences[c * categories + k] * distance;
                expected += totals[c] * totals[k] * distance;
            }
        return 1 - observed / n / (expected / (n * (n - 1)));
    }

    /// <summary>Adds the coincidences of one item's labels; a single label coincides with nothing.</summary>
    /// <param name="counts">[C] labels of the item in each category.</param>
    /// <param name="coincidences">[C, C].</param>
    internal static void AddCoincidences(ReadOnlySpan<int> counts, Span<double> coincidences)
    {
        int labels = 0;
        foreach (int count in counts)
            labels += count;
        if (labels < 2)
            return;
        for (int c = 0; c < counts.Length; c++)
            for (int k = 0; k < counts.Length; k++)
                coincidences[c * counts.Length + k] += (double)counts[c] * (c == k ? counts[k] - 1 : counts[k]) / (labels - 1);
    }

    private static double SquaredDistance(int c, int k, double[] totals, Scale scale)
    {
        if (c == k)
            return 0;
        if (scale == Scale.Nominal)
            return 1;
        double distance = k - c;
        if (scale == Scale.Ordinal)
        {
            distance = -(totals[c] + totals[k]) / 2;
            for (int g = Math.Min(c, k); g <= Math.Max(c, k); g++)
                distance += totals[g];
        }
        return distance * distance;
    }

    private static double Kappa(int[,] table, Func<int, int, double> weight)
    {
        (double[,] share, double[] rows, double[] columns) = Shares(table);
        double observed = 0, expected = 0;
        for (int i = 0; i < rows.Length; i++)
            for (int j = 0; j < columns.Length; j++)
            {
                observed += weight(i, j) * share[i, j];
                expected += weight(i, j) * rows[i] * columns[j];
            }
        return 1 - observed / expected;
    }

    private static (double[,] Share, double[] Rows, double[] Columns) Shares(int[,] table)
    {
        int size = table.GetLength(0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(table.GetLength(1), size);
        double total = 0;
        foreach (int count in table)
            total += count;
        double[,] share = new double[size, size];
        double[] rows = new double[size], columns = new double[size];
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
            {
                share[i, j] = table[i, j] / total;
                rows[i] += share[i, j];
                columns[j] += share[i, j];
            }
        return (share, rows, columns);
    }
}
