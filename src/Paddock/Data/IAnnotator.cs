namespace Paddock.Data;

/// <summary>Who says which of two answers is better: a simulated rater, a panel, a judge, a reward model.</summary>
public interface IAnnotator
{
    string Name { get; }

    /// <summary>
    /// One verdict per comparison, in order; a comparison that could not be judged is <see cref="Verdict.Missing"/>, never dropped. A
    /// verdict is a pure function of the annotator, its seed and the comparison, whatever else is in the batch. Thread-safe.
    /// </summary>
    Task<IReadOnlyList<Verdict>> CompareAsync(IReadOnlyList<Comparison> comparisons, CancellationToken cancellation);
}

/// <summary>One judgement, swap-consistent: swapping the answers gives 1 - <see cref="FirstPreferred"/>.</summary>
public sealed record Verdict
{
    private Verdict(double? firstPreferred, string? missingReason) => (FirstPreferred, MissingReason) = (firstPreferred, missingReason);

    /// <summary>Probability that the first answer is better: 1, 0, .5 for a tie, or anything between; null when missing.</summary>
    public double? FirstPreferred { get; }

    /// <summary>Why there is no verdict; null when there is one.</summary>
    public string? MissingReason { get; }

    public static Verdict Of(double firstPreferred) => firstPreferred is >= 0 and <= 1
        ? new(firstPreferred, null)
        : throw new ArgumentOutOfRangeException(nameof(firstPreferred), firstPreferred, "a preference is a probability");

    public static Verdict Tie { get; } = new(0.5, null);

    public static Verdict Missing(string reason) => new(null, reason);
}
