namespace Paddock.Evaluation.Audits;

/// <summary>What verdicts cost, over the rows that say so; null where none does.</summary>
/// <param name="PricePerThousand">Dollars for 1,000 verdicts.</param>
public sealed record JudgeCost(double? PricePerThousand, double? SecondsPerThousand, double? Price);

/// <summary>How a judge ranks systems against how people do.</summary>
/// <param name="Spearman">Of the systems' win rates; the interval resamples prompts, not systems.</param>
public sealed record SystemRanking(Interval Spearman, Interval Pearson, IReadOnlyList<SystemWinRates> Systems);

/// <param name="Pairs">Pairs of this system that both labelled.</param>
public sealed record SystemWinRates(string System, double Judge, double People, int Pairs);

/// <summary>
/// Everything known about one judge from its verdicts, with or without labels of people. Fractions; null where the rows cannot say. Every
/// interval resamples prompts.
/// </summary>
/// <param name="Verdicts">Rows.</param>
/// <param name="Parsed">Rows with a verdict.</param>
/// <param name="Missing">Rows without one, by reason.</param>
/// <param name="Refused">Share of rows whose reason tells of a refusal or a content filter.</param>
/// <param name="PreferFirst">AlpacaEval's probability to prefer output 1: 1 - mean score.</param>
public sealed record JudgeAuditResult(string Judge, int Verdicts, int Pairs, int Prompts, int Parsed, Interval MissingRate, IReadOnlyDictionary<string, int> Missing, Interval Refused,
    Interval Ties, Interval PreferFirst, TraitPreference? Longer, TraitPreference? Lists, PositionResult? Position, SelfConsistencyResult? Repeats, TransitivityResult? Transitivity,
    HumanComparisonResult? People, Interval? LengthSlope, JudgeCalibrationResult? Calibration, SelfPreferenceResult? SelfPreference, SystemRanking? Ranking, JudgeCost Cost);

/// <summary>The audit of a judge.</summary>
public static class JudgeAudit
{
    /// <summary>Reason of a row that gives none.</summary>
    public const string NoReason = "no verdict";

    /// <summary>Fewest pairs of a system that enters the ranking; AlpacaEval asks for more than 100.</summary>
    public const int RankedFrom = 30;

    /// <param name="verdicts">Of one judge; the k-th row of a pair is its k-th label (a seed, a repeat).</param>
    /// <param name="people">Labels of people, any number for a pair; null for none.</param>
    /// <param name="own">Systems of the judge's own family.</param>
    public static JudgeAuditResult Of(string judge, IReadOnlyList<PairVerdict> verdicts, IReadOnlyList<PairVerdict>? people = null, IReadOnlySet<string>? own = null, AuditSettings? settings = null)
    {
        settings ??= new();
        PairTable table = new(verdicts);
        PairTable? labels = people is { Count: > 0 } ? new(people) : null;
        PromptSums counts = new(5);
        SortedDictionary<string, int> missing = new(StringComparer.Ordinal);
        foreach (PairVerdict verdict in verdicts)
        {
            double[] row = counts[verdict.Prompt];
            row[0]++;
            if (verdict.Score is { } score)
            {
                row[1]++;
                row[2] += score == 0.5 ? 1 : 0;
                row[3] += 1 - score;
                continue;
            }
            string reason = string.IsNullOrWhiteSpace(verdict.Missing) ? NoReason : verdict.Missing;
            missing[reason] = missing.GetValueOrDefault(reason) + 1;
            row[4] += IsRefusal(reason) ? 1 : 0;
        }
        double[] totals = counts.Totals;
        Interval parsed = counts.Share(settings, "parsed", 1, 0);
        return new(judge, verdicts.Count, table.Pairs.Count, counts.Prompts, (int)totals[1], parsed with { Mean = 1 - parsed.Mean, Low = 1 - parsed.High, High = 1 - parsed.Low }, missing,
            counts.Share(settings, "refused", 4, 0), counts.Share(settings, "ties", 2, 1), counts.Share(settings, "first", 3, 1),
            StylePreference.Longer(table, labels, settings), StylePreference.Lists(table, labels, settings), PositionBias.Of(verdicts, settings), SelfConsistency.Of(table, settings),
            Transitivity.Of(table, settings), labels == null ? null : HumanComparison.Of(table, labels, settings), labels == null ? null : StylePreference.LengthSlope(table, labels),
            labels == null ? null : JudgeCalibration.Of(table, labels, settings), labels == null || own is not { Count: > 0 } ? null : SelfPreference.Of(table, labels, own, settings),
            labels == null ? null : Rank(table, labels, settings), CostOf(verdicts));
    }

