namespace Paddock.Methods;

/// <summary>What a watch remembers between steps; part of a method's state, so that a resumed run says nothing twice.</summary>
/// <param name="Entropy">Of the first step.</param>
/// <param name="Length">Of the first step.</param>
/// <param name="Reward">Of the first step.</param>
/// <param name="Flat">Steps in a row with hardly any difference between rewards.</param>
/// <param name="Told">Kinds of trouble already told.</param>
internal sealed record WatchState(double Entropy, double Length, double Reward, int Flat, RunTrouble Told)
{
    public static WatchState Start { get; } = new(double.NaN, double.NaN, double.NaN, 0, RunTrouble.None);
}

/// <summary>What goes wrong in runs that optimise a reward.</summary>
[Flags]
internal enum RunTrouble
{
    None = 0,
    Collapse = 1,
    LengthHacking = 2,
    KlBlowUp = 4,
    FlatReward = 8,
    Truncation = 16,
    Unscored = 32,
}

/// <summary>
/// Says in plain words, once a kind, when a run that optimises a reward goes wrong. The thresholds are rules of thumb: they warn and stop
/// nothing.
/// </summary>
internal static class RunWatch
{
    /// <summary>Mean KL of an answer beyond which a policy has left its reference for good, in nats.</summary>
    public const double MaxKl = 40;

    private const int FlatSteps = 5;

    /// <summary>The next state, and warnings to tell.</summary>
    public static (WatchState State, IReadOnlyList<string> Warnings) Observe(WatchState before, in RolloutMetrics now)
    {
        if (double.IsNaN(before.Entropy))
            before = before with { Entropy = now.Entropy, Length = now.Length, Reward = now.Reward };
        bool flat = !(now.RewardDeviation > 1e-6) || now.FlatGroups > 0.9;
        WatchState state = before with { Flat = flat ? before.Flat + 1 : 0 };
        List<string> warnings = [];
        Check(RunTrouble.Collapse, now.Entropy < 0.1 * before.Entropy,
            $"the policy's entropy has fallen from {before.Entropy:0.00} to {now.Entropy:0.000} nats a token: it hardly explores any more. Lower the learning rate, raise the KL coefficient, or stop earlier.");
        Check(RunTrouble.LengthHacking, now.Length > 2 * before.Length && now.Reward > before.Reward,
            $"answers have grown from {before.Length:0.0} to {now.Length:0.0} tokens while the reward rose: the reward may be paid for length. Read some answers, and compare win rates at equal length.");
        Check(RunTrouble.KlBlowUp, now.Kl > MaxKl,
            $"the policy is {now.Kl:0.0} nats an answer away from its reference: the reward model was not fitted on such answers. Raise the KL coefficient, lower the learning rate, or keep an earlier policy by selection.");
        Check(RunTrouble.FlatReward, state.Flat >= FlatSteps,
            $"for {FlatSteps} steps nearly all answers to a prompt got the same reward: there is nothing to learn from. Check the reward, or draw more answers a prompt.");
        Check(RunTrouble.Truncation, now.Truncated > 0.5,
            $"{now.Truncated:0%} of the answers ran into the length limit and never ended: raise max-tokens, or penalise a missing end.");
        Check(RunTrouble.Unscored, now.Unscored > 0.1,
            $"{now.Unscored:0%} of the answers got no reward; they teach nothing. Check what scores them.");
        return (state, warnings);

        void Check(RunTrouble trouble, bool found, string warning)
        {
            if (!found || state.Told.HasFlag(trouble))
                return;
            state = state with { Told = state.Told | trouble };
            warnings.Add(warning);
        }
    }
}
