namespace Paddock.Evaluation;

/// <summary>A win rate and what it rests on. A missing verdict is counted, never scored.</summary>
/// <param name="Wins">Prompts scored above 1/2.</param>
/// <param name="Ties">Prompts scored exactly 1/2.</param>
/// <param name="Losses">Prompts scored below 1/2.</param>
/// <param name="Missing">Prompts without a verdict.</param>
public sealed record WinRateResult(Interval Rate, int Wins, int Ties, int Losses, int Missing)
{
    /// <summary>(wins + ties/2) / n: the rate when each verdict is rounded to a win, a tie or a loss.</summary>
    public double DiscreteRate => (Wins + 0.5 * Ties) / (Wins + Ties + Losses);
}

/// <summary>
/// Win rates over prompts. A score is 1 for a win, 1/2 for a tie, 0 for a loss, or the judge's probability; null is missing. Where both
/// orders were judged they are combined first (<see cref="CombineOrders"/>), so that the prompt is the unit.
/// </summary>
public static class WinRate
{
    /// <summary>
    /// Mean over prompts with SE = sd / sqrt n (ddof 1; AlpacaEval's win rate and standard error are 100 times these). Where all prompts
    /// were won, or all lost, that SE is 0 and says nothing, so the interval is Wilson's.
    /// </summary>
    /// <param name="scores">One score in [0, 1] or null per prompt.</param>
    public static WinRateResult Of(ReadOnlySpan<double?> scores)
    {
        double[] valid = Valid(scores, out int missing);
        Interval rate = Interval.OfMean(valid).Within(0, 1);
        if (valid.Length > 0 && rate.Mean is 0 or 1)
            rate = Wilson(rate.Mean * valid.Length, valid.Length) with { StandardError = rate.StandardError };
        return Count(rate, valid, missing);
    }

    /// <summary>
    /// As <see cref="Of"/> for several verdicts a prompt (both orders, several judges, repeats): cluster-robust variance
    /// V = G/(G-1) sum over prompts of (sum of residuals)^2 / n^2, n verdicts, G prompts. Counts are of verdicts.
    /// </summary>
    /// <param name="clusters">The prompt each score belongs to; equal prompts share a name.</param>
    public static WinRateResult Clustered(ReadOnlySpan<double?> scores, IReadOnlyList<string> clusters)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(clusters.Count, scores.Length);
        double[] valid = Valid(scores, out int missing);
        double mean = Moments.Mean(valid);
        Dictionary<string, double> residuals = new(StringComparer.Ordinal);
        for (int i = 0; i < scores.Length; i++)
            if (scores[i] is { } score)
                residuals[clusters[i]] = residuals.GetValueOrDefault(clusters[i]) + score - mean;
        double sum = 0;
        foreach (double residual in residuals.Values)
            sum += residual * residual;
        double groups = residuals.Count, n = valid.Length, error = groups < 2 ? double.NaN : Math.Sqrt(groups / (groups - 1) * sum) / n;
        return Count(Interval.Normal(mean, error, residuals.Count, "clustered").Within(0, 1), valid, missing);
    }

    /// <summary>Wilson's interval for a plain binary rate (Wilson 1927); its SE is sqrt(p(1-p)/n).</summary>
    /// <param name="wins">Successes, 0 to n; ties may count half.</param>
    public static Interval Wilson(double wins, int n)
    {
        double p = wins / n, z2 = Gaussian.Z95 * Gaussian.Z95, scale = 1 + z2 / n, centre = (p + z2 / (2 * n)) / scale;
        double half = Gaussian.Z95 * Math.Sqrt(p * (1 - p) / n + z2 / (4.0 * n * n)) / scale;
        return new(p, Math.Sqrt(p * (1 - p) / n), n, p == 0 ? 0 : centre - half, p == 1 ? 1 : centre + half, "Wilson");
    }

    /// <summary>
    /// One score from both orders: the mean of the first order's and of the swapped order's turned around. Missing unless both are there,
    /// since one order alone carries the judge's position bias.
    /// </summary>
    /// <param name="swapped">Score of whatever came first in the swapped order.</param>
    public static double? CombineOrders(double? straight, double? swapped) => (straight + (1 - swapped)) / 2;

    private static WinRateResult Count(Interval rate, double[] valid, int missing)
    {
        int wins = 0, ties = 0;
        foreach (double score in valid)
            if (score > 0.5)
                wins++;
            else if (score == 0.5)
                ties++;
        return new(rate, wins, ties, valid.Length - wins - ties, missing);
    }

    private static double[] Valid(ReadOnlySpan<double?> scores, out int missing)
    {
        List<double> valid = new(scores.Length);
        foreach (double? score in scores)
        {
            if (score is { } value)
            {
                if (value is not (>= 0 and <= 1))
                    throw new ArgumentOutOfRangeException(nameof(scores), value, "a score is between 0 and 1");
                valid.Add(value);
            }
        }
        missing = scores.Length - valid.Count;
        return [.. valid];
    }
}
