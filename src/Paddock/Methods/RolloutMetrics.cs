using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>What a step's answers look like, for metrics and for <see cref="RunWatch"/>.</summary>
/// <param name="Reward">Mean of the rewards given.</param>
/// <param name="RewardDeviation">Their standard deviation; NaN of fewer than two.</param>
/// <param name="Unscored">Share of answers without a reward.</param>
/// <param name="FlatGroups">Share of prompts whose answers all got the same reward.</param>
/// <param name="Kl">Mean over answers of the sum over tokens of log policy - log reference; NaN without a reference.</param>
/// <param name="Entropy">Estimate of the policy's entropy per token, in nats: the mean of -log p over the tokens it sampled.</param>
/// <param name="Length">Mean tokens of an answer.</param>
/// <param name="Truncated">Share of answers that ran into the length limit.</param>
internal readonly record struct RolloutMetrics(double Reward, double RewardDeviation, double Unscored, double FlatGroups, double Kl, double Entropy, double Length, double MinLength, double MaxLength,
    double Truncated, double TerminatedLength)
{
    /// <param name="group">Answers a prompt.</param>
    /// <param name="reference">Log-probs under the reference; null without one.</param>
    public static RolloutMetrics Of(IReadOnlyList<Rollout> rollouts, double[] rewards, int group, IReadOnlyList<double[]>? reference)
    {
        StepMean kl = default, entropy = default, length = default, ended = default;
        int truncated = 0, unscored = rewards.Count(double.IsNaN);
        double min = double.PositiveInfinity, max = 0;
        for (int i = 0; i < rollouts.Count; i++)
        {
            Rollout rollout = rollouts[i];
            if (reference != null)
                kl.Add(KlPenalty.Sum(KlEstimator.K1, rollout.LogProbs, reference[i]));
            foreach (double logProb in rollout.LogProbs)
                entropy.Add(-logProb);
            length.Add(rollout.Tokens.Length);
            (min, max) = (Math.Min(min, rollout.Tokens.Length), Math.Max(max, rollout.Tokens.Length));
            if (rollout.Ended)
                ended.Add(rollout.Tokens.Length);
            else
                truncated++;
        }
        return new(GroupAdvantages.Mean(rewards), GroupAdvantages.Deviation(rewards), (double)unscored / rewards.Length, group < 2 ? double.NaN : GroupAdvantages.FlatShare(rewards, group), kl.Value,
            entropy.Value, length.Value, min, max, (double)truncated / rollouts.Count, ended.Value);
    }

    /// <summary>Names as TRL has them for methods that sample.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["reward"] = Reward;
        metrics["reward_std"] = RewardDeviation;
        metrics["frac_reward_zero_std"] = FlatGroups;
        metrics["kl"] = Kl;
        metrics["entropy"] = Entropy;
        AddLengthsTo(metrics);
    }

    /// <summary>Lengths alone.</summary>
    public void AddLengthsTo(IDictionary<string, double> metrics)
    {
        metrics["completions/mean_length"] = Length;
        metrics["completions/min_length"] = MinLength;
        metrics["completions/max_length"] = MaxLength;
        metrics["completions/mean_terminated_length"] = TerminatedLength;
        metrics["completions/clipped_ratio"] = Truncated;
    }
}
