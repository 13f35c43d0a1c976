namespace Paddock.Methods.Formulas;

/// <summary>Loss on a pair of answers that the policy has drawn itself.</summary>
public enum OnlinePairLossType
{
    /// <summary>-log sigmoid(beta D), D = (log pi - log ref) of chosen minus that of rejected.</summary>
    Sigmoid,

    /// <summary>(D - 1 / (2 beta))^2 on sums over tokens: the form of the paper (Azar et al. 2023, arXiv 2310.12036, eq. 17).</summary>
    Ipo,
}

/// <summary>Losses of the methods that draw their own pairs: online DPO, XPO and Nash-MD.</summary>
internal static class OnlinePairLoss
{
    /// <summary>
    /// Mean over pairs, and its derivative with respect to the summed log-probs. Lengths play no part: IPO is on sums here, on token means in
    /// <see cref="DpoLossType.Ipo"/>.
    /// </summary>
    public static DpoLossResult Dpo(OnlinePairLossType type, double beta, ReadOnlySpan<PairLogProbs> pairs, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        if (type == OnlinePairLossType.Sigmoid)
            return DpoLoss.Compute(DpoLossOptions.Of(DpoLossType.Sigmoid, beta), pairs, gradientChosen, gradientRejected);
        PairLogProbs[] sums = pairs.ToArray();
        for (int i = 0; i < sums.Length; i++)
            sums[i] = sums[i] with { ChosenTokens = 1, RejectedTokens = 1 };
        return DpoLoss.Compute(DpoLossOptions.Of(DpoLossType.Ipo, beta), sums, gradientChosen, gradientRejected);
    }

    /// <summary>
    /// Nash-MD (Munos et al. 2023, arXiv 2312.00886, section 7): beta sum_t sg(lp_t - ref_t) lp_t - (p - 1/2) sum_t lp_t, with p the probability that the answer beats
    /// the mixture's. <paramref name="gradient"/> receives beta (lp_t - ref_t) - (p - 1/2).
    /// </summary>
    /// <returns>(p - 1/2) log pi, the log-ratio summed over tokens, and the loss.</returns>
    public static (double Score, double Kl, double Loss) NashMd(ReadOnlySpan<double> logProbs, ReadOnlySpan<double> reference, double probability, double beta, Span<double> gradient)
    {
        double score = 0, kl = 0, pull = 0;
        for (int t = 0; t < logProbs.Length; t++)
        {
            double ratio = logProbs[t] - reference[t];
            score += (probability - 0.5) * logProbs[t];
            kl += ratio;
            pull += ratio * logProbs[t];
            gradient[t] = beta * ratio - (probability - 0.5);
        }
        return (score, kl, beta * pull - score);
    }
}
