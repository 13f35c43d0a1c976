using System.Globalization;

namespace Paddock.Engine.Checkpoints;

/// <summary>Files and folders that appear whole: written under a temporary name beside the target, flushed, renamed.</summary>
internal static class WholeFile
{
    public static void Write(string path, Action<FileStream> write)
    {
        string temporary = Temporary(path);
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Fills a new folder. An empty folder of that name is replaced, any other is an error.</summary>
    public static void WriteFolder(string folder, Action<string> write)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), temporary = Temporary(target);
        if (File.Exists(target) || Directory.Exists(target) && Directory.GetFileSystemEntries(target).Length > 0)
            throw new BadInputException($"{target} exists already; choose another folder or remove it first");
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true);
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

    // the process id keeps two processes that write the same target apart
    private static string Temporary(string path) => string.Create(CultureInfo.InvariantCulture, $"{path}.tmp-{Environment.ProcessId}");
}
