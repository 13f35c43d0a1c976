using Paddock.Tests.Shared;

namespace Paddock.Tests.Docs;

/// <summary>The files of the repository as the tests of its pages see them: what was built, run or fetched is left out.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = [".git", ".vs", ".idea", ".vscode", "artifacts", "bin", "obj", "runs", "TestResults", "node_modules"];

    public static string Root => SharedFolder.RepositoryRoot;

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string Read(string relative) => File.ReadAllText(PathOf(relative)).ReplaceLineEndings("\n");

    public static bool Exists(string relative) => Path.Exists(PathOf(relative));

    /// <summary>Paths relative to the root, with '/'.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Select(Relative).Order(StringComparer.Ordinal)];

    public static IReadOnlyList<string> Pages { get; } = [.. Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal))];

    /// <summary>Names of the folders directly below one, those that are not ours left out; "" is the root.</summary>
    public static IEnumerable<string> FoldersOf(string relative) =>
        Directory.EnumerateDirectories(PathOf(relative)).Where(IsOurs).Where(folder => Walk(folder).Any()).Select(folder => Path.GetFileName(folder)!);

    private static bool IsOurs(string folder) => !NotOurs.Contains(Path.GetFileName(folder));

    private static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file) != ".git").Concat(Directory.EnumerateDirectories(folder).Where(IsOurs).SelectMany(Walk));
}
