using Paddock.Storage;

namespace Paddock.Studies;

/// <summary>
/// Files of rows that a stage appends to as it goes, metrics and warnings among them, kept in step with its checkpoints: opened, each is cut back to the
/// rows it had at the checkpoint, or to none.
/// </summary>
internal sealed class GrowingFiles : IDisposable
{
    private readonly StageFolder _folder;
    private readonly Dictionary<string, JsonLines> _files = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public GrowingFiles(StageFolder folder, IReadOnlyDictionary<string, long>? rows)
    {
        _folder = folder;
        if (rows?.ContainsKey(Path.GetFileName(folder.Metrics)) != true)
            File.Delete(folder.Metrics);
        if (rows?.ContainsKey(Path.GetFileName(folder.Warnings)) != true)
            File.Delete(folder.Warnings);
        foreach ((string file, long count) in rows ?? new Dictionary<string, long>())
            Open(file, count);
    }

    public void Append(string file, ReadOnlySpan<byte> row)
    {
        lock (_gate)
            (_files.TryGetValue(file, out JsonLines? lines) ? lines : Open(file, 0)).Append(row);
    }

    /// <summary>Forces all rows to disk; name of each file to its rows.</summary>
    public IReadOnlyDictionary<string, long> FlushAndCount()
    {
        lock (_gate)
        {
            foreach (JsonLines file in _files.Values)
                file.Flush();
            return _files.ToDictionary(f => f.Key, f => f.Value.Rows);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            foreach (JsonLines file in _files.Values)
                file.Dispose();
    }

    private JsonLines Open(string file, long rows)
    {
        JsonLines lines = JsonLines.OpenAppend(_folder.File(file));
        lines.TruncateTo(rows);
        _files.Add(file, lines);
        return lines;
    }
}
