using System.Text.Json;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>One verdict as evaluations read it, whatever file it came from.</summary>
/// <param name="Item">The prompt: its id, or its text where rows have none.</param>
/// <param name="First">Name of the system that <paramref name="Score"/> speaks of; null where a file of scores does not say.</param>
/// <param name="Second">What it is compared with; null where a file of scores does not say.</param>
/// <param name="Score">Of the first: 1 won, 0 lost, 1/2 tied, or a probability; null where there is no verdict.</param>
/// <param name="FirstText">Answer of the first, where the row has it.</param>
public sealed record ComparedRow(string Item, string? First, string? Second, double? Score, double Weight = 1, string? FirstText = null, string? SecondText = null);

/// <summary>
/// Reads verdicts from three kinds of rows, JSONL or a JSON array, gzipped or not. Scores: <c>id</c> (or <c>prompt_id</c>, <c>question_id</c>,
/// else <c>prompt</c> or <c>instruction</c>), <c>score</c>, optional <c>system</c>, <c>against</c>, <c>weight</c>. AlpacaEval's annotations:
/// <c>instruction</c>, <c>output_1</c>, <c>output_2</c>, <c>preference</c>, <c>generator_1</c>, <c>generator_2</c>. Arena battles:
/// <c>model_a</c>, <c>model_b</c>, <c>winner</c> (model_a, model_b, tie, tie (bothbad)), optional <c>question_id</c>.
/// </summary>
public static class ComparedRows
{
    private static readonly string[] Ids = ["id", "prompt_id", "question_id"], Texts = ["prompt", "instruction"];

    /// <exception cref="BadInputException">A row of none of the kinds, or with a value out of range: one message names all of them.</exception>
    public static IReadOnlyList<ComparedRow> Read(string path)
    {
        ComparedRow[] rows = [.. RowReader.Read(path, Of)];
        return rows.Length > 0 ? rows : throw new BadInputException($"{path}: no rows");
    }

    private static ComparedRow Of(Row row) => row.Has("model_a") || row.Has("winner") ? Battle(row) : row.Has("output_1") && row.Has("output_2") ? Annotation(row) : Score(row);

    private static ComparedRow Battle(Row row)
    {
        string first = row.Text("model_a"), second = row.Text("model_b"), winner = row.OptionalText("winner") ?? "";
        double? score = winner switch { "model_a" => 1, "model_b" => 0, "tie" or "tie (bothbad)" or "both_bad" or "bothbad" => 0.5, _ => null };
        if (score == null && winner.Length > 0)
            row.Problem("winner", $"expected model_a, model_b, tie or tie (bothbad), not '{Row.Short(winner)}'");
        if (first == second && !row.IsBroken)
            row.Problem("model_b", "the same model as model_a");
        return new(Item(row, false) ?? $"{row.Index}", first, second, score, Weight(row));
    }

    private static ComparedRow Annotation(Row row)
    {
        double? second = AlpacaEvalAnnotation.ScoreOf(AlpacaEvalAnnotationFormat.Preference(row));
        // the system is output_2, so it is the first here
        return new(Conversations.WithInput(row.Text("instruction"), row.OptionalText("input") ?? ""), row.OptionalText("generator_2"), row.OptionalText("generator_1"), second, Weight(row),
            row.Text("output_2"), row.Text("output_1"));
    }

    private static ComparedRow Score(Row row)
    {
        if (!row.Json.TryGetProperty("score", out _))
            row.Problem("score", "missing; expected rows with 'score', with 'output_1', 'output_2' and 'preference', or with 'model_a', 'model_b' and 'winner'");
        if (Item(row, true) is { } item)
            return new(item, row.OptionalText("system"), row.OptionalText("against"), row.OptionalNumber("score", 0, 1), Weight(row));
        row.Problem("id", "missing; expected an id, or the text of the prompt");
        return null!;
    }

    private static double Weight(Row row) => row.OptionalNumber("weight", 0, 1e12) ?? 1;

    private static string? Item(Row row, bool texts)
    {
        foreach (string field in Ids)
            if (row.Get(field) is { } value)
                return value.ValueKind == JsonValueKind.Number ? value.GetRawText() : row.TextOf(value, field);
        if (texts)
            foreach (string field in Texts)
                if (row.Has(field))
                    return field == "instruction" ? Conversations.WithInput(row.Text(field), row.OptionalText("input") ?? "") : row.Text(field);
        return null;
    }
}
