using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>
/// Estimates of KL(policy || reference) from one sample of the policy, with log r = log reference - log policy (Schulman 2020,
/// "Approximating KL divergence"). In nats.
/// </summary>
/// <param name="K1">-log r: unbiased, may be negative.</param>
/// <param name="K2">(log r)^2 / 2: biased, low variance.</param>
/// <param name="K3">(r - 1) - log r: unbiased, never negative.</param>
public readonly record struct KlTerms(double K1, double K2, double K3)
{
    public static KlTerms operator +(KlTerms a, KlTerms b) => new(a.K1 + b.K1, a.K2 + b.K2, a.K3 + b.K3);
}

/// <summary>KL between a policy and its reference. Nothing is clamped.</summary>
public static class KlEstimators
{
    /// <summary>Of one token that the policy sampled.</summary>
    public static KlTerms Token(double policyLogProb, double referenceLogProb)
    {
        double logRatio = referenceLogProb - policyLogProb;
        // (e^x - 1) - x cancels near 0: its series x^2/2 + x^3/6 + x^4/24 + x^5/120 is exact to rounding below 1e-3
        double k3 = Math.Abs(logRatio) < 1e-3
            ? logRatio * logRatio * (1.0 / 2 + logRatio * (1.0 / 6 + logRatio * (1.0 / 24 + logRatio / 120)))
            : ScalarMath.Expm1(logRatio) - logRatio;
        return new(-logRatio, 0.5 * logRatio * logRatio, k3);
    }

    /// <summary>Of a sampled sequence: the sum over its tokens.</summary>
    public static KlTerms Sequence(ReadOnlySpan<double> policyLogProbs, ReadOnlySpan<double> referenceLogProbs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(referenceLogProbs.Length, policyLogProbs.Length);
        KlTerms sum = default;
        for (int i = 0; i < policyLogProbs.Length; i++)
            sum += Token(policyLogProbs[i], referenceLogProbs[i]);
        return sum;
    }

    /// <summary>
    /// Exact at one state, sum over the vocabulary of p (log p - log q): the Rao-Blackwellised estimate. A token of probability 0 adds
    /// nothing; one that only the reference rules out makes it infinite.
    /// </summary>
    public static double Categorical(ReadOnlySpan<double> policyLogProbs, ReadOnlySpan<double> referenceLogProbs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(referenceLogProbs.Length, policyLogProbs.Length);
        double sum = 0;
        for (int v = 0; v < policyLogProbs.Length; v++)
            if (policyLogProbs[v] > double.NegativeInfinity)
                sum += Math.Exp(policyLogProbs[v]) * (policyLogProbs[v] - referenceLogProbs[v]);
        return sum;
    }
}
