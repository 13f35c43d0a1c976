namespace Paddock.Storage;

/// <summary>
/// Files that appear whole or not at all: written under a temporary name in the same folder, flushed to disk, then renamed over the
/// target. After a kill at any moment the target is the old file or the new one. Leftovers of a kill end in <see cref="TemporarySuffix"/>.
/// </summary>
public static class AtomicFile
{
    /// <summary>End of the temporary names; whatever has it may be deleted when nothing runs.</summary>
    public const string TemporarySuffix = ".partial";

    private static long _counter;

    /// <summary>Writes <paramref name="path"/> through <paramref name="write"/>; missing folders are made. If it throws, nothing changed.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string temporary = TemporaryFor(path);
        try
        {
            using (FileStream stream = Create(temporary))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Write"/>, for writers that await.</summary>
    public static async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, CancellationToken cancellation)
    {
        string temporary = TemporaryFor(path);
        try
        {
            await using (FileStream stream = Create(temporary))
            {
                await write(stream, cancellation).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            cancellation.ThrowIfCancellationRequested();
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Writes bytes.</summary>
    public static void WriteBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    private static FileStream Create(string temporary) => new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);

    // the process id and a counter keep two writers of one path apart; the last rename wins, and either file is whole
    private static string TemporaryFor(string path)
    {
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        while (true)
        {
            string name = $".{Path.GetFileName(full)}.{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}{TemporarySuffix}";
            string temporary = Path.Combine(folder, name);
            if (!File.Exists(temporary))
                return temporary;
        }
    }
}
