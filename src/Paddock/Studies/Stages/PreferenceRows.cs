namespace Paddock.Studies.Stages;

/// <summary>Rows of preferences from which nothing can be learned: left out, counted and told.</summary>
internal static class PreferenceRows
{
    private const int Shown = 5;

    /// <summary>Warns of them, where the first few stand; returns words for a stage's summary, null when there are none.</summary>
    public static string? Tell(IReadOnlyList<string> unusable, string source, StageRun run)
    {
        if (unusable.Count == 0)
            return null;
        run.Warn($"{source}: {unusable.Count} rows of preferences are left out, as nothing can be learned from them: {string.Join("; ", unusable.Take(Shown))}{(unusable.Count > Shown ? "; ..." : "")}");
        return $", {unusable.Count} rows left out that nothing can be learned from";
    }
}
