using System.Text.Json.Serialization.Metadata;
using Paddock.Storage;

namespace Paddock.Studies;

/// <summary>
/// A file of rows that a stage writes in chunks of a fixed size, such as prompts to sample or comparisons to judge. Rows being pure
/// functions of their index, a rerun keeps the complete chunks and goes on at <see cref="Done"/> with the bytes of an uninterrupted run.
/// </summary>
public sealed class ResumableRows : IDisposable
{
    private readonly JsonLines _lines;
    private readonly int _chunk;
    private readonly Action<long>? _kept;

    private ResumableRows(JsonLines lines, int chunk, long total, Action<long>? kept) => (_lines, _chunk, Total, _kept) = (lines, chunk, total, kept);

    /// <summary>Rows written, all of complete chunks; the index of the next row.</summary>
    public long Done => _lines.Rows;

    /// <summary>Rows the file will have.</summary>
    public long Total { get; }

    /// <summary>Rows of the next chunk; 0 when all are written.</summary>
    public int Next => (int)Math.Min(_chunk, Total - Done);

    /// <summary>Opens the file and drops what belongs to no complete chunk.</summary>
    /// <param name="counted">Rows that count at most: those whose work is in the stage's account.</param>
    /// <param name="kept">Told the rows of the file whenever a chunk is on disk, before anything else happens.</param>
    public static ResumableRows Open(string path, int chunk, long total, long counted = long.MaxValue, Action<long>? kept = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        ArgumentOutOfRangeException.ThrowIfNegative(total);
        JsonLines lines = JsonLines.OpenAppend(path);
        if (Math.Min(lines.Rows, counted) is long rows && rows != total)
            lines.TruncateTo(Math.Min(rows, total) / chunk * chunk);
        return new(lines, chunk, total, kept);
    }

    /// <summary>Appends the next chunk and forces it to disk; then stops if the study was asked to (<see cref="StageRun.Stopping"/>).</summary>
    public void Append<T>(IReadOnlyList<T> rows, JsonTypeInfo<T> type, CancellationToken stopping)
    {
        if (rows.Count == 0 || rows.Count != Next)
            throw new ArgumentException($"the chunk at row {Done} has {Next} rows, not {rows.Count}", nameof(rows));
        foreach (T row in rows)
            _lines.Append(row, type);
        _lines.Flush();
        _kept?.Invoke(Done);
        if (Next > 0)
            stopping.ThrowIfCancellationRequested();
    }

    public void Dispose() => _lines.Dispose();
}
