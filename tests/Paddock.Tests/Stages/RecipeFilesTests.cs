using Paddock.Data;
using Paddock.Engine;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Shared;
using Paddock.Tests.Studies.Recipes;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

/// <summary>Every recipe that ships: it binds, it can be planned, and no typo in it would go unseen.</summary>
public class RecipeFilesTests
{
    private static readonly string Folder = Path.Combine(SharedFolder.RepositoryRoot, "recipes");

    public static TheoryData<string> Recipes => [.. Directory.GetFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void There_are_recipes_and_nothing_else()
    {
        Assert.True(Recipes.Count > 0);
        Assert.All(Directory.GetFileSystemEntries(Folder), entry => Assert.EndsWith(".yaml", entry));
        Assert.Equal(Directory.GetFiles(Folder, "*.yaml").Length, Recipes.Count);
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void A_recipe_can_be_planned(string file)
    {
        string path = Path.Combine(Folder, file);
        Recipe recipe = new RecipeReader(StageCatalog.Table, new RecipeNames(["meadow"], ["embedded"])).ReadFile(path);
        Assert.Equal(Path.GetFileNameWithoutExtension(file), recipe.Study);
        Assert.Contains($"./paddock run recipes/{file}", File.ReadAllText(path));

        StudyPlan plan = StudyPlan.For(recipe, Services);
        Assert.Equal(recipe.Stages.Count, plan.Stages.Count);
        Assert.Distinct(plan.Stages.Select(s => s.Key.Value));
        Assert.Equal(plan.Stages.Select(s => s.Key.Value), StudyPlan.For(recipe, Services).Stages.Select(s => s.Key.Value));

        // and what a run writes down as its recipe plans the same stages
        Recipe resolved = new RecipeReader(StageCatalog.Table).Read(recipe.ToYaml(StageCatalog.Table), "resolved");
        Assert.Equal(plan.Stages.Select(s => s.Key.Value), StudyPlan.For(resolved, Services).Stages.Select(s => s.Key.Value));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void No_typo_in_a_recipe_goes_unseen(string file)
    {
        (int tried, IReadOnlyList<string> failures) = RecipeMutation.Check(File.ReadAllText(Path.Combine(Folder, file)), new RecipeReader(StageCatalog.Table), StageCatalog.Table);
        Assert.Empty(failures);
        Assert.True(tried >= 24, $"only {tried} mutations");
    }

    [Fact]
    public void Every_kind_of_stage_takes_keys_that_differ()
    {
        foreach (string kind in StageCatalog.Table.Kinds)
            Assert.Distinct(StageCatalog.Table.KeysOf(kind).Select(k => k.Key));
    }

    // a model is anything that is named, and files are not looked at
    private static StudyServices Services => new(StageCatalog.Table, new Dictionary<string, Func<BackendRequest, Paddock.Backends.ITrainingBackend>>(), name => $"model://{name}",
        _ => throw new NotSupportedException(), recipe => recipe.World == null ? recipe.Data == null ? null : new NamedWorld() : new MeadowWorld(), TimeProvider.System, MachineInfo.Describe(1));

    private sealed class NamedWorld : IWorld
    {
        public string Name => "files";

        public string Fingerprint => "content";

        public IReadOnlyList<string> Splits => [];

        public int MaxResponseTokens => 1;

        public IReadOnlyList<string> Annotators => [];

        public SplitContent Holds(string split) => throw new NotSupportedException();

        public IReadOnlyList<Prompt> Prompts(string split) => throw new NotSupportedException();

        public IReadOnlyList<Demonstration> Demonstrations(string split) => throw new NotSupportedException();

        public IReadOnlyList<Response> References(string split) => throw new NotSupportedException();

        public IReadOnlyList<Preference> Preferences(string split) => throw new NotSupportedException();

        public IReadOnlyDictionary<string, double> Measure(Prompt prompt, Response response) => throw new NotSupportedException();

        public IAnnotator Annotator(string name, AnnotatorOptions options) => throw new BadInputException(name);
    }
}
