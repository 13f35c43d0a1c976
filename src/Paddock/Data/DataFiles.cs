using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Data;

/// <summary>
/// Reads what is wanted from a file of any format that holds it. A file with a bad row is refused with one message that lists what is
/// wrong where; rows are streamed where the file is JSONL.
/// </summary>
public static class DataFiles
{
    /// <summary>The prompts of a file of any format.</summary>
    public static IEnumerable<Prompt> ReadPrompts(string path) => DataFormat.Detect(path) switch
    {
        DataFormat.Messages => MessagesFormat.Read(path).Select(row => row.Prompt),
        DataFormat.Preference => PreferenceFormat.Read(path).Select(row => row.Prompt),
        DataFormat.HhPairs => HhFormat.Read(path).Select(row => row.Prompt),
        _ => PromptFormat.Read(path),
    };

    /// <summary>Prompts with one answer each.</summary>
    public static IEnumerable<Demonstration> ReadDemonstrations(string path)
    {
        DataFormat format = DataFormat.Detect(path);
        return format switch
        {
            DataFormat.Alpaca or DataFormat.AlpacaEvalOutputs => AlpacaFormat.Read(path),
            DataFormat.Messages => MessagesFormat.Read(path),
            DataFormat.PromptCompletion => CompletionFormat.Read(path),
            _ => throw Wrong(path, format, "answers to learn", "instruction and output, messages, or prompt and completion"),
        };
    }

    /// <summary>Preferences, every one of the file. A judged pair without a verdict is a bad row: filter it out first, knowingly.</summary>
    public static IEnumerable<Preference> ReadPreferences(string path) => PlacedPreferences(path).Select(row => row.Value);

    /// <summary>
    /// The preferences of a file that something can be learned from. A row whose two answers are the same, or one of whose texts is empty, is
    /// left out; <paramref name="unusable"/> is told where it stands and why.
    /// </summary>
    public static IEnumerable<Preference> ReadPreferences(string path, Action<string> unusable)
    {
        foreach ((string place, Preference row) in PlacedPreferences(path))
            if (Fault(row) is { } fault)
                unusable($"{place}: {fault}");
            else
                yield return row;
    }

    private static IEnumerable<(string Place, Preference Value)> PlacedPreferences(string path)
    {
        DataFormat format = DataFormat.Detect(path);
        return format switch
        {
            DataFormat.Preference => PreferenceFormat.ReadPlaced(path),
            DataFormat.HhPairs => HhFormat.ReadPlaced(path),
            DataFormat.AlpacaEvalAnnotations => AlpacaEvalAnnotationFormat.ReadPlaced(path).Select((row, i) => (row.Place,
                row.Value.ToPreference($"{i}") ?? throw new BadInputException($"{row.Place}: preference: missing; a training preference needs a verdict"))),
            _ => throw Wrong(path, format, "preferences", "chosen and rejected, or output_1, output_2 and preference"),
        };
    }

    private static string? Fault(Preference row) => row.Prompt.Messages.All(m => string.IsNullOrWhiteSpace(m.Content)) ? "the prompt is empty"
        : row.Chosen.Text == row.Rejected.Text ? "the two answers are the same"
        : string.IsNullOrWhiteSpace(row.Chosen.Text) ? "the chosen answer is empty"
        : string.IsNullOrWhiteSpace(row.Rejected.Text) ? "the rejected answer is empty"
        : null;

    /// <summary>Answers with a thumb up or down.</summary>
    public static IEnumerable<Label> ReadLabels(string path)
    {
        DataFormat format = DataFormat.Detect(path);
        return format == DataFormat.Labels ? LabelFormat.Read(path) : throw Wrong(path, format, "labels", "prompt, completion and label");
    }

    private static BadInputException Wrong(string path, DataFormat format, string wanted, string fields) =>
        new($"{path}: holds {format} rows where {wanted} are needed; expected the fields {fields}");
}
