using System.Security.Cryptography;
using System.Text;
using Paddock.Engine;

namespace Paddock.Studies;

/// <summary>What a file or folder holds, as 64 hex digits: equal content, equal fingerprint, wherever it lies.</summary>
public static class Fingerprint
{
    private const int MaxDepth = 8;

    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Of a file's bytes, or of the relative names and bytes of a folder's files (hidden ones left out).</summary>
    /// <exception cref="BadInputException">It does not exist or cannot be read.</exception>
    public static string OfPath(string path)
    {
        try
        {
            return Directory.Exists(path) ? OfFolder(path, _ => true) : OfFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    internal static string OfFile(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <param name="root">The folder.</param>
    /// <param name="include">Given a name relative to it, with '/', whether the file counts.</param>
    internal static string OfFolder(string root, Func<string, bool> include)
    {
        EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = MaxDepth };
        StringBuilder listing = new();
        foreach (string name in Directory.EnumerateFiles(root, "*", options)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(include)
            .Order(StringComparer.Ordinal))
            listing.Append(name).Append('\0').Append(OfFile(Path.Combine(root, name))).Append('\n');
        return OfText(listing.ToString());
    }
}
