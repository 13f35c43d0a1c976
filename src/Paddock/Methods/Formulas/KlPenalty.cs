namespace Paddock.Methods.Formulas;

/// <summary>Estimates of KL(policy || reference) from one sampled token (Schulman 2020, Approximating KL divergence).</summary>
public enum KlEstimator
{
    /// <summary>log p - log ref: unbiased, may be negative.</summary>
    K1,

    /// <summary>ref/p - 1 - log(ref/p): unbiased, never negative.</summary>
    K3,

    /// <summary>max(0, log p - log ref): AlpacaFarm's; biased upwards.</summary>
    Clamped,
}

/// <summary>KL of a token, its share in a reward, and the coefficient that follows a target.</summary>
public static class KlPenalty
{
    /// <summary>Largest log-ratio that is exponentiated; beyond it the estimate is held.</summary>
    private const double MaxLogRatio = 50;

    public static double Of(KlEstimator estimator, double logProb, double reference) => estimator switch
    {
        KlEstimator.K1 => logProb - reference,
        KlEstimator.K3 => K3(logProb, reference),
        _ => Math.Max(0, logProb - reference),
    };

    /// <summary>k3 = e^d - 1 - d with d = ref - log p.</summary>
    public static double K3(double logProb, double reference)
    {
        double d = Math.Min(reference - logProb, MaxLogRatio);
        return Engine.Numerics.ScalarMath.Expm1(d) - d;
    }

    /// <summary>d k3 / d log p = 1 - e^d.</summary>
    public static double K3Slope(double logProb, double reference) => reference - logProb > MaxLogRatio ? 0 : -Engine.Numerics.ScalarMath.Expm1(reference - logProb);

    /// <summary>Sum over an answer's tokens.</summary>
    public static double Sum(KlEstimator estimator, ReadOnlySpan<double> logProbs, ReadOnlySpan<double> reference)
    {
        double sum = 0;
        for (int t = 0; t < logProbs.Length; t++)
            sum += Of(estimator, logProbs[t], reference[t]);
        return sum;
    }

    /// <summary>
    /// The next coefficient: times 1 + 0.1 clip(kl / target - 1, -0.2, 0.2) (Ziegler et al. 2019, arXiv 1909.08593, section 2.2, with AlpacaFarm's step of 0.1).
    /// <paramref name="kl"/>: mean over answers of the sum over tokens.
    /// </summary>
    public static double Adapt(double coefficient, double kl, double target) => coefficient * (1 + 0.1 * Math.Clamp(kl / target - 1, -0.2, 0.2));
}
