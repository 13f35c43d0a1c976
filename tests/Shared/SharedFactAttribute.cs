namespace Paddock.Tests.Shared;

/// <summary>
/// A fact that reads real weights or data from the folder named by PADDOCK_SHARED (default: <c>../shared</c> beside the repository).
/// Where that folder is absent the test is counted as skipped, with the reason; continuous integration sets
/// PADDOCK_REQUIRE_SHARED=1, which makes it run and fail instead.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute() => Skip = SharedFolder.SkipReason!;
}

/// <summary>As <see cref="SharedFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute() => Skip = SharedFolder.SkipReason!;
}

/// <summary>Finds the shared folder and the repository root from wherever the tests run.</summary>
public static class SharedFolder
{
    /// <summary>Root of the repository: the nearest parent folder with Paddock.slnx.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    public static string Path { get; } = System.IO.Path.GetFullPath(
        Environment.GetEnvironmentVariable("PADDOCK_SHARED") is { Length: > 0 } given ? given : System.IO.Path.Combine(RepositoryRoot, "..", "shared"));

    /// <summary>Null when tests on shared files should run.</summary>
    public static string? SkipReason { get; } = Directory.Exists(Path) || Environment.GetEnvironmentVariable("PADDOCK_REQUIRE_SHARED") == "1"
        ? null
        : "needs real weights or data: set PADDOCK_SHARED to the folder that holds them";

    /// <summary>Path of a file or folder below the shared folder.</summary>
    public static string Get(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Paddock.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("Paddock.slnx not found above the test binaries");
    }
}
