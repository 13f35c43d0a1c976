using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>What ORPO sees of one preference.</summary>
/// <param name="Chosen">Mean log-prob of chosen's response tokens.</param>
/// <param name="Likelihood">Summed log-prob of the tokens that the likelihood term learns: chosen's response, or its prompt too.</param>
public readonly record struct OrpoPair(MeanLogProb Chosen, MeanLogProb Rejected, SumLogProb Likelihood);

/// <param name="Likelihood">Token mean of the negative log-likelihood.</param>
/// <param name="LogOddsRatio">Mean of log s(log odds ratio), at most 0.</param>
/// <param name="LogOddsChosen">Mean of the log odds ratio itself.</param>
/// <param name="Pairs">Rewards beta a and mean log-probs.</param>
public readonly record struct OrpoLossResult(double Loss, double Likelihood, double LogOddsRatio, double LogOddsChosen, PairMetrics Pairs)
{
    /// <summary>Names as TRL has them.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["loss"] = Loss;
        metrics["nll_loss"] = Likelihood;
        metrics["log_odds_ratio"] = LogOddsRatio;
        metrics["log_odds_chosen"] = LogOddsChosen;
        Pairs.AddTo(metrics);
    }
}

/// <summary>
/// ORPO (Hong et al. 2024, arXiv 2403.07691, eq. 6-7): -sum of likelihood / tokens - beta mean(log s(o)), where o is the log odds ratio
/// (a_w - log(1 - e^a_w)) - (a_l - log(1 - e^a_l)) of mean log-probs a.
/// </summary>
public static class OrpoLoss
{
    // an answer that is certain has infinite odds; they are held where float32 still tells its probability from 1
    private const double MostLikely = -1e-7;

    /// <summary>Loss of some of a step's pairs, reduced over the whole step, and metrics of these pairs.</summary>
    /// <param name="stepPairs">Pairs of the whole optimizer step.</param>
    /// <param name="stepTokens">Tokens of the likelihood term of the whole optimizer step; each has the coefficient -1/stepTokens.</param>
    /// <param name="gradientChosen">Out: derivative of the odds term with respect to chosen's mean log-prob.</param>
    /// <param name="gradientRejected">Out: the same for rejected's.</param>
    public static OrpoLossResult Compute(double beta, ReadOnlySpan<OrpoPair> pairs, int stepPairs, long stepTokens, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pairs.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepPairs, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepTokens);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientChosen.Length, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientRejected.Length, pairs.Length);
        double likelihood = 0, ratios = 0, odds = 0, chosen = 0, rejected = 0;
        int right = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            (double w, double slopeW) = LogOdds(pairs[i].Chosen.Value);
            (double l, double slopeL) = LogOdds(pairs[i].Rejected.Value);
            double o = w - l, slope = -beta * Sigmoid(-o) / stepPairs;
            gradientChosen[i] = slope * slopeW;
            gradientRejected[i] = -slope * slopeL;
            likelihood -= pairs[i].Likelihood.Value;
            ratios += LogSigmoid(o);
            odds += o;
            chosen += pairs[i].Chosen.Value;
            rejected += pairs[i].Rejected.Value;
            if (pairs[i].Chosen.Value > pairs[i].Rejected.Value)
                right++;
        }
        double n = pairs.Length;
        return new(likelihood / stepTokens - beta * ratios / stepPairs, likelihood / stepTokens, ratios / n, odds / n,
            new PairMetrics(beta * chosen / n, beta * rejected / n, right / n, chosen / n, rejected / n));
    }

    // a - log(1 - e^a) and its derivative 1 / (1 - e^a)
    private static (double Value, double Slope) LogOdds(double a) =>
        a < MostLikely ? (a - LogOneMinusExp(a), -1 / Expm1(a)) : (a - LogOneMinusExp(MostLikely), 1);
}
