using System.Text;

namespace Paddock.Studies.Recipes;

/// <summary>Nodes to YAML that <see cref="RecipeParser"/> reads back as the same nodes: block style, text quoted where it must be.</summary>
internal static class YamlWriter
{
    public static string Write(MapNode root)
    {
        StringBuilder yaml = new();
        Map(yaml, root, 0);
        return yaml.ToString();
    }

    private static void Map(StringBuilder yaml, MapNode map, int indent)
    {
        for (int i = 0; i < map.Entries.Count; i++)
        {
            yaml.Append(' ', i == 0 && yaml is [.., ' '] ? 0 : indent);
            yaml.Append(Text(map.Entries[i].Key)).Append(':');
            Below(yaml, map.Entries[i].Value, indent + 2);
        }
    }

    private static void Below(StringBuilder yaml, RecipeNode node, int indent)
    {
        switch (node)
        {
            case ScalarNode scalar:
                yaml.Append(' ').Append(scalar.Plain ? scalar.Value : Text(scalar.Value)).Append('\n');
                break;
            case MapNode { Entries.Count: 0 }:
                yaml.Append(" {}\n");
                break;
            case ListNode { Items.Count: 0 }:
                yaml.Append(" []\n");
                break;
            case MapNode map:
                yaml.Append('\n');
                Map(yaml, map, indent);
                break;
            case ListNode list:
                yaml.Append('\n');
                foreach (RecipeNode item in list.Items)
                    Item(yaml, item, indent);
                break;
        }
    }

    private static void Item(StringBuilder yaml, RecipeNode item, int indent)
    {
        yaml.Append(' ', indent).Append('-');
        if (item is MapNode { Entries.Count: > 0 } map)
        {
            yaml.Append(' ');
            Map(yaml, map, indent + 2);
        }
        else
            Below(yaml, item, indent + 2);
    }

    private static string Text(string text) => IsSafe(text) ? text : Quote(text);

    private static bool IsSafe(string text)
    {
        if (text.Length == 0 || text.Length > 200 || !(char.IsAsciiLetterOrDigit(text[0]) || text[0] is '/' or '.' or '_') || text[^1] == ' ')
            return false;
        foreach (char c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or '/' or ' ' or '+'))
                return false;
        return text.ToLowerInvariant() is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off" or "...") && !char.IsAsciiDigit(text[0]);
    }

    private static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                < ' ' or (>= '\x7f' and <= '\xa0') or '\u2028' or '\u2029' or '\ufeff' => quoted.Append($"\\u{(int)c:X4}"),
                _ => quoted.Append(c),
            };
        return quoted.Append('"').ToString();
    }
}
