using Paddock.Engine;
using Paddock.Reports;
using Paddock.Studies;
using Paddock.Studies.Stages;

namespace Paddock.Cli.Studies;

/// <summary>Finds what a study left behind by what users write: its name below the runs, one seed of it, or a folder.</summary>
internal static class FinishedStudies
{
    /// <summary>One summary for each seed that ran, in order of seeds.</summary>
    public static IReadOnlyList<StudySummary> Read(RunsFolder runs, string name)
    {
        string folder = Folder(runs, name);
        // the seeds' folders know more than the study's own, which is one of them or empty
        string[] seeds = Directory.Exists(folder) ? [.. Directory.EnumerateDirectories(folder, "seed-*").Where(f => File.Exists(Path.Combine(f, "manifest.json")))] : [];
        if (seeds.Length == 0)
            seeds = File.Exists(new StudyFolder(folder).Manifest) ? [folder] : throw new BadInputException($"there is no study '{name}' in {runs.Root}{Known(runs)}");
        return [.. seeds.Select(seed => ReadOne(runs, new StudyFolder(seed))).OrderBy(summary => summary.Seed)];
    }

    private static StudySummary ReadOne(RunsFolder runs, StudyFolder study)
    {
        StudyManifest manifest = StudyManifest.Read(study.Manifest)!;
        foreach (ManifestStage stage in manifest.Stages)
            if (!runs.Stage(stage.Key).IsDone)
                throw new BadInputException($"study '{manifest.Study}': stage '{stage.Name}' is not finished; run it again first ('paddock status' shows how far it is)");
        return StudySummary.Read(new RecipeReader(StageCatalog.Table).ReadFile(study.Recipe), StageCatalog.Table, manifest, runs);
    }

    /// <summary>The folder that a name means, whether or not it exists.</summary>
    public static string Folder(RunsFolder runs, string name)
    {
        string below = Path.Combine(runs.Root, name);
        return Directory.Exists(below) || !Directory.Exists(name) ? below : Path.GetFullPath(name);
    }

    private static string Known(RunsFolder runs)
    {
        string[] names = Directory.Exists(runs.Root) ? [.. Directory.EnumerateDirectories(runs.Root).Select(f => Path.GetFileName(f)).Where(f => !f.StartsWith('.')).Order(StringComparer.Ordinal).Take(8)] : [];
        return names.Length == 0 ? "; 'paddock quickstart' makes one" : $"; there is {string.Join(", ", names)}";
    }
}
