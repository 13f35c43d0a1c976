using System.Globalization;
using System.Text;
using Paddock.Engine;

namespace Paddock.Data.Formats;

/// <summary>A small CSV file with a header line, fields in quotes where they hold commas (RFC 4180), read whole.</summary>
internal sealed class CsvTable
{
    /// <summary>Largest file, in bytes: tables here have hundreds of rows.</summary>
    public const long LargestFile = 64 << 20;

    private readonly string _path;
    private readonly List<(int Line, string[] Fields)> _rows = [];

    private CsvTable(string path, string[] header) => (_path, Header) = (path, header);

    public IReadOnlyList<string> Header { get; }

    public int Count => _rows.Count;

    /// <exception cref="BadInputException">No such file, too large, no header, a quote left open, or a row of another length.</exception>
    public static CsvTable Read(string path)
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw new BadInputException($"{path}: larger than {LargestFile >> 20} MiB; expected a table of some hundred rows");
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}", e);
        }
        CsvTable? table = null;
        int at = 0, line = 1;
        while (at < text.Length)
        {
            int began = line;
            string[] fields = Record(path, text, ref at, ref line);
            if (fields is [""])
                continue;
            if (table == null)
                table = new(path, fields);
            else if (fields.Length == table.Header.Count)
                table._rows.Add((began, fields));
            else
                throw new BadInputException($"{path}:{began}: {fields.Length} fields where the header has {table.Header.Count}");
        }
        return table ?? throw new BadInputException($"{path}: the file is empty; expected a header line");
    }

    /// <summary>Position of a column.</summary>
    public int Column(string name)
    {
        for (int i = 0; i < Header.Count; i++)
            if (Header[i] == name)
                return i;
        throw new BadInputException($"{_path}:1: no column '{name}'; the header has {string.Join(", ", Header.Select(Row.Short))}");
    }

    public bool Has(string name) => Header.Contains(name);

    public string Text(int row, int column) => _rows[row].Fields[column];

    /// <summary>A finite number, or null for an empty field.</summary>
    public double? OptionalNumber(int row, int column)
    {
        string text = Text(row, column);
        if (text.Length == 0)
            return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw new BadInputException($"{_path}:{_rows[row].Line}: {Header[column]}: expected a number, not '{Row.Short(text)}'");
    }

    public double Number(int row, int column) => OptionalNumber(row, column) ?? throw new BadInputException($"{_path}:{_rows[row].Line}: {Header[column]}: empty; expected a number");

    /// <summary>A field as it is written: in quotes where it must be.</summary>
    public static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\n\r") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string[] Record(string path, string text, ref int at, ref int line)
    {
        List<string> fields = [];
        StringBuilder field = new();
        int began = line;
        bool quoted = false;
        for (; at < text.Length; at++)
        {
            char c = text[at];
            if (c == '\n')
                line++;
            if (quoted)
            {
                if (c != '"')
                    field.Append(c);
                else if (at + 1 < text.Length && text[at + 1] == '"')
                {
                    field.Append('"');
                    at++;
                }
                else
                    quoted = false;
            }
            else if (c == '"' && field.Length == 0)
                quoted = true;
            else if (c == ',')
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (c == '\n')
            {
                at++;
                break;
            }
            else if (c != '\r')
                field.Append(c);
        }
        if (quoted)
            throw new BadInputException($"{path}:{began}: a quote is left open");
        fields.Add(field.ToString());
        return [.. fields];
    }
}
