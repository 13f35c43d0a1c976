namespace Paddock.Methods.Formulas;

/// <summary>
/// The clipped losses of PPO (Schulman et al. 2017, arXiv 1707.06347, eq. 7; the value clip of its reference code). Gradients are of the sum over the
/// answer's tokens divided by <c>tokens</c>, so that answers of one optimizer step, added up, are a mean over all its tokens.
/// </summary>
internal static class PpoLoss
{
    /// <summary>Largest log-ratio that is exponentiated.</summary>
    private const double MaxLogRatio = 50;

    /// <summary>exp(log p - log old), held finite.</summary>
    public static double Ratio(double logProb, double old) => Math.Exp(Math.Clamp(logProb - old, -MaxLogRatio, MaxLogRatio));

    /// <summary>
    /// Sum over tokens of max(-A rho, -A clip(rho, 1 - clip, 1 + clip)), rho = p / old. <paramref name="gradient"/> receives d / d log p, divided by
    /// <paramref name="tokens"/>: -A rho while the unclipped term is the larger, else 0.
    /// </summary>
    public static double Policy(ReadOnlySpan<double> logProbs, ReadOnlySpan<double> old, ReadOnlySpan<double> advantages, double clip, double tokens, Span<double> gradient, PpoSums sums)
    {
        double loss = 0;
        for (int t = 0; t < logProbs.Length; t++)
        {
            double ratio = Ratio(logProbs[t], old[t]), a = advantages[t], plain = -a * ratio, clipped = -a * Math.Clamp(ratio, 1 - clip, 1 + clip);
            loss += Math.Max(plain, clipped);
            gradient[t] = plain >= clipped ? plain / tokens : 0;
            sums.Ratio.Add(ratio);
            sums.SquaredRatio.Add(ratio * ratio);
            sums.Clipped.Add(clipped > plain ? 1 : 0);
            sums.ApproximateKl.Add(0.5 * (logProbs[t] - old[t]) * (logProbs[t] - old[t]));
            sums.Entropy.Add(-logProbs[t]);
        }
        sums.PolicyLoss.Add(loss, logProbs.Length);
        return loss;
    }

    /// <summary>
    /// Half the sum over positions of max((V - R)^2, (clip(V, old - clip, old + clip) - R)^2). <paramref name="gradient"/> receives d / d V times
    /// <paramref name="weight"/> / <paramref name="tokens"/>: V - R on the unclipped branch; on the clipped one the same of the clipped V while it still moves, else 0.
    /// </summary>
    public static double Value(ReadOnlySpan<double> values, ReadOnlySpan<double> old, ReadOnlySpan<double> returns, double clip, double weight, double tokens, Span<double> gradient, PpoSums sums)
    {
        double loss = 0;
        for (int t = 0; t < values.Length; t++)
        {
            double held = Math.Clamp(values[t], old[t] - clip, old[t] + clip), plain = values[t] - returns[t], clipped = held - returns[t];
            bool isPlain = plain * plain >= clipped * clipped;
            loss += 0.5 * (isPlain ? plain * plain : clipped * clipped);
            gradient[t] = (isPlain ? plain : held == values[t] ? clipped : 0) * weight / tokens;
            sums.ValueClipped.Add(isPlain ? 0 : 1);
        }
        sums.ValueLoss.Add(loss, values.Length);
        return loss;
    }
}

/// <summary>The reward of each token: the KL penalty, and the score where the answer ends.</summary>
internal static class PpoRewards
{
    /// <param name="score">Of the whole answer.</param>
    /// <param name="atEnd">True: on the last token. False: on a position of its own after it, where one version of TRL has it.</param>
    /// <returns>[tokens], or one more.</returns>
    public static double[] Of(KlEstimator estimator, ReadOnlySpan<double> logProbs, ReadOnlySpan<double> reference, double score, double coefficient, bool atEnd)
    {
        double[] rewards = new double[logProbs.Length + (atEnd ? 0 : 1)];
        for (int t = 0; t < logProbs.Length; t++)
            rewards[t] = -coefficient * KlPenalty.Of(estimator, logProbs[t], reference[t]);
        rewards[^1] += score;
        return rewards;
    }
}

/// <summary>What a rollout's updates report: sums over tokens, divided once.</summary>
internal sealed class PpoSums
{
    // fields: a mean is a struct that counts in place
    public StepMean Ratio, SquaredRatio, Clipped, ApproximateKl, Entropy, ValueClipped, PolicyLoss, ValueLoss;

    /// <summary>Names as TRL has them; means over the tokens of all updates of the step.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["policy/approxkl_avg"] = ApproximateKl.Value;
        metrics["policy/clipfrac_avg"] = Clipped.Value;
        metrics["policy/entropy_avg"] = Entropy.Value;
        metrics["loss/policy_avg"] = PolicyLoss.Value;
        metrics["loss/value_avg"] = ValueLoss.Value;
        metrics["val/clipfrac_avg"] = ValueClipped.Value;
        metrics["val/ratio"] = Ratio.Value;
        metrics["val/ratio_var"] = Math.Max(0, SquaredRatio.Value - Ratio.Value * Ratio.Value);
    }
}
