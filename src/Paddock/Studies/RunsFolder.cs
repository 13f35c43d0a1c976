using Paddock.Engine;

namespace Paddock.Studies;

/// <summary>The root of all results: studies by name, and below <c>.stages</c> every stage by its key.</summary>
public sealed class RunsFolder(string root)
{
    public string Root { get; } = Path.GetFullPath(root);

    internal string Stages => Path.Combine(Root, ".stages");

    /// <summary>Folder of the stage with this key, whether or not it exists.</summary>
    public StageFolder Stage(string key) => IsKey(key) ? new(Path.Combine(Stages, key)) : throw new BadInputException($"'{key}' is no key of a stage: 64 hex digits");

    /// <summary>Folder of a study: of one seed among several, or of the study itself.</summary>
    public StudyFolder Study(string study, ulong? seed = null) => new(seed is { } n ? Path.Combine(Root, study, $"seed-{n}") : Path.Combine(Root, study));

    // beside the stages' folders, not in them: a lock file must outlive the folder it guards
    internal string LockOf(string key) => Path.Combine(Stages, ".locks", key);

    internal static bool IsKey(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>Folder of a study: what the CLI, the report and the web read.</summary>
public sealed class StudyFolder(string path)
{
    public string Path { get; } = path;

    /// <summary>The recipe with every default written out.</summary>
    public string Recipe => System.IO.Path.Combine(Path, "study.yaml");

    public string Manifest => System.IO.Path.Combine(Path, "manifest.json");

    public string Report => System.IO.Path.Combine(Path, "report.html");
}
