using System.Globalization;
using System.Text;

namespace Paddock.Engine;

/// <summary>
/// Files and folders that appear whole or not at all: written under a temporary name beside the target, flushed to disk, then renamed over it. After a
/// kill at any moment a file is the old one or the new one. Leftovers of a kill end in <see cref="TemporarySuffix"/>.
/// </summary>
public static class WholeFile
{
    /// <summary>End of the temporary names; whatever has it may be deleted when nothing runs.</summary>
    public const string TemporarySuffix = ".partial";

    private static long _counter;

    /// <summary>Writes <paramref name="path"/> through <paramref name="write"/>; missing folders are made. If it throws, nothing changed.</summary>
    public static void Write(string path, Action<FileStream> write)
    {
        string temporary = Temporary(path);
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
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

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Fills a new folder. An empty folder of that name is replaced, any other is an error.</summary>
    public static void WriteFolder(string folder, Action<string> write)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), temporary = Temporary(target);
        if (File.Exists(target) || Directory.Exists(target) && Directory.GetFileSystemEntries(target).Length > 0)
            throw new BadInputException($"{target} exists already; choose another folder or remove it first");
        Directory.CreateDirectory(temporary);
        try
        {
            write(temporary);
            if (Directory.Exists(target))
                Directory.Delete(target);
            Directory.Move(temporary, target);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    /// <summary>Deletes what kills have left in a folder; nothing may be writing there.</summary>
    public static void DeleteLeftovers(string folder)
    {
        EnumerationOptions hidden = new() { AttributesToSkip = 0 };
        foreach (string file in Directory.EnumerateFiles(folder, "*" + TemporarySuffix, hidden))
            File.Delete(file);
        foreach (string below in Directory.EnumerateDirectories(folder, "*" + TemporarySuffix, hidden))
            Directory.Delete(below, recursive: true);
    }

    // the process id and a counter keep two writers of one path apart; the last rename wins, and either file is whole
    private static string Temporary(string path)
    {
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        while (true)
        {
            string temporary = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture,
                $".{Path.GetFileName(full)}.{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}{TemporarySuffix}"));
            if (!Path.Exists(temporary))
                return temporary;
        }
    }
}
