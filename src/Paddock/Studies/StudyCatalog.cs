using Paddock.Engine;

namespace Paddock.Studies;

/// <summary>What lies below a folder of runs: studies and the state of their stages, and results that no study names any more.</summary>
public sealed class StudyCatalog(string runs)
{
    private const string TrashPrefix = ".trash-";
    private readonly RunsFolder _runs = new(runs);

    /// <summary>All studies and seeds, by name. One whose manifest cannot be read is listed with the problem.</summary>
    public IReadOnlyList<StudyStatus> Studies()
    {
        List<StudyStatus> studies = [];
        foreach (string path in Manifests())
            studies.Add(Status(path));
        return studies;
    }

    /// <summary>Stages that no manifest names, largest first.</summary>
    /// <exception cref="BadInputException">A manifest is missing or cannot be read, so what its study names is unknown.</exception>
    public IReadOnlyList<UnusedStage> Unused()
    {
        foreach (StudyFolder study in Folders())
            if (File.Exists(study.Recipe) && !File.Exists(study.Manifest))
                throw new BadInputException($"{study.Path}: there is a study.yaml but no manifest.json, so nobody knows which stages this study uses; run it again (paddock run {study.Recipe} --runs {_runs.Root}) or remove its folder");
        HashSet<string> named = new(StringComparer.Ordinal);
        foreach (string path in Manifests())
            foreach (ManifestStage stage in StudyManifest.Read(path)?.Stages ?? [])
                named.Add(stage.Key);
        if (!Directory.Exists(_runs.Stages))
            return [];
        return [.. Directory.EnumerateDirectories(_runs.Stages)
            .Select(path => Path.GetFileName(path))
            .Where(name => RunsFolder.IsKey(name) && !named.Contains(name))
            .Select(Describe)
            .OrderByDescending(s => s.Bytes).ThenBy(s => s.Key, StringComparer.Ordinal)];
    }

    /// <summary>Deletes these stages but those that are being written; returns what was deleted.</summary>
    public IReadOnlyList<UnusedStage> Delete(IEnumerable<UnusedStage> stages)
    {
        List<UnusedStage> deleted = [];
        foreach (UnusedStage stage in stages)
        {
            StageFolder folder = _runs.Stage(stage.Key);
            using StageLock? held = StageLock.TryAcquire(_runs.LockOf(stage.Key));
            if (held == null || !Directory.Exists(folder.Path))
                continue;
            // renamed first: a stage half deleted must not look like a half-finished one, or like a finished one
            string trash = Path.Combine(_runs.Stages, TrashPrefix + stage.Key);
            if (Directory.Exists(trash))
                Directory.Delete(trash, recursive: true);
            Directory.Move(folder.Path, trash);
            Directory.Delete(trash, recursive: true);
            deleted.Add(stage);
        }
        return deleted;
    }

    // studies, and their seeds
    private IEnumerable<StudyFolder> Folders()
    {
        if (!Directory.Exists(_runs.Root))
            return [];
        return Directory.EnumerateDirectories(_runs.Root)
            .Where(study => !Path.GetFileName(study).StartsWith('.'))
            .SelectMany(study => Directory.EnumerateDirectories(study, "seed-*").Prepend(study))
            .Order(StringComparer.Ordinal)
            .Select(folder => new StudyFolder(folder));
    }

    private IEnumerable<string> Manifests() => Folders().Select(folder => folder.Manifest).Where(File.Exists);

    private StudyStatus Status(string manifestPath)
    {
        string folder = Path.GetDirectoryName(manifestPath)!;
        try
        {
            StudyManifest? manifest = StudyManifest.Read(manifestPath);
            return manifest == null
                ? new StudyStatus(Path.GetFileName(folder), 0, folder, [], $"{manifestPath}: gone")
                : new StudyStatus(manifest.Study, manifest.Seed, folder, [.. manifest.Stages.Select(Status)], null);
        }
        catch (Exception e) when (e is BadInputException or IOException or UnauthorizedAccessException)
        {
            return new StudyStatus(Path.GetFileName(folder), 0, folder, [], e.Message);
        }
    }

    private StageStatus Status(ManifestStage stage)
    {
        StageFolder folder = _runs.Stage(stage.Key);
        StageState state = folder.IsDone ? StageState.Done : Directory.Exists(folder.Path) ? StageState.Half : StageState.Absent;
        int? step = state == StageState.Half ? Checkpoint.Load(folder, out _)?.Step : null;
        return new(stage.Name, stage.Kind, stage.Key, state, Bytes(folder.Path), folder.ReadTiming()?.Seconds, step, folder.ReadDone()?.Summary);
    }

    private UnusedStage Describe(string key)
    {
        StageFolder folder = _runs.Stage(key);
        StageDescription? description;
        try
        {
            description = folder.ReadDescription();
        }
        catch (BadInputException)
        {
            description = null;
        }
        return new(key, description?.Kind ?? "unknown", description?.Name ?? "unknown", folder.IsDone, Bytes(folder.Path), folder.Path);
    }

    private static long Bytes(string folder)
    {
        long bytes = 0;
        if (Directory.Exists(folder))
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
                bytes += Length(file);
        return bytes;
    }

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0; // a running stage replaces its files
        }
    }
}

public enum StageState
{
    /// <summary>Not begun, or deleted since.</summary>
    Absent,

    /// <summary>Begun: running now, or to be continued.</summary>
    Half,
    Done,
}

/// <param name="Problem">Why the manifest cannot be read; null when it can.</param>
public sealed record StudyStatus(string Study, ulong Seed, string Folder, IReadOnlyList<StageStatus> Stages, string? Problem);

/// <param name="Seconds">Time it took; null until done.</param>
/// <param name="Step">Step of the last checkpoint of a half-finished stage.</param>
public sealed record StageStatus(string Name, string Kind, string Key, StageState State, long Bytes, double? Seconds, int? Step, string? Summary);

public sealed record UnusedStage(string Key, string Kind, string Name, bool Done, long Bytes, string Folder);
