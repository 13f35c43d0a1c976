using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>
/// Reads recipes strictly. Everything that is wrong with a file is told in one <see cref="Engine.BadInputException"/>: file, line,
/// path such as <c>stages[4].dpo.beta</c>, and the nearest valid name.
/// </summary>
/// <param name="table">The stages there are.</param>
/// <param name="names">What the header may name; what is left null is not checked.</param>
public sealed class RecipeReader(StageTable table, RecipeNames? names = null)
{
    private static readonly Dictionary<string, string> NothingSet = [];

    /// <param name="set">Values for variables that the recipe declares, from the command line.</param>
    public Recipe ReadFile(string path, IReadOnlyDictionary<string, string>? set = null) => Read(RecipeParser.ReadText(path), path, set);

    /// <param name="yaml">The text of a recipe.</param>
    /// <param name="file">What error messages call it.</param>
    /// <param name="set">Values for variables that the recipe declares.</param>
    public Recipe Read(string yaml, string file, IReadOnlyDictionary<string, string>? set = null)
    {
        RecipeErrors errors = new(file);
        RecipeNode root = RecipeParser.Parse(yaml, file, errors);
        Binder binder = new(table, errors);
        if (root is MapNode map)
            root = Variables.Substitute(map, set ?? NothingSet, errors);
        Recipe? recipe = binder.Bind(root, typeof(Recipe), "") as Recipe;
        CheckStages(binder, errors);
        if (recipe != null)
            CheckHeader(recipe, binder, errors);
        errors.ThrowIfAny();
        return recipe!;
    }

    private void CheckStages(Binder binder, RecipeErrors errors)
    {
        Dictionary<string, string> earlier = new(StringComparer.Ordinal);
        foreach ((IStage? stage, string? name, string path) in binder.Stages)
        {
            if (stage != null)
                CheckStage(stage, path, earlier.Keys, binder, errors);
            if (name != null && !earlier.TryAdd(name, path))
                errors.Add(binder.LineOf($"{path}.name"), $"{path}.name", $"the name '{Names.Shorten(name)}' is already that of {earlier[name]}; names are unique");
        }
    }

    private void CheckStage(IStage stage, string path, IReadOnlyCollection<string> earlier, Binder binder, RecipeErrors errors)
    {
        void Add(string key, string message) => errors.Add(binder.LineOf($"{path}.{key}"), $"{path}.{key}", message);

        if (Names.FolderNameProblem(stage.Name) is { } bad)
            Add("name", $"'{Names.Shorten(stage.Name)}' cannot be a name: {bad}");
        foreach (StageProblem problem in stage.Problems())
            Add(problem.Key, problem.Message);
        foreach ((string key, string? name, InputKind kind) in stage.Inputs)
            if (name != null && kind != InputKind.File && (earlier.Contains(name) || names?.IsStage?.Invoke(name) == true))
                continue;
            else if (name != null && kind == InputKind.Stage && !File.Exists(name))
                Add(key, $"no earlier stage is named '{Names.Shorten(name)}'{Names.Hint(name, earlier, "earlier stages")}");
            else if (name != null && kind == InputKind.Model && names?.IsModel is { } isModel && !isModel(name))
                Add(key, $"'{Names.Shorten(name)}' is neither an earlier stage nor a model{Names.Hint(name, earlier, "earlier stages")}");
            else if (name != null && kind == InputKind.File && !Path.Exists(name))
                Add(key, $"no file '{Names.Shorten(name)}' (paths are relative to the working folder)");
    }

    private void CheckHeader(Recipe recipe, Binder binder, RecipeErrors errors)
    {
        void Add(string key, string message) => errors.Add(binder.LineOf(key), key, message);

        if (Names.FolderNameProblem(recipe.Study) is { } bad)
            Add("study", $"'{Names.Shorten(recipe.Study)}' cannot be a name: {bad}");
        if (recipe.Stages.Count == 0)
            Add("stages", "a study has at least one stage");
        if (recipe is { World: not null, Data: not null })
            Add("data", "give either 'world' or 'data', not both");
        if (recipe.World is { } world && names?.Worlds is { } worlds && !worlds.Contains(world))
            Add("world", $"unknown world '{Names.Shorten(world)}'{Names.Hint(world, worlds, "worlds")}");
        if (recipe.Model is { } model && names?.IsModel is { } isModel && !isModel(model))
            Add("model", $"no model '{Names.Shorten(model)}': give a folder, a GGUF file, a hub id or a built-in name");
        string scheme = BackendScheme.Of(recipe.Backend);
        if (names?.Backends is { } backends && !backends.Contains(scheme))
            Add("backend", $"unknown backend '{Names.Shorten(scheme)}'{Names.Hint(scheme, backends, "backends")}");
        IStage? needsWorld = recipe is { World: null, Data: null } ? recipe.Stages.FirstOrDefault(s => s.Uses.HasFlag(StageUses.World)) : null;
        if (needsWorld != null)
            Add("world", $"missing key 'world' (or 'data'): stage '{needsWorld.Name}' reads it");
        IStage? needsModel = recipe.Model == null ? recipe.Stages.FirstOrDefault(s => s.Inputs.Any(i => i is { Kind: InputKind.Model, Name: null })) : null;
        if (needsModel != null)
            Add("model", $"missing key 'model': stage '{needsModel.Name}' starts from it");
    }
}

/// <summary>Names that a recipe may use, known to the front door.</summary>
/// <param name="Worlds">Names of worlds.</param>
/// <param name="Backends">URI schemes.</param>
/// <param name="IsModel">Whether a folder, file, hub id or name is a model that can be opened.</param>
/// <param name="IsStage">Whether a text such as <c>study/stage</c> is a finished stage of another study.</param>
public sealed record RecipeNames(IReadOnlyCollection<string>? Worlds = null, IReadOnlyCollection<string>? Backends = null, Func<string, bool>? IsModel = null,
    Func<string, bool>? IsStage = null);

/// <summary>What stands before the first colon of a backend: the key of its factory.</summary>
public static class BackendScheme
{
    public static string Of(string backend)
    {
        int colon = backend.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? backend : backend[..colon];
    }
}
