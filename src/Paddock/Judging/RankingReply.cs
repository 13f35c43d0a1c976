using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Paddock.Judging;

/// <summary>
/// Rankings from replies. Two shapes are read: letters from best to worst (<c>B &gt; A = C</c>, or a list <c>["B", "A"]</c>), and AlpacaEval's
/// list of <c>{model, rank}</c> entries, as JSON or as a Python literal.
/// </summary>
internal static partial class RankingReply
{
    /// <summary>The preference between two answers: 1 when the first ranks better.</summary>
    /// <param name="label">AlpacaEval's label of the first answer (<c>model_1</c>); null for letters.</param>
    public static ParsedReply Parse(string text, string? label)
    {
        if (label != null)
            return ByLabel(text, label);
        int[]? ranks = Ranks(text, 2, out string? problem);
        return ranks == null ? new(null, problem) : new(ranks[0] < ranks[1] ? 1 : ranks[0] > ranks[1] ? 2 : 1.5);
    }

    /// <summary>Rank of each of <paramref name="n"/> answers, 1 the best, equal ranks for ties; null when an answer is missing or named twice.</summary>
    public static int[]? Ranks(string text, int n, out string? problem)
    {
        int[] ranks = new int[n];
        string line = Line.Matches(text).LastOrDefault()?.Value ?? text;
        int rank = 0, seen = 0;
        bool tied = false;
        foreach (Match match in Letter.Matches(line))
        {
            if (match.Value is "=")
            {
                tied = true;
                continue;
            }
            if (match.Value is ">" or ",")
            {
                tied = false;
                continue;
            }
            int answer = match.Value[0] - 'A';
            if (answer >= n)
                continue;
            if (ranks[answer] != 0)
            {
                problem = $"answer {match.Value} is ranked twice";
                return null;
            }
            seen++;
            ranks[answer] = rank = tied ? rank : seen;
            tied = false;
        }
        problem = seen == n ? null : string.Create(CultureInfo.InvariantCulture, $"{seen} of {n} answers are ranked");
        return seen == n ? ranks : null;
    }

    private static ParsedReply ByLabel(string text, string label)
    {
        // a Python literal of plain texts and numbers is JSON but for its quotes
        if ((JsonReply.Find(text) ?? JsonReply.Find(text.Replace('\'', '"'))) is not { ValueKind: JsonValueKind.Array } list)
            return new(null, "no list of ranks in the reply");
        foreach (JsonElement entry in list.EnumerateArray())
            if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.String && model.GetString() == label
                && entry.TryGetProperty("rank", out JsonElement rank) && rank.ValueKind == JsonValueKind.Number && rank.TryGetInt32(out int value))
                return value is 1 or 2 ? new(value) : new(null, string.Create(CultureInfo.InvariantCulture, $"{label} has rank {value}"));
        return new(null, $"the list has no rank of {label}");
    }

    [GeneratedRegex("""["'\[ ]*\b[A-Z]\b["' ]*(?:[>=,]["' ]*\b[A-Z]\b["'\] ]*)+""", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Line { get; }

    [GeneratedRegex(@"\b[A-Z]\b|[>=,]", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Letter { get; }
}
