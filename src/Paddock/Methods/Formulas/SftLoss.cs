namespace Paddock.Methods.Formulas;

/// <summary>What supervised fine-tuning minimises.</summary>
public enum SftObjective
{
    /// <summary>Negative log-likelihood, -log p.</summary>
    NegativeLogLikelihood,

    /// <summary>Dynamic fine-tuning (Wu et al. 2025, arXiv 2508.05629): -sg(p) log p, which takes the 1/p out of the gradient.</summary>
    Dynamic,
}

/// <summary>
/// Supervised fine-tuning on the log-probs of the wanted tokens: a token mean over the whole optimizer step,
/// L = sum over tokens of l(t) / N, with c = dL/d log p = -1/N (negative log-likelihood) or -p/N (dynamic).
/// </summary>
public static class SftLoss
{
    /// <summary>Adds a micro-batch's tokens to <paramref name="mean"/> and writes their coefficients.</summary>
    /// <param name="logProbs">Log-prob of each wanted token, at most 0.</param>
    /// <param name="stepTokens">N: wanted tokens of the whole optimizer step, all micro-batches together.</param>
    /// <param name="mean">The step's loss; its value is right once all its micro-batches have been added.</param>
    /// <param name="coefficients">Out: dL/d log p per token, same length as <paramref name="logProbs"/>.</param>
    public static void Add(SftObjective objective, ReadOnlySpan<double> logProbs, long stepTokens, ref StepMean mean, Span<double> coefficients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepTokens);
        ArgumentOutOfRangeException.ThrowIfNotEqual(coefficients.Length, logProbs.Length);
        for (int i = 0; i < logProbs.Length; i++)
        {
            double weight = objective == SftObjective.Dynamic ? Math.Exp(logProbs[i]) : 1.0;
            mean.Add(-weight * logProbs[i]);
            coefficients[i] = -weight / stepTokens;
        }
    }
}
