namespace Paddock.Evaluation;

/// <summary>Two systems on the same prompts.</summary>
/// <param name="Difference">Mean of a - b over prompts that both were scored on.</param>
/// <param name="Missing">Prompts where either is missing.</param>
/// <param name="AOnly">Prompts that a won and b did not (scores above 1/2).</param>
/// <param name="BOnly">Prompts that b won and a did not.</param>
/// <param name="McNemarMidP">Two-sided exact mid-p of the two counts.</param>
public sealed record PairedComparison(Interval Difference, int Missing, int AOnly, int BOnly, double McNemarMidP);

/// <summary>Tests between systems.</summary>
public static class Comparisons
{
    /// <summary>Paired difference over prompts, and McNemar's test on who won (ties count as not won).</summary>
    public static PairedComparison Paired(ReadOnlySpan<double?> a, ReadOnlySpan<double?> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        List<double> differences = new(a.Length);
        int aOnly = 0, bOnly = 0;
        for (int i = 0; i < a.Length; i++)
            if (a[i] is { } first && b[i] is { } second)
            {
                differences.Add(first - second);
                aOnly += first > 0.5 && second <= 0.5 ? 1 : 0;
                bOnly += second > 0.5 && first <= 0.5 ? 1 : 0;
            }
        return new(Interval.OfMean([.. differences]).Within(-1, 1), a.Length - differences.Count, aOnly, bOnly, McNemar(aOnly, bOnly).MidP);
    }

    /// <summary>
    /// As <see cref="Paired"/> for several verdicts a prompt: the differences of one prompt are clustered as in
    /// <see cref="WinRate.Clustered"/>. Gives the interval alone, since McNemar's test needs independent pairs.
    /// </summary>
    /// <param name="clusters">The prompt each pair of scores belongs to.</param>
    public static Interval PairedClustered(ReadOnlySpan<double?> a, ReadOnlySpan<double?> b, IReadOnlyList<string> clusters)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        // a difference in [-1, 1] is a score in [0, 1] on twice the scale
        double?[] halves = new double?[a.Length];
        for (int i = 0; i < a.Length; i++)
            halves[i] = (a[i] - b[i] + 1) / 2;
        Interval half = WinRate.Clustered(halves, clusters).Rate;
        return Interval.Normal(2 * half.Mean - 1, 2 * half.StandardError, half.N, half.Method).Within(-1, 1);
    }

    /// <summary>
    /// McNemar's exact test on discordant counts b and c: 2 P(X at most min), X ~ Bin(b + c, 1/2), and its mid-p 2 P(X below min) + P(X = min)
    /// (Fagerland et al. 2013). Both are 1 where b = c, since the two halves meet.
    /// </summary>
    public static (double Exact, double MidP) McNemar(int b, int c)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(b);
        ArgumentOutOfRangeException.ThrowIfNegative(c);
        int n = b + c, min = Math.Min(b, c);
        if (b == c)
            return (1, 1);
        double logTerm = -n * Math.Log(2), below = 0;
        for (int k = 0; k < min; k++)
        {
            below += Math.Exp(logTerm);
            logTerm += Math.Log((double)(n - k) / (k + 1));
        }
        double at = Math.Exp(logTerm);
        return (Math.Min(1, 2 * (below + at)), 2 * below + at);
    }

    /// <summary>Holm's step-down adjustment (Holm 1979) of the p-values of one family, in the order given.</summary>
    public static double[] Holm(ReadOnlySpan<double> pValues)
    {
        double[] sorted = pValues.ToArray(), adjusted = new double[pValues.Length];
        int[] order = new int[sorted.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        double largest = 0;
        for (int i = 0; i < order.Length; i++)
            adjusted[order[i]] = largest = Math.Max(largest, Math.Min(1, sorted[i] * (order.Length - i)));
        return adjusted;
    }
}
