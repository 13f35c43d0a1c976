namespace Paddock.Methods.Formulas;

/// <summary>Policy-gradient losses on whole answers: the log-prob of an answer is one action (Ahmadian et al. 2024, arXiv 2402.14740).</summary>
internal static class RlooLoss
{
    /// <summary>Largest log-ratio that is exponentiated.</summary>
    private const double MaxLogRatio = 50;

    /// <summary>
    /// max(-A rho, -A clip(rho, 1 - clip, 1 + clip)), rho = exp(log p - log p_old) of the answer.
    /// <paramref name="gradient"/>: d / d log p, the coefficient of each of its tokens.
    /// </summary>
    public static double Of(SumLogProb policy, SumLogProb old, double advantage, double low, double high, out double gradient, GrpoSums sums)
    {
        double ratio = Math.Exp(Math.Clamp(policy.Value - old.Value, -MaxLogRatio, MaxLogRatio)), plain = -advantage * ratio, clipped = -advantage * Math.Clamp(ratio, 1 - low, 1 + high);
        bool inside = ratio >= 1 - low && ratio <= 1 + high;
        gradient = plain > clipped || inside ? plain : 0;
        sums.Ratio.Add(ratio);
        sums.MaxRatio = Math.Max(sums.MaxRatio, ratio);
        sums.Low.Add(ratio < 1 - low && advantage < 0 ? 1 : 0);
        sums.High.Add(ratio > 1 + high && advantage > 0 ? 1 : 0);
        return Math.Max(plain, clipped);
    }
}
