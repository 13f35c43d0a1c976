using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>A row of AlpacaEval's <c>model_outputs.json</c>.</summary>
/// <param name="Input">AlpacaFarm's second part of the instruction; empty in AlpacaEval.</param>
public sealed record ModelOutput(string Instruction, string Output, string Generator, string? Dataset = null, string? Datasplit = null, string Input = "")
{
    /// <summary>The prompt, instruction and input joined by a blank line.</summary>
    public Prompt ToPrompt(string id) => Prompt.FromInstruction(id, Conversations.WithInput(Instruction, Input));
}

/// <summary>A row of AlpacaEval's <c>annotations.json</c>, or of AlpacaFarm's pairs, annotated or not.</summary>
/// <param name="Preference">1: output_1 (the baseline) wins, 2: output_2 wins, 1.5 or the older 0: a tie, between: soft; null: no verdict.</param>
/// <param name="RawCompletion">What the judge returned, as JSON.</param>
public sealed record AlpacaEvalAnnotation(string Instruction, string Output1, string Output2, string? Generator1 = null, string? Generator2 = null, string? Annotator = null,
    double? Preference = null, string? Dataset = null, string? Datasplit = null, double? PricePerExample = null, double? TimePerExample = null, string? RawCompletion = null, string Input = "")
{
    /// <summary>Score of output_2, preference - 1, a tie 1/2; null when there is no verdict.</summary>
    public double? Score => ScoreOf(Preference);

    internal static double? ScoreOf(double? preference) => preference == 0 ? 0.5 : preference - 1;

    /// <summary>The pair as a training preference: chosen is the likelier winner, output_1 in a tie; null when there is no verdict.</summary>
    public Preference? ToPreference(string id)
    {
        Prompt prompt = Prompt.FromInstruction(id, Conversations.WithInput(Instruction, Input));
        Response first = new(Output1), second = new(Output2);
        return Score switch
        {
            null => null,
            > 0.5 and { } score => new(prompt, second, first, score),
            { } score => new(prompt, first, second, 1 - score),
        };
    }
}

/// <summary>AlpacaEval's model outputs: <c>instruction</c>, <c>output</c>, <c>generator</c>, optional <c>dataset</c>, <c>datasplit</c>, <c>input</c>.</summary>
public static class AlpacaEvalOutputFormat
{
    public static IEnumerable<ModelOutput> Read(string path) => RowReader.Read(path, row => new ModelOutput(row.Text("instruction"), row.Text("output"), row.Text("generator"),
        row.OptionalText("dataset"), row.OptionalText("datasplit"), row.OptionalText("input") ?? ""));

    /// <summary>A JSON array with the keys in AlpacaEval's order.</summary>
    public static void Write(string path, IReadOnlyList<ModelOutput> rows) => RowWriter.Array(path, rows, (json, row) =>
    {
        json.WriteString("instruction", row.Instruction);
        if (row.Input.Length > 0)
            json.WriteString("input", row.Input);
        json.WriteString("output", row.Output);
        json.WriteString("generator", row.Generator);
        WriteOptional(json, "dataset", row.Dataset);
        WriteOptional(json, "datasplit", row.Datasplit);
    });

    internal static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (value != null)
            json.WriteString(name, value);
    }
}

/// <summary>
/// AlpacaEval's annotations. Both spellings of the judge's columns are read, <c>price_per_example</c> and the newer
/// <c>preference_price_per_example</c> (likewise time and raw_completion); the first is written.
/// </summary>
public static class AlpacaEvalAnnotationFormat
{
    public static IEnumerable<AlpacaEvalAnnotation> Read(string path) => ReadPlaced(path).Select(row => row.Value);

    internal static IEnumerable<(string Place, AlpacaEvalAnnotation Value)> ReadPlaced(string path) => RowReader.ReadPlaced(path, row =>
    {
        double? preference = Preference(row);
        return new AlpacaEvalAnnotation(row.Text("instruction"), row.Text("output_1"), row.Text("output_2"), row.OptionalText("generator_1"), row.OptionalText("generator_2"),
            row.OptionalText("annotator"), preference, row.OptionalText("dataset"), row.OptionalText("datasplit"), row.OptionalNumber(Spelled(row, "price_per_example")),
            row.OptionalNumber(Spelled(row, "time_per_example")), row.Get(Spelled(row, "raw_completion"))?.GetRawText(), row.OptionalText("input") ?? "");
    });

    /// <summary>The judge's preference of a row; null for no verdict.</summary>
    internal static double? Preference(Row row)
    {
        double? preference = row.OptionalNumber("preference", 0, 2);
        if (preference is > 0 and < 1)
            row.Problem("preference", $"expected 1 to 2, 0 (a tie, as older files have it) or null, not {preference}");
        return preference;
    }

    public static void Write(string path, IReadOnlyList<AlpacaEvalAnnotation> rows) => RowWriter.Array(path, rows, (json, row) =>
    {
        json.WriteString("instruction", row.Instruction);
        if (row.Input.Length > 0)
            json.WriteString("input", row.Input);
        json.WriteString("output_1", row.Output1);
        AlpacaEvalOutputFormat.WriteOptional(json, "generator_1", row.Generator1);
        AlpacaEvalOutputFormat.WriteOptional(json, "dataset", row.Dataset);
        json.WriteString("output_2", row.Output2);
        AlpacaEvalOutputFormat.WriteOptional(json, "generator_2", row.Generator2);
        AlpacaEvalOutputFormat.WriteOptional(json, "datasplit", row.Datasplit);
        AlpacaEvalOutputFormat.WriteOptional(json, "annotator", row.Annotator);
        WriteNumber(json, "preference", row.Preference);
        WriteNumber(json, "price_per_example", row.PricePerExample);
        WriteNumber(json, "time_per_example", row.TimePerExample);
        json.WritePropertyName("raw_completion");
        json.WriteRawValue(row.RawCompletion ?? "null");
    });

    private static string Spelled(Row row, string name) => row.Has(name) ? name : $"preference_{name}";

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }
}
