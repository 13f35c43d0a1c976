namespace Paddock.Evaluation.Audits;

/// <summary>How often the preferred answer has a trait that only one of the two has.</summary>
/// <param name="Judge">Share of such pairs; AlpacaEval's probability to prefer longer answers or lists.</param>
/// <param name="Pairs">Pairs where exactly one answer has the trait.</param>
/// <param name="People">The same for people's vote on those of the pairs that people labelled; null without any.</param>
/// <param name="Excess">Judge minus people on the same pairs; what is above the taste of people.</param>
public sealed record TraitPreference(Interval Judge, int Pairs, Interval? People, Interval? Excess);

/// <summary>
/// Preference for form, as AlpacaEval measures it: of every pair the first label alone, its preferred answer the second one from a tie upwards, and a
/// pair without that label left out.
/// </summary>
internal static class StylePreference
{
    /// <summary>Code points by which answers must differ for one to be the longer.</summary>
    public const int SignificantLength = 30;

    public static TraitPreference? Longer(PairTable judge, PairTable? people, AuditSettings settings) => Of(judge, people, settings, "longer", static (first, second) =>
    {
        int difference = TextLength.CodePoints(second) - TextLength.CodePoints(first);
        return Math.Abs(difference) > SignificantLength ? difference > 0 : null;
    });

    public static TraitPreference? Lists(PairTable judge, PairTable? people, AuditSettings settings) => Of(judge, people, settings, "lists", static (first, second) =>
    {
        bool inSecond = TextTraits.HasList(second);
        return TextTraits.HasList(first) != inSecond ? inSecond : null;
    });

    /// <summary>
    /// Regression of (judge - people) on the difference in length, in units of its root mean square and through the origin, so that writing a
    /// pair the other way round changes nothing; standard error clustered by prompt. Positive: each such unit of length lifts the judge's
    /// preference that much above people's. Null without labels of people or without differences.
    /// </summary>
    public static Interval? LengthSlope(PairTable judge, PairTable people)
    {
        List<(string Prompt, double X, double Y)> rows = [];
        foreach (JudgedPair pair in judge.Pairs)
            if (pair.Known is { Length: > 0 } labels && people.LabelsFor(pair.Prompt, pair.First, pair.Second) is { Length: > 0 } votes)
                rows.Add((pair.Prompt, TextLength.CodePoints(pair.Second) - TextLength.CodePoints(pair.First), Moments.Mean(labels) - Moments.Mean(votes)));
        double squares = rows.Sum(r => r.X * r.X), unit = Math.Sqrt(squares / rows.Count);
        if (!(squares > 0))
            return null;
        double slope = rows.Sum(r => r.X * r.Y) / squares * unit;
        Dictionary<string, double> scores = new(StringComparer.Ordinal);
        foreach ((string prompt, double x, double y) in rows)
            scores[prompt] = scores.GetValueOrDefault(prompt) + x / unit * (y - slope * x / unit);
        double groups = scores.Count, error = groups < 2 ? double.NaN : Math.Sqrt(groups / (groups - 1) * scores.Values.Sum(s => s * s)) / rows.Count;
        return Interval.Normal(slope, error, scores.Count, "clustered");
    }

    // side: whether the second answer has what the first has not, null where both or neither have it
    private static TraitPreference? Of(PairTable judge, PairTable? people, AuditSettings settings, string purpose, Func<string, string, bool?> side)
    {
        PromptSums sums = new(5);
        int pairs = 0;
        bool labelled = false;
        foreach (JudgedPair pair in judge.Pairs)
        {
            if (pair.Labels[0] is not { } label || side(pair.First, pair.Second) is not { } inSecond)
                continue;
            double prefers = label >= 0.5 == inSecond ? 1 : 0;
            double[] row = sums[pair.Prompt];
            row[0] += prefers;
            row[1]++;
            pairs++;
            if (people?.LabelsFor(pair.Prompt, pair.First, pair.Second) is not { Length: > 0 } votes)
                continue;
            row[2] += CrossAnnotation.Vote(votes) >= 0.5 == inSecond ? 1 : 0;
            row[3]++;
            row[4] += prefers;
            labelled = true;
        }
        if (pairs == 0)
            return null;
        return new(sums.Share(settings, purpose), pairs, labelled ? sums.Share(settings, purpose + "/people", 2, 3) : null,
            labelled ? sums.Estimate(s => (s[4] - s[2]) / s[3], settings, purpose + "/excess") : null);
    }
}
