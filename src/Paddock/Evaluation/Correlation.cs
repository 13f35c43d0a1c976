namespace Paddock.Evaluation;

/// <summary>Correlation of paired values. NaN for fewer than two pairs, for a side without spread, and where a value is NaN.</summary>
public static class Correlation
{
    /// <summary>Pearson's r.</summary>
    public static double Pearson(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        double meanX = Moments.Mean(x), meanY = Moments.Mean(y), xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
        return xx > 0 && yy > 0 ? Math.Clamp(xy / Math.Sqrt(xx * yy), -1, 1) : double.NaN;
    }

    /// <summary>Spearman's rho: Pearson's r of the ranks, ties at their mean rank (Spearman 1904).</summary>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => Pearson(Ranks(x), Ranks(y));

    /// <summary>
    /// An interval for Spearman's rho over items that were drawn at random: Fisher's z with the standard error sqrt((1 + rho²/2)/(n - 3)) of Bonett and
    /// Wright (2000). For a handful of systems it is wide, as it should be. Without ends for fewer than four items.
    /// </summary>
    public static Interval SpearmanInterval(ReadOnlySpan<double> x, ReadOnlySpan<double> y, string unit = "systems")
    {
        double rho = Spearman(x, y);
        int n = x.Length;
        if (n < 4 || double.IsNaN(rho))
            return new(rho, double.NaN, n, double.NaN, double.NaN, "Bonett-Wright", unit);
        double z = Math.Atanh(rho), error = Math.Sqrt((1 + rho * rho / 2) / (n - 3));
        return new(rho, error * (1 - rho * rho), n, Math.Tanh(z - Gaussian.Z95 * error), Math.Tanh(z + Gaussian.Z95 * error), "Bonett-Wright", unit);
    }

    /// <summary>Ranks from 1, ties at their mean; NaN everywhere if any value is NaN.</summary>
    public static double[] Ranks(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray(), ranks = new double[values.Length];
        int[] order = new int[values.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        if (sorted.Length > 0 && double.IsNaN(sorted[0])) // NaN sorts first
        {
            Array.Fill(ranks, double.NaN);
            return ranks;
        }
        for (int start = 0; start < sorted.Length;)
        {
            int end = start + 1;
            while (end < sorted.Length && sorted[end] == sorted[start])
                end++;
            for (int i = start; i < end; i++)
                ranks[order[i]] = (start + end + 1) / 2.0;
            start = end;
        }
        return ranks;
    }
}
