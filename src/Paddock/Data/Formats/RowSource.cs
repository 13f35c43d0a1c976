using System.IO.Compression;
using System.Text.Json;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Data.Formats;

/// <summary>
/// The rows of a JSON array or a JSONL file, gzipped or not, with or without a byte order mark; which of these it is, is read off the
/// bytes, never off the name. JSONL is streamed; an array is read whole.
/// </summary>
internal static class RowSource
{
    /// <summary>Longest JSONL line and largest JSON array, in bytes after unpacking: beyond is a mistake or an attack.</summary>
    public const int LongestLine = 64 << 20, LargestArray = 1 << 30;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Rows in order, each valid until the next is asked for. A line that is not JSON is a row with a problem, so that it is reported
    /// together with the others.
    /// </summary>
    public static IEnumerable<Row> Read(string path)
    {
        RowIds ids = new();
        return FirstByte(path) switch
        {
            (byte)'[' => Array(path, ids),
            (byte)'{' => Lines(path, ids),
            null => throw new BadInputException($"{path}: the file is empty"),
            _ => throw new BadInputException($"{path}: neither a JSON array nor JSONL; convert the data to JSONL, one JSON object per line"),
        };
    }

    /// <summary>Rows of a JSONL stream that has no file, such as standard input; <paramref name="name"/> is what messages call it.</summary>
    public static IEnumerable<Row> ReadLines(Stream stream, string name) => Lines(stream, name, new());

    private static IEnumerable<Row> Lines(string path, RowIds ids)
    {
        using Stream stream = Open(path);
        foreach (Row row in Lines(stream, path, ids))
            yield return row;
    }

    private static IEnumerable<Row> Lines(Stream stream, string path, RowIds ids)
    {
        long line = 0, index = 0;
        foreach (ReadOnlyMemory<byte> raw in Utf8Lines.Read(stream, withTail: true, LongestLine))
        {
            line++;
            ReadOnlyMemory<byte> text = line == 1 && raw.Span.StartsWith(ByteOrderMark) ? raw[3..] : raw;
            if (text.Span.Trim(" \t\r"u8).IsEmpty)
                continue;
            string where = $"{path}:{line}";
            if (Parse(text, out string? fault) is { } document)
            {
                using (document)
                    yield return new(where, index++, document.RootElement, ids);
            }
            else
            {
                Row broken = new(where, index++, default, ids);
                broken.Problem(null, fault!);
                yield return broken;
            }
        }
    }

    private static IEnumerable<Row> Array(string path, RowIds ids)
    {
        using JsonDocument document = Parse(ReadWhole(path), out string? fault) ?? throw new BadInputException($"{path}: {fault}");
        long index = 0;
        foreach (JsonElement element in document.RootElement.EnumerateArray())
            yield return new($"{path}[{index}]", index++, element, ids);
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> text, out string? fault)
    {
        fault = null;
        try
        {
            return JsonDocument.Parse(text, Strict);
        }
        catch (JsonException e)
        {
            string place = e.LineNumber > 0 ? $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}" : $"byte {e.BytePositionInLine + 1}";
            fault = e.Message.Contains("uplicate", StringComparison.Ordinal) && DuplicateAt(text.Span) is { } twice ? twice
                : NonFiniteAt(text.Span, e)
                ? $"NaN and Infinity are not JSON ({place}); write null for a missing number"
                : $"not valid JSON at {place}: {e.Message.Split(" LineNumber:", 2)[0].Split(" Path:", 2)[0]}";
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            fault = "not valid JSON: a name is not valid Unicode text";
        }
        return null;
    }

    // the parser does not say where a name stands twice
    private static string? DuplicateAt(ReadOnlySpan<byte> text)
    {
        Utf8JsonReader reader = new(text, new JsonReaderOptions { MaxDepth = Strict.MaxDepth });
        Stack<HashSet<string>> open = [];
        while (reader.Read())
            if (reader.TokenType == JsonTokenType.StartObject)
                open.Push(new(StringComparer.Ordinal));
            else if (reader.TokenType == JsonTokenType.EndObject)
                open.Pop();
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.GetString() is { } name && !open.Peek().Add(name))
            {
                ReadOnlySpan<byte> before = text[..(int)reader.TokenStartIndex];
                int line = before.Count((byte)'\n'), column = before.Length - before.LastIndexOf((byte)'\n');
                return $"the name \"{Row.Short(name)}\" stands twice in one object, the second time at {(line > 0 ? $"line {line + 1}, " : "")}byte {column}; keep one of them";
            }
        return null;
    }

    // whether the parser stopped at one of the tokens that Python writes for numbers that are none
    private static bool NonFiniteAt(ReadOnlySpan<byte> text, JsonException e)
    {
        for (long line = e.LineNumber ?? 0; line > 0 && text.IndexOf((byte)'\n') is >= 0 and int end; line--)
            text = text[(end + 1)..];
        int at = (int)Math.Clamp(e.BytePositionInLine ?? 0, 0, text.Length);
        ReadOnlySpan<byte> around = text[Math.Max(0, at - 1)..Math.Min(text.Length, at + 9)];
        return around.IndexOf("NaN"u8) is 0 or 1 || around.IndexOf("Infinity"u8) is 0 or 1;
    }

    private static ReadOnlyMemory<byte> ReadWhole(string path)
    {
        using Stream stream = Open(path);
        using MemoryStream all = new();
        byte[] chunk = new byte[1 << 16];
        for (int read; (read = stream.Read(chunk)) > 0;)
        {
            if (all.Length + read > LargestArray)
                throw new InvalidDataException($"a JSON array is read whole and may hold {LargestArray >> 20} MiB at most; convert it to JSONL");
            all.Write(chunk, 0, read);
        }
        ReadOnlyMemory<byte> text = all.GetBuffer().AsMemory(0, (int)all.Length);
        return text.Span.StartsWith(ByteOrderMark) ? text[3..] : text;
    }

    private static byte? FirstByte(string path)
    {
        using Stream stream = Open(path);
        byte[] chunk = new byte[4096];
        bool first = true;
        while (true)
        {
            int length = stream.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
            if (length == 0)
                return null;
            ReadOnlySpan<byte> text = chunk.AsSpan(0, length);
            if (first && text.StartsWith(ByteOrderMark))
                text = text[3..];
            first = false;
            int at = text.IndexOfAnyExcept(" \t\r\n"u8);
            if (at >= 0)
                return text[at];
        }
    }

    private static Stream Open(string path)
    {
        if (Directory.Exists(path))
            throw new BadInputException($"{path}: a folder; name a data file in it (JSON, JSONL, or either gzipped; convert Parquet and Arrow to JSONL first)");
        if (!File.Exists(path))
            throw new BadInputException($"{path}: no such file");
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        Span<byte> magic = stackalloc byte[8];
        int length = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        magic = magic[..length];
        file.Position = 0;
        if (magic.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return new GZipStream(file, CompressionMode.Decompress);
        string? foreign = magic.StartsWith("PAR1"u8) ? "Parquet" : magic.StartsWith("ARROW1"u8) || magic.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFF, 0xFF, 0xFF]) ? "Arrow"
            : magic.StartsWith("PK\u0003\u0004"u8) ? "zip" : magic.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
            : magic.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || magic.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? "UTF-16" : null;
        if (foreign == null)
            return file;
        file.Dispose();
        throw new BadInputException($"{path}: {foreign} is not read here; convert the file to JSONL in UTF-8 (it may be gzipped)");
    }
}
