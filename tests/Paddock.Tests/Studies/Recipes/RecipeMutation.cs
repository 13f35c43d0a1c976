using Paddock.Engine;
using Paddock.Studies;
using Paddock.Studies.Recipes;

namespace Paddock.Tests.Studies.Recipes;

/// <summary>
/// Renames, duplicates and deletes every key of a recipe, one at a time. A renamed or duplicated key, and a deleted one that is required, must give an
/// error that names it; a deleted key with a default may only be missed by an error that is about the recipe.
/// </summary>
internal static class RecipeMutation
{
    /// <summary>What went wrong, one line a mutation; and how many were tried.</summary>
    public static (int Tried, IReadOnlyList<string> Failures) Check(string yaml, RecipeReader reader, StageTable table)
    {
        List<string> failures = [];
        int tried = 0;
        MapNode root = (MapNode)RecipeParser.Parse(yaml, "recipe", new RecipeErrors("recipe"));
        foreach ((string what, MapNode mutant, string key, bool mustFail) in Map(root, typeof(Recipe), table))
        {
            tried++;
            string? message = MessageOf(() => reader.Read(YamlWriter.Write(mutant), "mutant"));
            if (mustFail ? message?.Contains($"'{key}'", StringComparison.Ordinal) != true : message == "")
                failures.Add($"{what}: {message ?? "accepted"}");
        }
        return (tried, failures);
    }

    private static string? MessageOf(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (BadInputException e)
        {
            return e.Message;
        }
    }

    private static IEnumerable<(string What, MapNode Mutant, string Key, bool MustFail)> Map(MapNode map, Type type, StageTable table)
    {
        Type? mapValue = Collections.MapOf(type)?.Value;
        bool isStage = type == typeof(IStage);
        SettingParameter[] known = mapValue == null && !isStage ? [.. RecordShape.Of(type).AllParameters()] : [];
        for (int i = 0; i < map.Entries.Count; i++)
        {
            MapEntry entry = map.Entries[i];
            SettingParameter? parameter = known.FirstOrDefault(p => p.Key == entry.Key);
            MapEntry renamed = entry with { Key = entry.Key + "x" };
            yield return ($"rename {entry.Key}", With(map, i, renamed), mapValue == null ? renamed.Key : entry.Key, mapValue == null);
            yield return ($"duplicate {entry.Key}", With(map, i, entry, entry), entry.Key, true);
            yield return ($"delete {entry.Key}", With(map, i), entry.Key, parameter?.Required == true);
            Type below = isStage ? table.TypeOf(entry.Key)! : mapValue ?? parameter!.Type;
            foreach ((string what, RecipeNode mutant, string key, bool mustFail) in Node(entry.Value, below, table))
                yield return ($"{entry.Key}: {what}", With(map, i, entry with { Value = mutant }), key, mustFail);
        }
    }

    private static IEnumerable<(string What, RecipeNode Mutant, string Key, bool MustFail)> Node(RecipeNode node, Type type, StageTable table)
    {
        if (node is MapNode map)
            foreach ((string what, MapNode mutant, string key, bool mustFail) in Map(map, type, table))
                yield return (what, mutant, key, mustFail);
        if (node is ListNode list && Collections.ElementOf(type) is { } element)
            for (int i = 0; i < list.Items.Count; i++)
                foreach ((string what, RecipeNode mutant, string key, bool mustFail) in Node(list.Items[i], element, table))
                    yield return ($"[{i}] {what}", list with { Items = [.. list.Items.Select((item, at) => at == i ? mutant : item)] }, key, mustFail);
    }

    private static MapNode With(MapNode map, int at, params MapEntry[] entries) =>
        map with { Entries = [.. map.Entries.Take(at), .. entries, .. map.Entries.Skip(at + 1)] };
}

public class RecipeMutationTests
{
    [Fact]
    public void Every_mutation_of_a_recipe_is_caught_and_named()
    {
        string yaml = StudyBench.Recipe.Replace("steps: 12", "steps: 12, learning-rate: 1e-3, limits: {tokens: 5}", StringComparison.Ordinal) + "\nvariables: {a: b}\n";
        (int tried, IReadOnlyList<string> failures) = RecipeMutation.Check(yaml, new RecipeReader(StudyBench.Table), StudyBench.Table);
        Assert.Empty(failures);
        Assert.Equal(3 * 31, tried);
    }

    [Fact]
    public void The_check_sees_what_is_not_caught()
    {
        StageTable seeing = new(new Dictionary<string, Type> { ["rows"] = typeof(RowsStage) });
        StageTable blind = new(new Dictionary<string, Type> { ["probe"] = typeof(ProbeStage) });
        const string Yaml = "study: s\nseed: 1\nworld: tiny\nstages:\n  - rows: {name: a}\n";
        Assert.Empty(RecipeMutation.Check(Yaml, new RecipeReader(seeing), seeing).Failures);
        Assert.Contains(RecipeMutation.Check(Yaml, new RecipeReader(blind), seeing).Failures, f => f.Contains("rename name", StringComparison.Ordinal));
    }
}

public class NamesTests
{
    [Theory]
    [InlineData("LearningRate", "learning-rate")]
    [InlineData("TopP", "top-p")]
    [InlineData("N", "n")]
    [InlineData("KLCoefficient", "kl-coefficient")]
    [InlineData("Utf8Rows", "utf8-rows")]
    [InlineData("MinP2", "min-p2")]
    public void Parameters_are_spelled_with_hyphens(string parameter, string key) => Assert.Equal(key, Names.Kebab(parameter));

    [Theory]
    [InlineData("bta", "beta")]
    [InlineData("tempreature", "temperature")]
    [InlineData("max_tokens", "max-tokens")]
    [InlineData("MAX-TOKENS", "max-tokens")]
    [InlineData("x", null)]
    [InlineData("zebra", null)]
    public void The_nearest_name_is_close_or_none(string written, string? meant) => Assert.Equal(meant, Names.Nearest(written, ["beta", "temperature", "max-tokens", "n"]));

    [Fact]
    public void Keys_are_unique_within_every_stage()
    {
        foreach (string kind in StudyBench.Table.Kinds)
            Assert.Distinct(StudyBench.Table.KeysOf(kind).Select(k => k.Key));
    }
}
