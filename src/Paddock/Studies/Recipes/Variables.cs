using System.Text.RegularExpressions;

namespace Paddock.Studies.Recipes;

/// <summary>
/// <c>${name}</c> in any value of a recipe stands for the variable of that name; <c>$${</c> is a literal <c>${</c>. Values come from
/// <c>variables:</c> in the recipe and may be replaced on the command line, but only those that the recipe declares.
/// </summary>
internal static partial class Variables
{
    private const string VariablesKey = "variables";

    [GeneratedRegex(@"\$?\$\{([^}]*)\}?")]
    private static partial Regex Uses { get; }

    /// <summary>Makes every <c>${</c> outside <c>variables:</c> stand for itself.</summary>
    public static MapNode Escape(MapNode root) =>
        root with { Entries = [.. root.Entries.Select(e => e.Key == VariablesKey ? e : e with { Value = Escape(e.Value) })] };

    private static RecipeNode Escape(RecipeNode node) => node switch
    {
        ScalarNode scalar => scalar with { Value = scalar.Value.Replace("${", "$${", StringComparison.Ordinal) },
        ListNode list => list with { Items = [.. list.Items.Select(Escape)] },
        MapNode map => map with { Entries = [.. map.Entries.Select(e => e with { Value = Escape(e.Value) })] },
        _ => node,
    };

    public static MapNode Substitute(MapNode root, IReadOnlyDictionary<string, string> set, RecipeErrors errors)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        if (root.Entries.FirstOrDefault(e => e.Key == VariablesKey)?.Value is MapNode declared)
            foreach (MapEntry entry in declared.Entries)
                if (entry.Value is ScalarNode scalar)
                    values[entry.Key] = scalar.Value;
        foreach ((string name, string value) in set)
            if (values.ContainsKey(name))
                values[name] = value;
            else
                errors.Add(0, "variables", $"no variable '{name}' to set{Names.Hint(name, values.Keys, "variables")}");
        return root with
        {
            Entries = [.. root.Entries.Select(e => e.Key == VariablesKey ? e with { Value = Declared(e.Value, values) } : e with { Value = Walk(e.Value, e.Key, values, errors) })],
        };
    }

    private static RecipeNode Declared(RecipeNode node, Dictionary<string, string> values) => node is MapNode map
        ? map with { Entries = [.. map.Entries.Select(e => e.Value is ScalarNode s && s.Value != values[e.Key] ? e with { Value = s with { Value = values[e.Key], Plain = false } } : e)] }
        : node;

    private static RecipeNode Walk(RecipeNode node, string path, Dictionary<string, string> values, RecipeErrors errors) => node switch
    {
        ScalarNode scalar => Replace(scalar, path, values, errors),
        ListNode list => list with { Items = [.. list.Items.Select((item, i) => Walk(item, $"{path}[{i}]", values, errors))] },
        MapNode map => map with { Entries = [.. map.Entries.Select(e => e with { Value = Walk(e.Value, $"{path}.{e.Key}", values, errors) })] },
        _ => node,
    };

    private static RecipeNode Replace(ScalarNode scalar, string path, Dictionary<string, string> values, RecipeErrors errors)
    {
        if (!scalar.Value.Contains("${", StringComparison.Ordinal))
            return scalar;
        bool broken = false;
        string replaced = Uses.Replace(scalar.Value, use =>
        {
            if (use.Value.StartsWith("$$", StringComparison.Ordinal))
                return use.Value[1..];
            string name = use.Groups[1].Value;
            if (!use.Value.EndsWith('}'))
                errors.Add(scalar.Line, path, "'${' without its '}'; write '$${' for the characters themselves");
            else if (values.TryGetValue(name, out string? value))
                return value;
            else
                errors.Add(scalar.Line, path, $"unknown variable '{Names.Shorten(name)}'{Names.Hint(name, values.Keys, "variables")}");
            broken = true;
            return "";
        });
        if (broken)
            return new BrokenNode(scalar.Line);
        return scalar with { Value = replaced, Plain = scalar.Plain && replaced == scalar.Value };
    }
}
