using System.Text.Json;
using Paddock.Engine;

namespace Paddock.Data.Formats;

/// <summary>A row of verdicts: a prompt, two answers, and what a judge or a person said of them.</summary>
/// <param name="Prompt">One user message as it is; a conversation as its turns.</param>
/// <param name="Score">Probability that the second answer is better, 1/2 for a tie; null when there is no verdict.</param>
/// <param name="Missing">Why there is none.</param>
/// <param name="Shown">Score by order of showing, where the row tells it; the score is in the row's own order.</param>
/// <param name="Price">Dollars.</param>
public sealed record VerdictRow(string Prompt, string First, string Second, double? Score, string? FirstBy, string? SecondBy, string? Judge, string? Missing,
    IReadOnlyList<(bool Swapped, double Score)>? Shown, double? Price, double? Seconds);

/// <summary>
/// Verdicts of judges and labels of people, read from any of: AlpacaEval's annotations (<c>instruction</c>, <c>output_1</c>, <c>output_2</c>,
/// <c>preference</c> from 1 to 2, 0 an old tie, null or -1 no verdict), verdicts of this program (the same, with <c>state</c>, <c>reason</c> and
/// <c>calls</c>), and preferences (<c>chosen</c>, <c>rejected</c>), which are labels for the chosen answer.
/// </summary>
public static class VerdictFormat
{
    public static IEnumerable<VerdictRow> Read(string path)
    {
        DataFormat format = DataFormat.Detect(path);
        return format switch
        {
            DataFormat.AlpacaEvalAnnotations => RowReader.Read(path, Parse),
            DataFormat.Preference or DataFormat.HhPairs => DataFiles.ReadPreferences(path, static _ => { }).Select(row =>
                new VerdictRow(TextOf(row.Prompt.Messages), row.Chosen.Text, row.Rejected.Text, 1 - row.Probability, null, null, null, null, null, null, null)),
            _ => throw new BadInputException($"{path}: holds {format} rows where verdicts are needed; expected the fields instruction, output_1, output_2 and preference"),
        };
    }

    private static VerdictRow Parse(Row row)
    {
        double? preference = row.OptionalNumber("preference", -1, 2);
        if (preference is (> -1 and < 1) and not 0)
            row.Problem("preference", $"expected 1 to 2, 0 (a tie, as older files have it), or null or -1 for no verdict, not {preference}");
        double? score = preference == -1 ? null : AlpacaEvalAnnotation.ScoreOf(preference);
        // the state names a kind of failure; a reason may be different in every row
        string? missing = score != null ? null : row.Get("state") is { ValueKind: JsonValueKind.String } state ? row.TextOf(state, "state").ToLowerInvariant() : Text(row, "reason", "missing", "problem");
        return new(TextOf(Conversations.PromptMessages(row)), row.Text("output_1"), row.Text("output_2"), score, Text(row, "generator_1"), Text(row, "generator_2"), Text(row, "annotator", "judge"),
            missing, Shown(row, score), Number(row, "price_per_example", "preference_price_per_example", "price"), Number(row, "time_per_example", "preference_time_per_example", "seconds"));
    }

    // the calls behind a verdict say what was shown and read in each order; else the row itself may say that it was swapped
    private static List<(bool, double)>? Shown(Row row, double? score)
    {
        if (row.Get("calls") is { ValueKind: JsonValueKind.Array } calls)
        {
            List<(bool, double)> shown = [];
            foreach (JsonElement call in calls.EnumerateArray())
                if (call.ValueKind == JsonValueKind.Object && call.TryGetProperty("shown", out JsonElement order) && order.ValueKind == JsonValueKind.String
                    && call.TryGetProperty("value", out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double read) && read is >= 1 and <= 2
                    && order.GetString() is "1,2" or "2,1")
                    shown.Add((order.GetString() == "2,1", read - 1));
            return shown.Count > 0 ? shown : null;
        }
        foreach (string field in (ReadOnlySpan<string>)["swapped", "is_switched_outputs"])
            if (score is { } known && row.Has(field))
                return [(row.Flag(field), known)];
        return null;
    }

    private static string? Text(Row row, params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
            if (row.Has(field))
                return row.OptionalText(field);
        return null;
    }

    private static double? Number(Row row, params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
            if (row.Has(field))
                return row.OptionalNumber(field, 0);
        return null;
    }

    private static string TextOf(IReadOnlyList<ChatMessage> messages) => messages is [{ Role: "user", Content: var text }] ? text : new Prompt("", messages).Key;
}
