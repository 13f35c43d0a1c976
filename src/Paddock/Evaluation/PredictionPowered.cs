namespace Paddock.Evaluation;

/// <summary>A rate from few human labels and many verdicts of a judge.</summary>
/// <param name="Rate">The estimate to report.</param>
/// <param name="Lambda">How far the judge is trusted: 0 is human labels alone, 1 takes its verdicts at face value and corrects their mean.</param>
/// <param name="Correlation">Of human label and judge on the items that have both.</param>
/// <param name="EffectiveLabels">Human labels alone that would give the same standard error.</param>
/// <param name="HumanOnly">Mean of the human labels.</param>
/// <param name="JudgeOnly">Mean of all verdicts: precise, and biased wherever the judge is.</param>
public sealed record PredictionPoweredResult(Interval Rate, double Lambda, double Correlation, double EffectiveLabels, Interval HumanOnly, Interval JudgeOnly);

/// <summary>
/// Prediction-powered inference (Angelopoulos et al. 2023, PPI; 2024, arXiv 2311.01453, PPI++): theta = mean Y + lambda (mean f of the
/// unlabelled - mean f of the labelled). Unbiased for any judge, as long as the labelled items are a random part of all; a judge that says
/// nothing gets lambda 0. Items are prompts: several verdicts of a prompt are averaged first.
/// </summary>
public static class PredictionPowered
{
    /// <summary>With fewer human labels the judge is not used: its lambda could not be told from noise.</summary>
    public const int FewestLabels = 30;

    /// <summary>The estimate with lambda from the data, or human labels alone where there are fewer than <see cref="FewestLabels"/> or no verdicts beyond them.</summary>
    /// <param name="human">Labels Y in [0, 1].</param>
    /// <param name="judge">The judge's scores of the same items.</param>
    /// <param name="unlabelled">The judge's scores of all further items.</param>
    public static PredictionPoweredResult Of(ReadOnlySpan<double> human, ReadOnlySpan<double> judge, ReadOnlySpan<double> unlabelled)
    {
        string? fallback = human.Length < FewestLabels ? $"human labels alone (fewer than {FewestLabels})" : unlabelled.Length < 2 ? "human labels alone (no verdicts beyond them)" : null;
        double lambda = fallback == null ? Lambda(human, judge, unlabelled) : 0;
        PredictionPoweredResult result = WithLambda(human, judge, unlabelled, lambda);
        return lambda > 0 ? result : result with { Rate = result.HumanOnly with { Method = fallback ?? "human labels alone (the judge does not help)" } };
    }

    /// <summary>The estimate with a given lambda. Variance = Var(Y - lambda f)/n + lambda^2 Var(f)/N.</summary>
    public static PredictionPoweredResult WithLambda(ReadOnlySpan<double> human, ReadOnlySpan<double> judge, ReadOnlySpan<double> unlabelled, double lambda)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(judge.Length, human.Length);
        int n = human.Length, more = unlabelled.Length;
        Interval humanOnly = Interval.OfMean(human, "labels").Within(0, 1);
        double[] rest = new double[n], all = [.. judge, .. unlabelled];
        for (int i = 0; i < n; i++)
            rest[i] = human[i] - lambda * judge[i];
        double mean = Moments.Mean(rest) + (lambda == 0 ? 0 : lambda * Moments.Mean(unlabelled));
        double variance = Moments.Variance(rest) / n + (lambda == 0 ? 0 : lambda * lambda * Moments.Variance(unlabelled) / more);
        double correlation = Covariance(human, judge) / Math.Sqrt(Moments.Variance(human) * Moments.Variance(judge));
        return new(Interval.Normal(mean, Math.Sqrt(variance), n, "PPI++", "labels").Within(0, 1), lambda, correlation, Moments.Variance(human) / variance, humanOnly,
            Interval.OfMean(all).Within(0, 1));
    }

    /// <summary>lambda = Cov(Y, f) / ((1 + n/N) Var f), the variance pooled over all items, kept within 0 and 1.</summary>
    public static double Lambda(ReadOnlySpan<double> human, ReadOnlySpan<double> judge, ReadOnlySpan<double> unlabelled)
    {
        double pooled = Moments.Variance((double[])[.. judge, .. unlabelled]);
        double lambda = Covariance(human, judge) / ((1 + (double)human.Length / unlabelled.Length) * pooled);
        return lambda > 0 ? Math.Min(1, lambda) : 0; // NaN where the judge always says the same
    }

    /// <summary>
    /// Rogan and Gladen (1978): the rate behind a judge of known sensitivity and specificity, p = (q + spec - 1) / (sens + spec - 1), to
    /// compare with. Standard error by the delta method, the three rates estimated on separate items.
    /// </summary>
    public static Interval RoganGladen(double judged, int judgedItems, double sensitivity, int positives, double specificity, int negatives)
    {
        double youden = sensitivity + specificity - 1, p = (judged + specificity - 1) / youden;
        double variance = judged * (1 - judged) / judgedItems + p * p * sensitivity * (1 - sensitivity) / positives + (1 - p) * (1 - p) * specificity * (1 - specificity) / negatives;
        return Interval.Normal(p, Math.Sqrt(variance) / Math.Abs(youden), judgedItems, "Rogan-Gladen", "items").Within(0, 1);
    }

    private static double Covariance(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double meanA = Moments.Mean(a), meanB = Moments.Mean(b), sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (a[i] - meanA) * (b[i] - meanB);
        return sum / (a.Length - 1);
    }
}
