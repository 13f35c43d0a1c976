using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Paddock.Backends.Embedded;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Worlds;

namespace Paddock.Tests.Docs;

/// <summary>
/// Parts of pages that restate the code, between <c>generated</c> and <c>end</c> comments. The test holds them equal to the code; with
/// UPDATE_DOCS=1 in the environment it writes them anew first.
/// </summary>
public sealed partial class GeneratedPagesTests
{
    private static readonly Dictionary<string, Func<string>> Parts = new(StringComparer.Ordinal)
    {
        ["header"] = () => Table(typeof(Recipe)),
        ["data"] = () => Table(typeof(DataFiles)),
        ["stages"] = Stages,
        ["lora"] = () => Table(typeof(LoraSettings)),
        ["select"] = () => Table(typeof(SelectSettings)),
        ["system"] = () => Table(typeof(SystemSettings)),
        ["new-model"] = () => Table(typeof(NewModelSettings)),
        ["kinds"] = Kinds,
        ["authors"] = Authors,
        ["utility"] = Utility,
        ["splits"] = Splits,
        ["annotators"] = () => string.Join(", ", MeadowAnnotator.Names.Where(name => !name.Contains('/', StringComparison.Ordinal)).Select(name => $"`{name}`")) + ".",
    };

    [GeneratedRegex(@"(?<=<!-- generated: (?<name>[a-z-]+) -->\n).*?(?=<!-- end: \k<name> -->)", RegexOptions.Singleline)]
    private static partial Regex Block { get; }

    [Theory]
    [InlineData("docs/recipes.md", "header data stages lora select system new-model")]
    [InlineData("docs/world.md", "kinds authors utility annotators splits")]
    public void What_a_page_restates_is_what_the_code_says(string page, string parts)
    {
        string text = Repository.Read(page);
        string expected = Block.Replace(text, match => $"\n{Parts[match.Groups["name"].Value]().TrimEnd()}\n\n");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
            File.WriteAllText(Repository.PathOf(page), text = expected);
        Assert.Equal(parts.Split(' '), Block.Matches(text).Select(match => match.Groups["name"].Value));
        Assert.True(text == expected, $"{page} no longer says what the code says; run UPDATE_DOCS=1 dotnet test tests/Paddock.Tests --filter GeneratedPages");
    }

    [Fact]
    public void The_settings_that_a_page_shows_are_those_a_recipe_takes()
    {
        foreach (string kind in StageCatalog.Table.Kinds)
            Assert.Equal(StageCatalog.Table.KeysOf(kind).Select(key => key.Key), SettingDocs.Keys(StageCatalog.Table.TypeOf(kind)!).Select(row => row.Key));
    }

    [Fact]
    public void The_example_of_the_page_is_a_recipe()
    {
        Recipe recipe = new RecipeReader(StageCatalog.Table).Read(string.Join('\n', Markdown.FenceBelow(Repository.Read("docs/recipes.md"), "# Recipes")), "docs/recipes.md");
        Assert.Equal(["sft", "pairs", "preferences", "dpo", "evaluation"], recipe.Stages.Select(stage => stage.Name));
        Assert.Equal("meadow-base", recipe.Model);
    }

    [Fact]
    public void The_readme_tells_how_many_evaluation_prompts_stand_in_the_demonstrations()
    {
        MeadowWorld world = new();
        Assert.Contains($"{world.EvaluationOverlap["sft"]} of the {world.Prompts("evaluation").Count} evaluation prompts", Repository.Read("README.md"), StringComparison.Ordinal);
    }

    private static string Table(Type record) =>
        $"| key | value | default | meaning |\n|---|---|---|---|\n{string.Concat(SettingDocs.Keys(record).Select(row => row + "\n"))}";

    private static string Stages()
    {
        StringBuilder text = new();
        foreach (string kind in StageCatalog.Table.Kinds)
        {
            Type type = StageCatalog.Table.TypeOf(kind)!;
            text.Append($"### `{kind}`\n\n{SettingDocs.Summary(type)}\n\n{Table(type)}\n");
        }
        return text.ToString();
    }

    // the first instruction of each kind that the evaluation split asks
    private static string Kinds()
    {
        MeadowTask[] tasks = [.. new MeadowWorld().Prompts("evaluation").Select(prompt => MeadowTask.Parse(prompt.Instruction)!)];
        StringBuilder text = new("| kind | share | an instruction | right |\n|---|---|---|---|\n");
        foreach (MeadowKind kind in MeadowKinds.All)
        {
            MeadowTask task = tasks.First(t => t.Kind == kind && !t.Harmful && !t.Unanswerable);
            string right = task.Kind == MeadowKind.List ? $"any {task.K} of that category" : string.Join(' ', task.Gold);
            text.Append($"| {kind.Name()} | {Number(MeadowKinds.Probabilities[(int)kind])} | {task.Instruction} | {right} |\n");
        }
        return text.ToString();
    }

    private static string Authors()
    {
        StringBuilder text = new("| author | wrong | complies with harm | fabricates | refuses without need | pretraining | demonstrations | reference |\n|---|---|---|---|---|---|---|---|\n");
        for (int i = 0; i < MeadowAuthor.All.Count; i++)
        {
            MeadowAuthor author = MeadowAuthor.All[i];
            string shares = string.Join(" | ", new[] { MeadowMixture.Raw, MeadowMixture.Demo, MeadowMixture.Reference }.Select(mixture => Number(mixture.Shares[i] / mixture.Shares.Sum())));
            text.Append($"| {author.Name} | {Number(author.Error)} | {Number(author.Harm)} | {Number(author.Fabricate)} | {Number(author.Over)} | {shares} |\n");
        }
        return text.ToString();
    }

    private static string Utility()
    {
        StringBuilder text = new("    U =");
        for (int i = 0; i < MeadowFeatures.Count; i++)
            if (MeadowWeights.Gold[i] is not 0 and var weight)
                text.Append(text.Length == 7 && weight > 0 ? " " : weight > 0 ? " + " : " - ").Append(Number(Math.Abs(weight))).Append(' ').Append(MeadowFeatures.Names[i]);
        return text.Append('\n').ToString();
    }

    private static string Splits()
    {
        MeadowWorld world = new();
        StringBuilder text = new($"| split | prompts | evaluation prompts that are in it word for word (of {world.Prompts("evaluation").Count}) |\n|---|---|---|\n");
        foreach (string split in world.Splits)
            text.Append($"| {split} | {world.Prompts(split).Count} | {(world.EvaluationOverlap.TryGetValue(split, out int overlap) ? overlap : "")} |\n");
        return text.ToString();
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
