using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Data.Formats;

/// <summary>Writes rows as JSONL or as one JSON array; the file appears whole, and gzipped when its name ends in <c>.gz</c>.</summary>
internal static class RowWriter
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };

    /// <summary>One object per line; <paramref name="write"/> writes the fields of a row.</summary>
    public static void Lines<T>(string path, IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> write) => Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, Compact);
        foreach (T row in rows)
        {
            json.WriteStartObject();
            write(json, row);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            stream.WriteByte((byte)'\n');
        }
    });

    /// <summary>One array of objects.</summary>
    public static void Array<T>(string path, IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> write) => Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, Indented);
        json.WriteStartArray();
        foreach (T row in rows)
        {
            json.WriteStartObject();
            write(json, row);
            json.WriteEndObject();
            if (json.BytesPending > 1 << 16)
                json.Flush();
        }
        json.WriteEndArray();
        json.Flush();
        stream.WriteByte((byte)'\n');
    });

    /// <summary>Whether prompts need their ids written: not when each is its row's number, which reading restores.</summary>
    public static bool NeedsIds<T>(IReadOnlyList<T> rows, Func<T, Prompt> prompt)
    {
        for (int i = 0; i < rows.Count; i++)
            if (prompt(rows[i]).Id != $"{i}")
                return true;
        return false;
    }

    private static void Write(string path, Action<Stream> write) => WholeFile.Write(path, file =>
    {
        if (!path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            write(file);
            return;
        }
        using GZipStream packed = new(file, CompressionLevel.Optimal, leaveOpen: true);
        using BufferedStream buffered = new(packed, 1 << 16);
        write(buffered);
    });
}
