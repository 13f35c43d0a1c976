namespace Paddock.Methods.Formulas;

/// <summary>What a loss on labels sees of one answer: its summed log-probs and its thumb.</summary>
public readonly record struct LabelledLogProb(SumLogProb Policy, SumLogProb Reference, bool Desirable)
{
    /// <summary>r = log pi(y) - log ref(y).</summary>
    public double Ratio => Policy.Value - Reference.Value;
}

/// <summary>
/// What TRL reports of a step of labelled answers: implicit rewards beta r and log-probs, each a mean over the rows of its class; NaN (not
/// measured) where a step has no row of the class.
/// </summary>
public readonly record struct LabelMetrics(double RewardsChosen, double RewardsRejected, double LogProbsChosen, double LogProbsRejected)
{
    /// <summary>Mean desirable minus mean undesirable reward.</summary>
    public double RewardsMargins => RewardsChosen - RewardsRejected;

    public static LabelMetrics Of(double beta, ReadOnlySpan<LabelledLogProb> rows)
    {
        StepMean rewardsChosen = default, rewardsRejected = default, logProbsChosen = default, logProbsRejected = default;
        foreach (ref readonly LabelledLogProb row in rows)
            if (row.Desirable)
            {
                rewardsChosen.Add(beta * row.Ratio);
                logProbsChosen.Add(row.Policy.Value);
            }
            else
            {
                rewardsRejected.Add(beta * row.Ratio);
                logProbsRejected.Add(row.Policy.Value);
            }
        return new(rewardsChosen.Value, rewardsRejected.Value, logProbsChosen.Value, logProbsRejected.Value);
    }

    /// <summary>Names as TRL has them: chosen is desirable.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["rewards/chosen"] = RewardsChosen;
        metrics["rewards/rejected"] = RewardsRejected;
        metrics["rewards/margins"] = RewardsMargins;
        metrics["logps/chosen"] = LogProbsChosen;
        metrics["logps/rejected"] = LogProbsRejected;
    }
}
