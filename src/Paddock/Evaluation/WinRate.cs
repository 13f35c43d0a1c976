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

    /// <summary>
    /// Weighted rate p = sum of w s / sum of w with several verdicts a prompt: a ratio of two random sums, so its variance is that of the
    /// linearised cluster totals (Cochran 1977, 6.4), e_g = (S_g - p W_g) / mean W, V = sum of e_g^2 / (G (G - 1)). With weights of 1 it is
    /// <see cref="Clustered"/>. Counts are of verdicts.
    /// </summary>
    /// <param name="weights">One finite weight of 0 or more per score; that of a missing score is not used.</param>
    public static WinRateResult Weighted(ReadOnlySpan<double?> scores, ReadOnlySpan<double> weights, IReadOnlyList<string> clusters)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(clusters.Count, scores.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, scores.Length);
        double[] valid = Valid(scores, out int missing);
        Dictionary<string, (double Score, double Weight)> totals = new(StringComparer.Ordinal);
        double score = 0, weight = 0;
        for (int i = 0; i < scores.Length; i++)
            if (scores[i] is { } value)
            {
                if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
                    throw new ArgumentOutOfRangeException(nameof(weights), weights[i], "a weight is finite and not negative");
                (double s, double w) = totals.GetValueOrDefault(clusters[i]);
                totals[clusters[i]] = (s + weights[i] * value, w + weights[i]);
                score += weights[i] * value;
                weight += weights[i];
            }
        double rate = score / weight, groups = totals.Count, sum = 0;
        foreach ((double s, double w) in totals.Values)
            sum += (s - rate * w) * (s - rate * w);
        double error = groups < 2 ? double.NaN : Math.Sqrt(sum / (groups * (groups - 1))) / (weight / groups);
        return Count(Interval.Normal(rate, error, totals.Count, "weighted, clustered").Within(0, 1), valid, missing);
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