    private static bool IsRefusal(string reason) =>
        reason.Contains("refus", StringComparison.OrdinalIgnoreCase) || reason.Contains("content filter", StringComparison.OrdinalIgnoreCase) || reason.Contains("content_filter", StringComparison.OrdinalIgnoreCase);

    private static JudgeCost CostOf(IReadOnlyList<PairVerdict> verdicts)
    {
        double price = 0, seconds = 0;
        int priced = 0, timed = 0;
        foreach (PairVerdict verdict in verdicts)
        {
            (price, priced) = (price + (verdict.Price ?? 0), priced + (verdict.Price != null ? 1 : 0));
            (seconds, timed) = (seconds + (verdict.Seconds ?? 0), timed + (verdict.Seconds != null ? 1 : 0));
        }
        return new(priced > 0 ? 1000 * price / priced : null, timed > 0 ? 1000 * seconds / timed : null, priced > 0 ? price : null);
    }

    // a system that stands in every pair is the reference the others are measured against, and is not ranked
    private static SystemRanking? Rank(PairTable judge, PairTable people, AuditSettings settings)
    {
        List<(JudgedPair Pair, double Judge, double People)> both = [];
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        foreach (JudgedPair pair in judge.Pairs)
            if (pair.FirstBy != null && pair.SecondBy != null && pair.FirstBy != pair.SecondBy && pair.Known is { Length: > 0 } labels
                && people.LabelsFor(pair.Prompt, pair.First, pair.Second) is { Length: > 0 } votes)
            {
                both.Add((pair, Moments.Mean(labels), Moments.Mean(votes)));
                seen[pair.FirstBy] = seen.GetValueOrDefault(pair.FirstBy) + 1;
                seen[pair.SecondBy] = seen.GetValueOrDefault(pair.SecondBy) + 1;
            }
        string[] systems = [.. seen.Where(s => s.Value >= RankedFrom && s.Value < both.Count).Select(s => s.Key).Order(StringComparer.Ordinal)];
        if (systems.Length < 3)
            return null;
        int n = systems.Length;
        PromptSums sums = new(3 * n);
        foreach ((JudgedPair pair, double score, double vote) in both)
        {
            Add(Array.IndexOf(systems, pair.FirstBy), 1 - score, 1 - vote, sums[pair.Prompt]);
            Add(Array.IndexOf(systems, pair.SecondBy), score, vote, sums[pair.Prompt]);
        }
        double[] totals = sums.Totals;
        return new(sums.Estimate(s => Correlation.Spearman(Rates(s, 0, n), Rates(s, 1, n)), settings, "spearman"), sums.Estimate(s => Correlation.Pearson(Rates(s, 0, n), Rates(s, 1, n)), settings, "pearson"),
            [.. systems.Select((system, i) => new SystemWinRates(system, totals[3 * i] / totals[3 * i + 2], totals[3 * i + 1] / totals[3 * i + 2], (int)totals[3 * i + 2]))]);

        static void Add(int system, double score, double vote, double[] row)
        {
            if (system < 0)
                return;
            row[3 * system] += score;
            row[3 * system + 1] += vote;
            row[3 * system + 2]++;
        }

        static double[] Rates(ReadOnlySpan<double> sums, int part, int systems)
        {
            double[] rates = new double[systems];
            for (int i = 0; i < systems; i++)
                rates[i] = sums[3 * i + part] / sums[3 * i + 2];
            return rates;
        }
    }
}
