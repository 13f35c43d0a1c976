namespace Paddock.Evaluation.Audits;

/// <summary>Whether a judge still judges as it did.</summary>
/// <param name="Shift">Mean score now minus before, over pairs judged both times.</param>
/// <param name="Changed">Chance that a label of now differs from one of before (as first, tie, second).</param>
/// <param name="Excess"><paramref name="Changed"/> minus how often the judge differs from itself within one time; null unless some pairs have two labels before and now.</param>
/// <param name="Alarm">Why the change cannot be chance, at the 1 % level of each check; null when it can.</param>
public sealed record DriftResult(Interval Shift, Interval Changed, Interval? Excess, int Pairs, string? Alarm);

/// <summary>
/// A frozen set of anchor pairs, judged again. A hosted model may change under its name; its verdicts on the same pairs then move more than asking
/// twice would.
/// </summary>
public static class JudgeDrift
{
    // two-sided and one-sided 1 %
    private const double ShiftAlarm = 2.5758293035489, ExcessAlarm = 2.32634787404084;

    /// <summary>Null where no pair was judged both times.</summary>
    public static DriftResult? Of(IReadOnlyList<PairVerdict> before, IReadOnlyList<PairVerdict> now, AuditSettings? settings = null)
    {
        settings ??= new();
        PairTable old = new(before), table = new(now);
        // shift, pairs | changed, pairs | changed, same time before, same time now, pairs with repeats
        PromptSums sums = new(8);
        int pairs = 0;
        bool repeats = false;
        foreach (JudgedPair pair in table.Pairs)
        {
            double[] labels = pair.Known, earlier = old.LabelsFor(pair.Prompt, pair.First, pair.Second);
            if (labels.Length == 0 || earlier.Length == 0)
                continue;
            pairs++;
            double[] row = sums[pair.Prompt];
            int[] a = Coincidences.Count(labels), b = Coincidences.Count(earlier);
            double same = 0;
            for (int c = 0; c < a.Length; c++)
                same += (double)a[c] * b[c] / ((double)labels.Length * earlier.Length);
            row[0] += Moments.Mean(labels) - Moments.Mean(earlier);
            row[1]++;
            row[2] += 1 - same;
            row[3]++;
            if (labels.Length < 2 || earlier.Length < 2)
                continue;
            row[4] += 1 - same;
            row[5] += Different(b);
            row[6] += Different(a);
            row[7]++;
            repeats = true;
        }
        if (pairs == 0)
            return null;
        Interval shift = sums.Estimate(s => s[0] / s[1], settings, "drift/shift"), changed = sums.Share(settings, "drift/changed", 2, 3);
        Interval? excess = repeats ? sums.Estimate(s => (s[4] - (s[5] + s[6]) / 2) / s[7], settings, "drift/excess") : null;
        string? alarm = Math.Abs(shift.Mean) > ShiftAlarm * shift.StandardError ? "preferences moved to one side"
            : excess != null && excess.Mean > ExcessAlarm * excess.StandardError ? "labels changed more often than when the judge is asked twice" : null;
        return new(shift, changed, excess, pairs, alarm);
    }

    // chance that two labels of one pair differ
    private static double Different(int[] counts)
    {
        int n = counts.Sum();
        double same = 0;
        foreach (int count in counts)
            same += (double)count * (count - 1);
        return 1 - same / ((double)n * (n - 1));
    }
}
