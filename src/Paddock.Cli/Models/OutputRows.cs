using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Paddock.Cli.Models;

/// <summary>Writes rows of JSON to standard output, one a line, some kilobytes at a time; what was written before a failure is kept.</summary>
internal sealed class OutputRows(bool wanted) : IDisposable
{
    private const int FlushBytes = 1 << 15;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _bytes = new(FlushBytes);

    /// <summary>Writes one object; nothing at all when no rows are wanted.</summary>
    public void Write(Action<Utf8JsonWriter> fields)
    {
        if (!wanted)
            return;
        using (Utf8JsonWriter json = new(_bytes, Relaxed))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        _bytes.Write("\n"u8);
        if (_bytes.WrittenCount >= FlushBytes)
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
