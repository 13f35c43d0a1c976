using Paddock.Data;
using Paddock.Engine;
using Paddock.Studies.Recipes;
using Paddock.Worlds;

namespace Paddock.Studies;

/// <summary>
/// Reads recipes strictly. Everything that is wrong with a file is told in one <see cref="BadInputException"/>: file, line,
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
        CheckStages(binder, OpenWorld(recipe ?? HeaderOf(root, file), binder, errors), errors);
        if (recipe != null)
            CheckHeader(recipe, binder, errors);
        errors.ThrowIfAny();
        return recipe!;
    }

    // the header of a recipe with mistakes in its stages, so that what depends on the world is told together with them; its own mistakes are told already
    private Recipe? HeaderOf(RecipeNode root, string file) => root is not MapNode map
        ? null
        : new Binder(table, new RecipeErrors(file)).Bind(map with { Entries = [.. map.Entries.Where(e => e.Key != "stages"), new MapEntry("stages", new ListNode([], 0), 0)] }, typeof(Recipe), "") as Recipe;

    private IWorld? OpenWorld(Recipe? header, Binder binder, RecipeErrors errors)
    {
        if (header == null || names?.OpenWorld is not { } open || header is { World: not null, Data: not null } || (header.World is { } world && names.Worlds?.Contains(world) == false))
            return null;
        bool complete = true;
        if (header.Data is { } data)
            foreach (MapEntry entry in SettingsTree.Of(data, table).Entries)
                if (entry.Value is ScalarNode { IsNull: false, Value: var path } && CannotBeRead(path) is { } problem)
                {
                    errors.Add(binder.LineOf($"data.{entry.Key}"), $"data.{entry.Key}", problem);
                    complete = false;
                }
        return complete ? open(header) : null;
    }

    private static string? CannotBeRead(string path)
    {
        try
        {
            DataFormat.Detect(path);
            return null;
        }
        catch (BadInputException e)
        {
            return e.Message;
        }
    }

    private void CheckStages(Binder binder, IWorld? world, RecipeErrors errors)
    {
        Dictionary<string, string> earlier = new(StringComparer.Ordinal);
        Dictionary<string, IStage> bound = new(StringComparer.Ordinal);
        StageChecks checks = new(world, bound);
        foreach ((IStage? stage, string? name, string path) in binder.Stages)
        {
            if (stage != null)
                CheckStage(stage, path, earlier.Keys, bound, checks, binder, errors);
            if (name != null && !earlier.TryAdd(name, path))
                errors.Add(binder.LineOf($"{path}.name"), $"{path}.name", $"the name '{Names.Shorten(name)}' is already that of {earlier[name]}; names are unique");
            else if (stage != null)
                bound.Add(stage.Name, stage);
        }
    }

    private void CheckStage(IStage stage, string path, IReadOnlyCollection<string> earlier, Dictionary<string, IStage> bound, StageChecks checks, Binder binder, RecipeErrors errors)
    {
        void Add(string key, string message) => errors.Add(binder.LineOf($"{path}.{key}"), $"{path}.{key}", message);

        if (Names.FolderNameProblem(stage.Name) is { } bad)
            Add("name", $"'{Names.Shorten(stage.Name)}' cannot be a name: {bad}");
        foreach (StageProblem problem in stage.Problems(checks))
            Add(problem.Key, problem.Message);
        foreach (StageInput input in stage.Inputs)
            if (input.Name is { } name && InputProblem(input, name, earlier, bound) is { } wrong)
                Add(input.Key, wrong);
    }

    // null when the name stands for something, of the kind that is wanted
    private string? InputProblem(StageInput input, string name, IReadOnlyCollection<string> earlier, Dictionary<string, IStage> bound)
    {
        StageProduct wants = input.Wants;
        if (input.Kind == InputKind.File)
            return Path.Exists(name) ? null : $"no file '{Names.Shorten(name)}' (paths are relative to the working folder)";
        if (earlier.Contains(name))
            return bound.TryGetValue(name, out IStage? source) ? WrongProduct(name, StageTable.ProductOf(source.GetType()), wants, bound) : null;
        if (FindStage(name, out string? unfinished) is { } finished)
            return WrongProduct(name, table.ProductOf(finished.ReadDescription()?.Kind), wants, bound);
        if (unfinished != null)
            return unfinished;
        if (input.Kind == InputKind.Stage)
            return !File.Exists(name) ? $"no earlier stage is named '{Names.Shorten(name)}'{Names.Hint(name, earlier, "earlier stages")}"
                : wants == StageProduct.Preferences ? WrongFile(name)
                : null;
        if (names?.IsModel is { } isModel && !isModel(name))
            return $"'{Names.Shorten(name)}' is neither an earlier stage nor a model{Names.Hint(name, earlier, "earlier stages")}";
        return names?.ProductOfModel?.Invoke(name) is { } model && Unfit(model, wants) ? $"model '{Names.Shorten(name)}' is {model.Describe()} where {wants.Describe()} is needed" : null;
    }

    private static bool Unfit(StageProduct makes, StageProduct wants) => makes != StageProduct.Unknown && wants != StageProduct.Unknown && (makes & wants) == 0;

    private StageFolder? FindStage(string name, out string? problem)
    {
        problem = null;
        try
        {
            return names?.FindStage?.Invoke(name);
        }
        catch (BadInputException e)
        {
            problem = e.Message;
            return null;
        }
    }

    private static string? WrongProduct(string name, StageProduct makes, StageProduct wants, Dictionary<string, IStage> bound)
    {
        if (!Unfit(makes, wants))
            return null;
        string[] fit = [.. bound.Where(b => (StageTable.ProductOf(b.Value.GetType()) & wants) != 0).Select(b => b.Key)];
        return $"'{Names.Shorten(name)}' makes {makes.Describe()} where {wants.Describe()} {((wants & (StageProduct.Preferences | StageProduct.Answers)) != 0 ? "are" : "is")} needed"
            + (fit.Length == 0 ? $"; there are no {wants.Plural()} before it" : $"; {wants.Plural()}: {string.Join(", ", fit)}");
    }

    private static string? WrongFile(string path)
    {
        try
        {
            return DataFormat.Detect(path) is DataFormat.Preference or DataFormat.HhPairs or DataFormat.AlpacaEvalAnnotations ? null
                : $"{path}: holds {DataFormat.Detect(path)} rows where preferences are needed; expected the fields chosen and rejected, or output_1, output_2 and preference";
        }
        catch (BadInputException e)
        {
            return e.Message;
        }
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
        if (recipe.Model is { } started && names?.ProductOfModel?.Invoke(started) is { } product
            && recipe.Stages.FirstOrDefault(s => s.Inputs.Any(i => i is { Kind: InputKind.Model, Name: null } && Unfit(product, i.Wants))) is { } unfit)
            Add("model", $"'{Names.Shorten(started)}' is {product.Describe()}, and stage '{unfit.Name}' cannot start from it");
        IStage? needsModel = recipe.Model == null ? recipe.Stages.FirstOrDefault(s => s.Inputs.Any(i => i is { Kind: InputKind.Model, Name: null })) : null;
        if (needsModel != null)
            Add("model", $"missing key 'model': stage '{needsModel.Name}' starts from it");
    }
}

/// <summary>Names that a recipe may use, known to the front door.</summary>
/// <param name="Worlds">Names of worlds.</param>
/// <param name="Backends">URI schemes.</param>
/// <param name="IsModel">Whether a folder, file, hub id or name is a model that can be opened.</param>
/// <param name="FindStage">The finished stage of another study that a text such as <c>study/stage</c> names, or null.</param>
/// <param name="OpenWorld">The world of a recipe, to check splits and annotators with; only the header of the recipe counts.</param>
/// <param name="ProductOfModel">Whether a model from outside is a policy or a reward model.</param>
public sealed record RecipeNames(IReadOnlyCollection<string>? Worlds = null, IReadOnlyCollection<string>? Backends = null, Func<string, bool>? IsModel = null,
    Func<string, StageFolder?>? FindStage = null, Func<Recipe, IWorld?>? OpenWorld = null, Func<string, StageProduct>? ProductOfModel = null);

/// <summary>What stands before the first colon of a backend: the key of its factory.</summary>
public static class BackendScheme
{
    public static string Of(string backend)
    {
        int colon = backend.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? backend : backend[..colon];
    }
}
