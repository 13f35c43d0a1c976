using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Paddock.Engine;

namespace Paddock.Storage;

/// <summary>
/// A file of one JSON value a line that only grows. One writer at a time (its stage's lock sees to that); readers may read meanwhile.
/// Each row goes to the operating system in one write, so a killed process loses no row it has appended, and a last line torn by a
/// kill or a power cut is cut off on opening and skipped on reading. Rows are counted from 0.
/// </summary>
public sealed class JsonLines : IDisposable
{
    private readonly FileStream _stream;
    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _row = new(1024);

    private JsonLines(FileStream stream, long rows, long tornBytes) => (_stream, Rows, TornBytes) = (stream, rows, tornBytes);

    /// <summary>Rows in the file.</summary>
    public long Rows { get; private set; }

    /// <summary>Bytes of a torn last line that were cut off on opening.</summary>
    public long TornBytes { get; }

    /// <summary>Opens or creates <paramref name="path"/> for appending; missing folders are made.</summary>
    public static JsonLines OpenAppend(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        FileStream stream = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        try
        {
            (long rows, long end) = Scan(stream, long.MaxValue);
            long torn = stream.Length - end;
            if (torn > 0)
                stream.SetLength(end);
            stream.Position = end;
            return new(stream, rows, torn);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Appends a row. Thread-safe; rows land in the order of the calls.</summary>
    public void Append<T>(T row, JsonTypeInfo<T> type)
    {
        lock (_gate)
        {
            _row.ResetWrittenCount();
            using (Utf8JsonWriter writer = new(_row))
                JsonSerializer.Serialize(writer, row, type);
            WriteRow();
        }
    }

    /// <summary>Appends a row that is JSON already; it must be one line.</summary>
    public void Append(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json.ContainsAny((byte)'\n', (byte)'\0'))
            throw new ArgumentException("a row is one non-empty line", nameof(json));
        lock (_gate)
        {
            _row.ResetWrittenCount();
            _row.Write(json);
            WriteRow();
        }
    }

    /// <summary>Keeps the first <paramref name="rows"/> rows: a stage that resumes drops what it wrote after its checkpoint.</summary>
    public void TruncateTo(long rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, Rows);
        lock (_gate)
        {
            (_, long end) = Scan(_stream, rows);
            _stream.SetLength(end);
            _stream.Position = end;
            Rows = rows;
        }
    }

    /// <summary>Forces all rows to disk, so that they survive a power cut too; call it before a checkpoint that counts them.</summary>
    public void Flush() => _stream.Flush(flushToDisk: true);

    public void Dispose() => _stream.Dispose();

    /// <summary>Rows of the file; 0 when it does not exist.</summary>
    public static long Count(string path)
    {
        if (!File.Exists(path))
            return 0;
        using FileStream stream = OpenRead(path);
        return Scan(stream, long.MaxValue).Rows;
    }

    /// <summary>
    /// The rows as text, in order, as they are read; none when the file does not exist. A torn last line is not a row. Each row is valid
    /// until the next one is asked for.
    /// </summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(string path)
    {
        if (!File.Exists(path))
            yield break;
        using FileStream stream = OpenRead(path);
        foreach (ReadOnlyMemory<byte> line in Utf8Lines.Read(stream, withTail: false))
        {
            if (line.Span.Contains((byte)'\0'))
                yield break;
            yield return line;
        }
    }

    /// <summary>The rows as values.</summary>
    /// <exception cref="BadInputException">A whole row is not a valid value; the message names the line.</exception>
    public static IEnumerable<T> Read<T>(string path, JsonTypeInfo<T> type)
    {
        long line = 0;
        foreach (ReadOnlyMemory<byte> row in Read(path))
        {
            line++;
            yield return Parse(row.Span, type, path, line);
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> row, JsonTypeInfo<T> type, string path, long line)
    {
        try
        {
            return JsonSerializer.Deserialize(row, type) ?? throw new BadInputException($"{path}:{line}: null is not a row");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{path}:{line}: {e.Message}", e);
        }
    }

    private void WriteRow()
    {
        _row.GetSpan(1)[0] = (byte)'\n';
        _row.Advance(1);
        long start = _stream.Position;
        try
        {
            _stream.Write(_row.WrittenSpan);
        }
        catch (IOException)
        {
            _stream.SetLength(start); // a full disk leaves no half row behind
            _stream.Position = start;
            throw;
        }
        Rows++;
    }

    private static FileStream OpenRead(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    // Whole rows at the start of the file, at most `limit`, and where they end. A power cut may leave pages of zeros where data never
    // reached the disk, newline and all, so a row with a NUL byte ends the file too.
    private static (long Rows, long End) Scan(FileStream stream, long limit)
    {
        stream.Position = 0;
        byte[] buffer = new byte[1 << 16];
        long rows = 0, end = 0, position = 0;
        while (rows < limit)
        {
            int read = stream.Read(buffer);
            if (read == 0)
                break;
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, read);
            while (rows < limit)
            {
                int mark = rest.IndexOfAny((byte)'\n', (byte)'\0');
                if (mark < 0)
                    break;
                if (rest[mark] == 0)
                    return (rows, end);
                rows++;
                rest = rest[(mark + 1)..];
                end = position + read - rest.Length;
            }
            position += read;
        }
        return (rows, end);
    }
}
