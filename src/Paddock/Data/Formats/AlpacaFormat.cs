using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>
/// Alpaca's JSON: <c>instruction</c>, <c>input</c> (may be empty or absent) and <c>output</c>, one answer or a list of samples. The prompt
/// is one user message, instruction and input joined by a blank line as AlpacaEval does; it is written back as an instruction without
/// input. A JSON array is written, one line per row where the name ends in <c>.jsonl</c>.
/// </summary>
public static class AlpacaFormat
{
    /// <summary>Rows with one answer.</summary>
    public static IEnumerable<Demonstration> Read(string path) => RowReader.Read(path, row =>
    {
        Prompt prompt = Conversations.Prompt(row);
        return new Demonstration(prompt, new Response(row.Text("output")));
    });

    /// <summary>Rows with one answer or a list of them.</summary>
    public static IEnumerable<SampledAnswers> ReadSamples(string path) => RowReader.Read(path, row =>
    {
        Prompt prompt = Conversations.Prompt(row);
        if (row.Get("output") is not { ValueKind: JsonValueKind.Array } list)
            return new SampledAnswers(prompt, [new Response(row.Text("output"))]);
        List<Response> responses = new(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
            responses.Add(new(row.TextOf(item, $"output[{responses.Count}]")));
        if (responses.Count == 0)
            row.Problem("output", "expected at least one answer");
        return new SampledAnswers(prompt, responses);
    });

    public static void Write(string path, IReadOnlyList<Demonstration> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        WriteRows(path, rows, (json, row) =>
        {
            WriteInstruction(json, row.Prompt, withIds);
            json.WriteString("output", row.Response.Text);
        });
    }

    /// <summary><c>output</c> is a list on every row, even of one sample.</summary>
    public static void WriteSamples(string path, IReadOnlyList<SampledAnswers> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        WriteRows(path, rows, (json, row) =>
        {
            WriteInstruction(json, row.Prompt, withIds);
            json.WriteStartArray("output");
            foreach (Response response in row.Responses)
                json.WriteStringValue(response.Text);
            json.WriteEndArray();
        });
    }

    private static void WriteRows<T>(string path, IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> write)
    {
        if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jsonl.gz", StringComparison.OrdinalIgnoreCase))
            RowWriter.Lines(path, rows, write);
        else
            RowWriter.Array(path, rows, write);
    }

    private static void WriteInstruction(Utf8JsonWriter json, Prompt prompt, bool withId)
    {
        if (!Conversations.IsPlain(prompt))
            throw new Engine.BadInputException($"prompt \"{prompt.Id}\" is a conversation, which Alpaca's format cannot hold; write messages instead");
        if (withId)
            json.WriteString("id", prompt.Id);
        json.WriteString("instruction", prompt.Messages[0].Content);
        json.WriteString("input", "");
    }
}
