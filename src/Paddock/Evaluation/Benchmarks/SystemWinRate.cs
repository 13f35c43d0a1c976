using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>The win rate of one system in a set of verdicts, with human labels if there are any.</summary>
/// <param name="System">Null where the rows name none.</param>
/// <param name="Rate">What to report: of the verdicts alone, or of both together.</param>
/// <param name="Verdicts">Counts of all verdicts on the system.</param>
/// <param name="Others">Rows on other systems, left out.</param>
/// <param name="Labels">What human labels added; null without any.</param>
/// <param name="Unjudged">Human labels on items that no verdict stands on, left out.</param>
public sealed record SystemWinRate(string? System, Interval Rate, WinRateResult Verdicts, int Others, PredictionPoweredResult? Labels, int Unjudged)
{
    /// <summary>
    /// One verdict a prompt: the plain mean. Several (orders, judges, repeats): clustered by prompt. Rows with weights: the weighted ratio. With
    /// human labels on some of the prompts: PPI++ on the means of each prompt.
    /// </summary>
    /// <param name="system">Null takes the only one there is, which for AlpacaEval's rows is generator_2.</param>
    public static SystemWinRate Of(IReadOnlyList<ComparedRow> verdicts, IReadOnlyList<ComparedRow>? human = null, string? system = null)
    {
        system ??= Only(verdicts);
        List<(string Item, double? Score, double Weight)> own = Scores(verdicts, system);
        if (own.Count == 0)
            throw new BadInputException($"no verdict speaks of '{system}'; systems: {Names(verdicts)}");
        double?[] scores = [.. own.Select(row => row.Score)];
        string[] items = [.. own.Select(row => row.Item)];
        WinRateResult rate = own.Any(row => row.Weight != 1) ? WinRate.Weighted(scores, [.. own.Select(row => row.Weight)], items)
            : items.Distinct(StringComparer.Ordinal).Count() < items.Length ? WinRate.Clustered(scores, items) : WinRate.Of(scores);
        if (human == null)
            return new(system, rate.Rate, rate, verdicts.Count - own.Count, null, 0);

        Dictionary<string, double> judged = Means(own), labelled = Means(Scores(human, system));
        if (labelled.Count == 0)
            throw new BadInputException($"no human label speaks of '{system}'; systems: {Names(human)}");
        string[] both = [.. labelled.Keys.Where(judged.ContainsKey)];
        if (both.Length == 0)
            throw new BadInputException("no human label is on an item that has a verdict; ids (or the texts of the prompts) must be the same in both files");
        PredictionPoweredResult result = PredictionPowered.Of([.. both.Select(item => labelled[item])], [.. both.Select(item => judged[item])],
            [.. judged.Where(pair => !labelled.ContainsKey(pair.Key)).Select(pair => pair.Value)]);
        return new(system, result.Rate, rate, verdicts.Count - own.Count, result, labelled.Count - both.Length);
    }

    private static string? Only(IReadOnlyList<ComparedRow> rows)
    {
        string?[] firsts = [.. rows.Select(row => row.First).Distinct().Take(2)];
        return firsts.Length == 1 ? firsts[0] : throw new BadInputException($"the verdicts are on several systems; choose one with --system: {Names(rows)}");
    }

    private static string Names(IReadOnlyList<ComparedRow> rows)
    {
        string[] names = [.. rows.SelectMany(row => new[] { row.First, row.Second }).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? "none is named" : string.Join(", ", names.Take(20)) + (names.Length > 20 ? $" and {names.Length - 20} more" : "");
    }

    private static List<(string Item, double? Score, double Weight)> Scores(IReadOnlyList<ComparedRow> rows, string? system)
    {
        List<(string, double?, double)> own = [];
        foreach (ComparedRow row in rows)
            if (row.First == system || row.First == null) // a file that names no system is on whichever is asked for
                own.Add((row.Item, row.Score, row.Weight));
            else if (row.Second == system)
                own.Add((row.Item, 1 - row.Score, row.Weight));
        return own;
    }

    private static Dictionary<string, double> Means(List<(string Item, double? Score, double Weight)> rows)
    {
        Dictionary<string, (double Sum, double Weight)> totals = new(StringComparer.Ordinal);
        foreach ((string item, double? score, double weight) in rows)
            if (score is { } value && weight > 0)
            {
                (double sum, double of) = totals.GetValueOrDefault(item);
                totals[item] = (sum + weight * value, of + weight);
            }
        return totals.ToDictionary(pair => pair.Key, pair => pair.Value.Sum / pair.Value.Weight, StringComparer.Ordinal);
    }
}
