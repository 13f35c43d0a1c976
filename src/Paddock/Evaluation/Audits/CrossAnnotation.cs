namespace Paddock.Evaluation.Audits;

/// <summary>
/// AlpacaEval's analysis of evaluators (analyze.py of alpaca_eval 0.6, its default scoring rule "absolute"): a score is 1 - |label - target|, so
/// that a tie against a winner scores half, and the vote of several labels is their mode, or their median as soon as one label is soft.
/// Labels are on the [0, 1] scale of <see cref="PairVerdict.Score"/>; differences are the same as on AlpacaEval's 1 to 2.
/// </summary>
public static class CrossAnnotation
{
    /// <summary>
    /// The vote of at least one label. Equally frequent labels in ascending order: of two the second is taken, of three the first (the draw that
    /// AlpacaEval makes with one fixed seed).
    /// </summary>
    public static double Vote(ReadOnlySpan<double> labels)
    {
        ArgumentOutOfRangeException.ThrowIfZero(labels.Length, nameof(labels));
        Span<int> counts = stackalloc int[3];
        foreach (double label in labels)
        {
            if (label is not (0 or 0.5 or 1))
                return Median(labels);
            counts[(int)(2 * label)]++;
        }
        int most = Math.Max(counts[0], Math.Max(counts[1], counts[2])), tied = 0;
        Span<int> modes = stackalloc int[3];
        for (int label = 0; label < 3; label++)
            if (counts[label] == most)
                modes[tied++] = label;
        return modes[tied == 2 ? 1 : 0] / 2.0;
    }

    /// <summary>Each label against the vote of the others: sum of scores and number of labels. Nothing for fewer than two labels.</summary>
    public static (double Score, int Count) LeaveOneOut(ReadOnlySpan<double> labels)
    {
        if (labels.Length < 2)
            return (0, 0);
        double[] others = new double[labels.Length - 1];
        double sum = 0;
        for (int k = 0; k < labels.Length; k++)
        {
            labels[..k].CopyTo(others);
            labels[(k + 1)..].CopyTo(others.AsSpan(k));
            sum += Score(labels[k], Vote(others));
        }
        return (sum, labels.Length);
    }

    /// <summary>Each label against each other one: sum of scores and number of comparisons.</summary>
    public static (double Score, int Count) OneVersusOne(ReadOnlySpan<double> labels)
    {
        double sum = 0;
        for (int k = 0; k < labels.Length; k++)
            for (int j = 0; j < labels.Length; j++)
                sum += j == k ? 0 : Score(labels[k], labels[j]);
        return (sum, labels.Length * (labels.Length - 1));
    }

    /// <summary>1 - |label - target|.</summary>
    public static double Score(double label, double target) => 1 - Math.Abs(label - target);

    private static double Median(ReadOnlySpan<double> labels)
    {
        double[] sorted = labels.ToArray();
        Array.Sort(sorted);
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
