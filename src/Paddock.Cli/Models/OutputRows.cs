using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Paddock.Cli.Models;

/// <summary>What rows of standard output are.</summary>
internal enum RowFormat
{
    /// <summary>There are none: the verb shows something else.</summary>
    None,

    /// <summary>JSON, for programs.</summary>
    Json,

    /// <summary>Text, for people.</summary>
    Text,
}

/// <summary>Writes rows to standard output, one a line, some kilobytes at a time; what was written before a failure is kept.</summary>
/// <param name="atOnce">Whether every row is written as soon as it is there, for a reader that waits for it.</param>
internal sealed class OutputRows(RowFormat format, bool atOnce = false) : IDisposable
{
    private const int FlushBytes = 1 << 15;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _bytes = new(FlushBytes);

    /// <summary>Writes one row; nothing at all when no rows are wanted.</summary>
    /// <param name="fields">Writes the fields of the row's object.</param>
    /// <param name="text">The row for people.</param>
    public void Write(Action<Utf8JsonWriter> fields, Func<string>? text = null)
    {
        switch (format)
        {
            case RowFormat.Json:
                using (Utf8JsonWriter json = new(_bytes, Relaxed))
                {
                    json.WriteStartObject();
                    fields(json);
                    json.WriteEndObject();
                }
                break;
            case RowFormat.Text when text != null:
                Encoding.UTF8.GetBytes(text(), _bytes);
                break;
            default:
                return;
        }
        _bytes.Write("\n"u8);
        if (atOnce || _bytes.WrittenCount >= FlushBytes)
            Flush();
    }

    public void Flush()
    {
        if (_bytes.WrittenCount == 0)
            return;
        Console.Out.Write(Encoding.UTF8.GetString(_bytes.WrittenSpan));
        Console.Out.Flush();
        _bytes.ResetWrittenCount();
    }

    public void Dispose() => Flush();
}
