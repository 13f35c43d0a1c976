using System.IO.MemoryMappedFiles;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// A read-only file mapped into memory, so that weights are paged in as they are read and shared between processes. Every access is
/// checked against the length found on opening. Checkpoints appear by rename, so a file is not expected to shrink while it is open.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private MappedFile(string path, MemoryMappedFile map, long length)
    {
        Path = path;
        Length = length;
        _map = map;
        _view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public string Path { get; }

    /// <summary>Bytes in the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>Maps a file of at least <paramref name="minimum"/> bytes (one or more).</summary>
    /// <exception cref="BadInputException">The file is missing, unreadable or too short to be <paramref name="kind"/>.</exception>
    public static MappedFile Open(string path, long minimum, string kind)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            long length = file.Length;
            if (length < Math.Max(minimum, 1))
                throw new BadInputException($"{path}: only {length} bytes, too short to be {kind}; fetch the file again");
            MemoryMappedFile map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new(path, map, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new BadInputException($"{path}: cannot be opened as {kind}: {e.Message}", e);
        }
    }

    /// <summary>A view of the file; it lives as long as this object.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_start == null, this);
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new ArgumentOutOfRangeException(nameof(offset), $"bytes {offset} to {offset + count} of a file of {Length}");
        return new(_start + offset, count);
    }

    public void Dispose()
    {
        if (_start == null)
            return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
