using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Engine.Tokenizers;

namespace Paddock.Cli.Models;

/// <summary>
/// Rows of <c>--input</c>: a file (JSONL or a JSON array, gzipped or not) or standard input, one at a time. The first bad row ends the
/// reading with a message that names place and field; rows before it have been handed over by then.
/// </summary>
internal sealed partial class InputRows
{
    public const string StandardInput = "-";

    private readonly Option<string?> _input;
    private readonly Option<string?> _text = new("--text") { Description = "One text in place of --input." };

    public InputRows(string description) => _input = new("--input", "-i") { Description = $"{description} '-' or nothing reads standard input." };

    public void AddTo(Command command)
    {
        command.Options.Add(_input);
        command.Options.Add(_text);
    }

    /// <summary>Whether rows come from a program that may wait for an answer before it sends the next.</summary>
    public bool IsPiped(ParseResult parsed) => parsed.GetValue(_text) == null && parsed.GetValue(_input) is null or StandardInput;

    /// <summary>Whether there is one row, typed by a person.</summary>
    public bool IsTyped(ParseResult parsed) => parsed.GetValue(_text) != null;

    /// <summary>Rows of the file, of standard input, or the one text that was given.</summary>
    public IEnumerable<T> Read<T>(ParseResult parsed, Func<Row, T> parse)
    {
        (string? path, string? text) = (parsed.GetValue(_input), parsed.GetValue(_text));
        if (path != null && text != null)
            throw new BadInputException("give either --text TEXT or --input FILE, not both");
        if (text != null)
            return Read(RowSource.ReadLines(new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(new TextRow(text), InputJson.Default.TextRow)), "--text"), "--text", parse);
        if (path == null && !Console.IsInputRedirected)
            throw new BadInputException("give --text TEXT, --input FILE, or rows on standard input");
        return Read(path ?? StandardInput, parse);
    }

    public static IEnumerable<T> Read<T>(string path, Func<Row, T> parse) =>
        Read(path == StandardInput ? RowSource.ReadLines(Console.OpenStandardInput(), "standard input") : RowSource.Read(path), path, parse);

    private static IEnumerable<T> Read<T>(IEnumerable<Row> rows, string path, Func<Row, T> parse)
    {
        using IEnumerator<Row> source = rows.GetEnumerator();
        while (Guard(path, source))
        {
            Row row = source.Current;
            T? value = !row.IsBroken && row.IsObject ? parse(row) : default;
            if (row.IsBroken)
                throw new BadInputException(row.Problems[0]);
            yield return value!;
        }
    }

    /// <summary>Ids: a list of whole numbers from 0.</summary>
    public static int[] Ids(Row row, string field)
    {
        if (row.Get(field) is not { } list)
        {
            row.Problem(field, "missing; expected a list of token ids");
            return [];
        }
        if (list.ValueKind != JsonValueKind.Array)
        {
            row.Problem(field, $"expected a list of token ids, not {Row.Kind(list)}");
            return [];
        }
        int[] ids = new int[list.GetArrayLength()];
        int at = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out ids[at]) || ids[at] < 0)
            {
                row.Problem($"{field}[{at}]", $"expected a token id, a whole number from 0, not {(item.ValueKind == JsonValueKind.Number ? Row.Short(item.GetRawText()) : Row.Kind(item))}");
                return [];
            }
            at++;
        }
        return ids;
    }

    /// <summary>A text and its ids. A word that a word-level tokenizer does not know is the row's problem.</summary>
    public static (string Text, int[] Ids) Encode(Row row, string field, Tokenizer tokenizer, bool addSpecialTokens)
    {
        string text = row.Text(field);
        try
        {
            return (text, row.IsBroken ? [] : tokenizer.Encode(text, addSpecialTokens));
        }
        catch (BadInputException e)
        {
            row.Problem(field, e.Message);
            return (text, []);
        }
    }

    private sealed record TextRow([property: JsonPropertyName("text")] string Text);

    [JsonSerializable(typeof(TextRow))]
    private sealed partial class InputJson : JsonSerializerContext;

    private static bool Guard(string path, IEnumerator<Row> source)
    {
        try
        {
            return source.MoveNext();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{(path == StandardInput ? "standard input" : path)}: cannot be read: {e.Message}", e);
        }
    }
}
