using Paddock.Engine;
using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>
/// Finds finished stages of other studies by what users write: <c>study/stage</c>, <c>study/seed-2/stage</c>, or the folder of a stage
/// (also its <c>outputs.jsonl</c>). A stage taken in this way has the key it has in its own study, so what is built on it has too.
/// </summary>
public static class FinishedStages
{
    private const string Rows = "outputs.jsonl";

    /// <summary>The stage, or null when the text names none.</summary>
    /// <exception cref="BadInputException">It names a stage of a study that is not there, or not finished.</exception>
    public static StageFolder? Find(RunsFolder runs, string name)
    {
        if (Path.Exists(name))
            return OfPath(Path.TrimEndingDirectorySeparator(Path.GetFullPath(name)));
        string[] parts = name.Split('/');
        if (parts.Length is < 2 or > 3 || Array.Exists(parts, part => Names.FolderNameProblem(part) != null))
            return null;
        StudyFolder study = new(Path.Combine([runs.Root, .. parts[..^1]]));
        if (StudyManifest.Read(study.Manifest) is not { } manifest)
            return null;
        ManifestStage stage = manifest.Stages.FirstOrDefault(s => s.Name == parts[^1])
            ?? throw new BadInputException($"study '{string.Join('/', parts[..^1])}' has no stage '{parts[^1]}'{Names.Hint(parts[^1], [.. manifest.Stages.Select(s => s.Name)], "stages")}");
        return Finished(runs.Stage(stage.Key), name);
    }

    private static StageFolder? OfPath(string path)
    {
        if (Path.GetFileName(path) == Rows)
            path = Path.GetDirectoryName(path)!;
        return Directory.Exists(path) && RunsFolder.IsKey(Path.GetFileName(path)) ? Finished(new StageFolder(path), path) : null;
    }

    private static StageFolder Finished(StageFolder folder, string name)
    {
        if (folder.ReadDone() is not { } done)
            throw new BadInputException($"stage '{name}' is not finished: run its study again first ('paddock status' shows how far it is)");
        folder.CheckOutputs(done);
        return folder;
    }
}
