using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>Scores of one preference. <paramref name="Probability"/>: that the chosen answer is the better one; 1 is a hard label.</summary>
/// <param name="Margin">By how much chosen should lead (Touvron et al. 2023, arXiv 2307.09288); 0 asks for no lead.</param>
public readonly record struct RewardPair(double Chosen, double Rejected, double Margin = 0, double Probability = 1);

/// <param name="CenterCoefficient">c of the centring term c (R_w + R_l)^2 (Eisenstein et al. 2023, arXiv 2312.09244); 0 is off, 0.01 usual.</param>
public sealed record RewardModelLossOptions(double CenterCoefficient = 0);

/// <summary>Loss and TRL's metrics of a step: accuracy (strict), margin, and mean, least and largest reward over both sides.</summary>
public readonly record struct RewardModelLossResult(double Loss, double Accuracy, double Margin, double MinReward, double MeanReward, double MaxReward)
{
    /// <summary>Names as TRL has them.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["loss"] = Loss;
        metrics["accuracy"] = Accuracy;
        metrics["margin"] = Margin;
        metrics["min_reward"] = MinReward;
        metrics["mean_reward"] = MeanReward;
        metrics["max_reward"] = MaxReward;
    }
}

/// <summary>
/// Bradley-Terry loss of a reward model, mean over pairs: with D = R_w - R_l and margin m,
/// -[p log s(D - m) + (1 - p) log s(-D - m)] + c (R_w + R_l)^2. A soft label is the expectation over which answer is the better one,
/// so the margin is asked of whichever that is.
/// </summary>
public static class RewardModelLoss
{
    /// <summary>Loss, its gradient with respect to each score (the mean's 1/B included), and metrics, over a whole optimizer step.</summary>
    public static RewardModelLossResult Compute(RewardModelLossOptions options, ReadOnlySpan<RewardPair> pairs, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientChosen.Length, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientRejected.Length, pairs.Length);
        double loss = 0, lead = 0, total = 0, min = double.PositiveInfinity, max = double.NegativeInfinity, share = 1.0 / pairs.Length;
        int right = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            RewardPair pair = pairs[i];
            double difference = pair.Chosen - pair.Rejected, sum = pair.Chosen + pair.Rejected, p = pair.Probability;
            double up = p == 0 ? 0 : -p * LogSigmoid(difference - pair.Margin), down = p == 1 ? 0 : -(1 - p) * LogSigmoid(-difference - pair.Margin);
            loss += up + down + options.CenterCoefficient * sum * sum;

            double slope = -p * Sigmoid(pair.Margin - difference) + (1 - p) * Sigmoid(difference + pair.Margin), centre = 2 * options.CenterCoefficient * sum;
            gradientChosen[i] = share * (slope + centre);
            gradientRejected[i] = share * (-slope + centre);

            lead += difference;
            total += sum;
            min = Math.Min(min, Math.Min(pair.Chosen, pair.Rejected));
            max = Math.Max(max, Math.Max(pair.Chosen, pair.Rejected));
            if (pair.Chosen > pair.Rejected)
                right++;
        }
        return new(loss * share, right * share, lead * share, min, total * share / 2, max);
    }
}
