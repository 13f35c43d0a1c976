using Paddock.Engine;
using Paddock.Studies.Recipes;
using Paddock.Worlds;

namespace Paddock.Studies;

/// <summary>A recipe with every stage's key worked out, before anything runs: what a dry run shows.</summary>
public sealed record StudyPlan(Recipe Recipe, IWorld? World, IReadOnlyList<PlannedStage> Stages)
{
    /// <exception cref="BadInputException">An input names neither an earlier stage, nor a model, nor a file.</exception>
    public static StudyPlan For(Recipe recipe, StudyServices services)
    {
        IWorld? world = services.OpenWorld(recipe);
        Dictionary<string, PlannedStage> earlier = new(StringComparer.Ordinal);
        Dictionary<string, string> fingerprints = new(StringComparer.Ordinal);
        foreach (IStage stage in recipe.Stages)
        {
            if (world == null && stage.Uses.HasFlag(StageUses.World))
                throw new BadInputException($"stage '{stage.Name}' reads a world, and the recipe names none: give 'world' or 'data'");
            List<PlannedInput> inputs = [.. stage.Inputs
                .Where(i => i.Name != null || i.Kind == InputKind.Model)
                .Select(i => Resolve(i, stage, recipe, services, earlier, fingerprints))];
            string kind = services.Stages.KindOf(stage);
            StageKey key = StageKey.For(kind, stage, services.Stages, recipe.Seed, world?.Fingerprint, recipe.Backend, inputs.ToDictionary(i => i.Setting, i => i.Identity));
            if (!earlier.TryAdd(stage.Name, new PlannedStage(stage, kind, key, StageKey.SeedOf(recipe.Seed, stage.Name), inputs)))
                throw new BadInputException($"two stages are named '{stage.Name}'; names are unique");
        }
        return new(recipe, world, [.. earlier.Values]);
    }

    private static PlannedInput Resolve(StageInput input, IStage stage, Recipe recipe, StudyServices services,
        Dictionary<string, PlannedStage> earlier, Dictionary<string, string> fingerprints)
    {
        string name = input.Name ?? recipe.Model ?? throw new BadInputException($"stage '{stage.Name}' starts from the study's model, and the recipe names none: give 'model'");
        bool isStage = input.Kind != InputKind.File && input.Name != null;
        if (isStage && earlier.TryGetValue(name, out PlannedStage? source))
            return new(input.Key, input.Name, source.Key.Value, null, $"stage {source.Key.Value}");
        if (isStage && services.FindStage?.Invoke(name) is { } finished)
            return new(input.Key, input.Name, finished.Key, finished.Path, $"stage {finished.Key}");
        string? path = input.Kind switch
        {
            InputKind.Stage => File.Exists(name) ? name : null,
            InputKind.Model => services.FindModel(name),
            InputKind.File => Path.Exists(name) ? name : null,
            _ => null,
        };
        if (path == null)
            throw new BadInputException(input.Kind == InputKind.File
                ? $"stage '{stage.Name}', {input.Key}: no file '{name}'"
                : $"stage '{stage.Name}', {input.Key}: '{name}' is no earlier stage{(input.Kind == InputKind.Model ? " and no model" : "")}{Names.Hint(name, earlier.Keys, "earlier stages")}");
        if (!fingerprints.TryGetValue(path, out string? content))
            fingerprints[path] = content = Path.Exists(path) ? Fingerprint.OfPath(path) : path; // what lies on a server is known by its address
        return new(input.Key, input.Name, null, path, $"content {content}");
    }
}

/// <summary>A stage that is about to run or has run.</summary>
public sealed record PlannedStage(IStage Stage, string Kind, StageKey Key, ulong Seed, IReadOnlyList<PlannedInput> Inputs);

/// <param name="Setting">Path of the setting.</param>
/// <param name="Name">Its value; null is the study's model.</param>
/// <param name="StageKey">Key of the stage it names, else null.</param>
/// <param name="Path">Where a model, a file or a finished stage outside the study lies; null for a stage of the study.</param>
/// <param name="Identity">What takes part in the key.</param>
public sealed record PlannedInput(string Setting, string? Name, string? StageKey, string? Path, string Identity)
{
    /// <summary>Folder of the stage it names; null for a model or a file.</summary>
    internal StageFolder? FolderIn(RunsFolder runs) => StageKey == null ? null : Path == null ? runs.Stage(StageKey) : new StageFolder(Path);
}
