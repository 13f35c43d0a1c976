using System.Globalization;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Studies;

/// <summary>
/// Held while a stage is written. The operating system releases it when its process dies, however that happens, so no lock is ever
/// stale. Works between processes and within one.
/// </summary>
internal sealed class StageLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private readonly FileStream _stream;

    private StageLock(FileStream stream) => _stream = stream;

    /// <summary>The lock, or null when another holds it.</summary>
    public static StageLock? TryAcquire(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
        // the locked file cannot be read by others everywhere, so who holds it stands beside it
        WholeFile.WriteText(OwnerFile(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new StageLock(stream);
    }

    /// <summary>Waits for the lock; calls <paramref name="onWait"/> with the holder's process id, or null, before it begins to wait.</summary>
    public static async Task<StageLock> AcquireAsync(string path, TimeProvider time, Action<string?> onWait, CancellationToken cancellation)
    {
        for (bool told = false; ; told = true)
        {
            if (TryAcquire(path) is { } held)
                return held;
            if (!told)
                onWait(Owner(path));
            await Task.Delay(Poll, time, cancellation);
        }
    }

    public void Dispose() => _stream.Dispose();

    private static string OwnerFile(string path) => path + ".pid";

    private static string? Owner(string path)
    {
        try
        {
            return File.ReadAllText(OwnerFile(path));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
