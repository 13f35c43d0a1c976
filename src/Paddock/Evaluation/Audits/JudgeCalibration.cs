namespace Paddock.Evaluation.Audits;

/// <summary>A bin of verdicts of similar confidence.</summary>
/// <param name="Confidence">Mean probability that the judge gave to the answer it preferred.</param>
/// <param name="Agreed">Share of people who preferred that answer, with Wilson's interval over pairs.</param>
public sealed record ReliabilityBin(double Confidence, Interval Agreed);

/// <summary>Whether a judge is as sure as it is right; people are the truth.</summary>
/// <param name="Ece">Expected calibration error over bins of equal mass; biased upwards, as its interval is.</param>
/// <param name="Brier">Mean squared difference between confidence and the share of people who agreed.</param>
/// <param name="LogLoss">In nats; infinite where a certain verdict had people against it.</param>
/// <param name="Reliability">From the least to the most sure verdicts.</param>
public sealed record JudgeCalibrationResult(Interval Ece, Interval Brier, double LogLoss, double Mce, IReadOnlyList<ReliabilityBin> Reliability, int Pairs);

/// <summary>
/// Calibration of verdicts. A judge's probability is the mean of its labels on a pair, so that a judge of hard labels has one as soon as it
/// was asked more than once. What is calibrated is the confidence in the preferred answer, so that it does not matter which answer is written first.
/// </summary>
internal static class JudgeCalibration
{
    private const int Bins = 10;

    /// <summary>Null where people labelled none of the judge's pairs.</summary>
    public static JudgeCalibrationResult? Of(PairTable judge, PairTable people, AuditSettings settings)
    {
        List<double> confidences = [], agreed = [];
        Dictionary<string, List<int>> prompts = new(StringComparer.Ordinal);
        foreach (JudgedPair pair in judge.Pairs)
        {
            double[] labels = pair.Known, votes = people.LabelsFor(pair.Prompt, pair.First, pair.Second);
            if (labels.Length == 0 || votes.Length == 0)
                continue;
            double score = Moments.Mean(labels), share = Moments.Mean(votes);
            (prompts.TryGetValue(pair.Prompt, out List<int>? rows) ? rows : prompts[pair.Prompt] = []).Add(confidences.Count);
            confidences.Add(Math.Clamp(Math.Max(score, 1 - score), 0, 1));
            agreed.Add(score == 0.5 ? 0.5 : Math.Clamp(score > 0.5 ? share : 1 - share, 0, 1));
        }
        if (confidences.Count == 0)
            return null;
        double[] p = [.. confidences], y = [.. agreed];
        int[][] units = [.. prompts.Values.Select(rows => rows.ToArray())];
        return new(Resampled(units, p, y, settings, "ece", static (a, b) => Calibration.Bins(a, b, Bins).Ece), Resampled(units, p, y, settings, "brier", static (a, b) => Calibration.Brier(a, b)),
            Calibration.LogLoss(p, y), Calibration.Bins(p, y, Bins).Mce, Curve(p, y), p.Length);
    }

    /// <summary>Mean confidence and agreement in up to ten bins of equal mass; equal confidences are never torn apart.</summary>
    internal static IReadOnlyList<ReliabilityBin> Curve(double[] confidences, double[] agreed)
    {
        double[] p = [.. confidences], y = [.. agreed];
        Array.Sort(p, y);
        List<ReliabilityBin> bins = [];
        for (int start = 0, bin = 1; start < p.Length; bin++)
        {
            int end = (int)((long)p.Length * bin / Bins);
            if (end <= start)
                continue; // fewer rows than bins, or equal confidences that reached beyond this one
            while (end < p.Length && p[end] == p[end - 1])
                end++;
            bins.Add(new(Moments.Mean(p.AsSpan(start, end - start)), WinRate.Wilson(y[start..end].Sum(), end - start) with { Unit = "pairs" }));
            start = end;
        }
        return bins;
    }

    private delegate double ForecastStatistic(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes);

    // sorting is what a bin costs, so large tables are resampled less often
    private static Interval Resampled(int[][] units, double[] p, double[] y, AuditSettings settings, string purpose, ForecastStatistic statistic)
    {
        double mean = statistic(p, y);
        if (units.Length < 2)
            return new(mean, double.NaN, units.Length, double.NaN, double.NaN, "percentile");
        List<double> a = new(p.Length), b = new(p.Length);
        int resamples = Math.Min(settings.Resamples, Math.Max(1000, (int)Math.Min(int.MaxValue, 20_000_000L / p.Length)));
        return Bootstrap.Percentile(units.Length, indices =>
        {
            a.Clear();
            b.Clear();
            foreach (int unit in indices)
                foreach (int row in units[unit])
                {
                    a.Add(p[row]);
                    b.Add(y[row]);
                }
            return statistic(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(a), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(b));
        }, settings.Stream(purpose), resamples);
    }
}
