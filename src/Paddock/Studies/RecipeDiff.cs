using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>A setting that two recipes do not share.</summary>
/// <param name="Path">Such as <c>stages.dpo.beta</c>: a stage by its name.</param>
/// <param name="First">Null where the first recipe has no such setting.</param>
public sealed record SettingDifference(string Path, string? First, string? Second);

/// <summary>What differs between two recipes that are written out with all defaults.</summary>
public static class RecipeDiff
{
    /// <summary>In the order of the first recipe, then what only the second has.</summary>
    public static IReadOnlyList<SettingDifference> Of(string first, string second)
    {
        List<(string Path, string Value)> a = Settings(first), b = Settings(second);
        Dictionary<string, string> ofFirst = Dictionary(a), ofSecond = Dictionary(b);
        List<SettingDifference> differences = [];
        foreach ((string path, string value) in a)
            if (ofSecond.GetValueOrDefault(path) is var other && other != value)
                differences.Add(new(path, value, other));
        foreach ((string path, string value) in b)
            if (!ofFirst.ContainsKey(path))
                differences.Add(new(path, null, value));
        return differences;
    }

    private static Dictionary<string, string> Dictionary(List<(string Path, string Value)> settings)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach ((string path, string value) in settings)
            values[path] = value;
        return values;
    }

    private static List<(string Path, string Value)> Settings(string yaml)
    {
        RecipeErrors errors = new("study.yaml");
        RecipeNode root = RecipeParser.Parse(yaml, "study.yaml", errors);
        errors.ThrowIfAny();
        List<(string, string)> settings = [];
        Flatten(root, "", settings);
        return settings;
    }

    private static void Flatten(RecipeNode node, string path, List<(string, string)> settings)
    {
        switch (node)
        {
            case ScalarNode scalar:
                settings.Add((path, scalar.IsNull ? "null" : scalar.Value));
                break;
            case MapNode map:
                foreach (MapEntry entry in map.Entries)
                    Flatten(entry.Value, path.Length == 0 ? entry.Key : $"{path}.{entry.Key}", settings);
                break;
            case ListNode list when list.Items.All(item => item is ScalarNode):
                settings.Add((path, string.Join(", ", list.Items.Cast<ScalarNode>().Select(item => item.Value))));
                break;
            case ListNode list:
                for (int i = 0; i < list.Items.Count; i++)
                    if (Stage(list.Items[i]) is { } stage)
                    {
                        settings.Add(($"{path}.{stage.Name}", stage.Kind));
                        Flatten(stage.Settings, $"{path}.{stage.Name}", settings);
                    }
                    else
                        Flatten(list.Items[i], $"{path}[{i}]", settings);
                break;
        }
    }

    // a map with one key, the kind, whose settings have a name
    private static (string Name, string Kind, MapNode Settings)? Stage(RecipeNode node) =>
        node is MapNode { Entries: [{ Value: MapNode settings, Key: var kind }] } && settings.Entries.FirstOrDefault(e => e.Key == "name")?.Value is ScalarNode name
            ? (name.Value, kind, settings with { Entries = [.. settings.Entries.Where(e => e.Key != "name")] })
            : null;
}
