using Paddock.Backends;

namespace Paddock.Methods;

/// <summary>The best policy that a run has passed through.</summary>
/// <param name="Step">Steps done when it was kept; -1 when none was.</param>
/// <param name="Score">Its score on held-out prompts.</param>
/// <param name="Saved">Where it lies; null: the policy at the end of training is the one to keep.</param>
public sealed record BestPolicy(int Step, double Score, string? Saved)
{
    public static BestPolicy None { get; } = new(-1, double.NegativeInfinity, null);
}

/// <summary>
/// Chooses among the policies of a run by held-out prompts. Reward keeps rising under optimisation long after what it stands for has
/// begun to fall, so the last policy is often not the best one.
/// </summary>
/// <param name="every">Steps between looks; the last step is always looked at.</param>
/// <param name="score">Scores a policy; larger is better.</param>
public sealed class Selection(int every, Func<ISampler, CancellationToken, Task<double>> score)
{
    /// <summary>Folders of the policies kept on the way begin with this name.</summary>
    public const string Prefix = "best-";

    /// <summary>
    /// Looks at the policy when it is due, and keeps it if it is the best so far. Adds <c>selection/score</c>, NaN when it did not look.
    /// A policy kept earlier stays where it is, because a checkpoint may name it.
    /// </summary>
    public static async Task<BestPolicy> ConsiderAsync(Selection? selection, BestPolicy best, int done, int steps, ITrainableModel policy, IDictionary<string, double> metrics, CancellationToken cancellation)
    {
        metrics["selection/score"] = double.NaN;
        if (selection == null || !selection.IsDue(done, steps))
            return best;
        await using ISampler sampler = await policy.SnapshotSamplerAsync(cancellation);
        double found = await selection.ScoreAsync(sampler, cancellation);
        metrics["selection/score"] = found;
        return found > best.Score ? new BestPolicy(done, found, (await policy.SaveAsync($"{Prefix}{done}", cancellation)).Value) : best;
    }

    private bool IsDue(int done, int steps) => done % every == 0 || done == steps;

    private Task<double> ScoreAsync(ISampler sampler, CancellationToken cancellation) => score(sampler, cancellation);
}
