namespace Paddock.Methods.Formulas;

/// <summary>
/// What TRL reports of a step of preference pairs: implicit rewards beta (log pi - log ref) on sums, how often chosen's is strictly
/// larger, and the policy's log-probs. All are means over pairs.
/// </summary>
public readonly record struct PairMetrics(double RewardsChosen, double RewardsRejected, double RewardsAccuracies, double LogProbsChosen, double LogProbsRejected)
{
    /// <summary>Of a step without a pair.</summary>
    public static PairMetrics NotMeasured => new(double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);

    /// <summary>Mean of chosen minus rejected reward.</summary>
    public double RewardsMargins => RewardsChosen - RewardsRejected;

    /// <summary>Metrics of one step's pairs; at least one.</summary>
    public static PairMetrics Of(double beta, ReadOnlySpan<PairLogProbs> pairs)
    {
        double chosen = 0, rejected = 0, logProbsChosen = 0, logProbsRejected = 0;
        int right = 0;
        foreach (ref readonly PairLogProbs pair in pairs)
        {
            double w = pair.RatioChosen, l = pair.RatioRejected;
            chosen += beta * w;
            rejected += beta * l;
            logProbsChosen += pair.PolicyChosen.Value;
            logProbsRejected += pair.PolicyRejected.Value;
            if (beta * w > beta * l)
                right++;
        }
        double n = pairs.Length;
        return new(chosen / n, rejected / n, right / n, logProbsChosen / n, logProbsRejected / n);
    }

    /// <summary>Names as TRL has them.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["rewards/chosen"] = RewardsChosen;
        metrics["rewards/rejected"] = RewardsRejected;
        metrics["rewards/margins"] = RewardsMargins;
        metrics["rewards/accuracies"] = RewardsAccuracies;
        metrics["logps/chosen"] = LogProbsChosen;
        metrics["logps/rejected"] = LogProbsRejected;
    }
}
