using System.Text;
using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Cli.Models;

/// <summary>Writes the options of a stage verb as the recipe they stand for, so that reading, checking and messages are those of recipes.</summary>
internal static class StageYaml
{
    private const string ListOf = "list of ", MapOf = "map to ", Keys = "map of keys";

    /// <summary>What an option takes, for help texts.</summary>
    public static string Describe(SettingKey key)
    {
        string takes = key.Type switch
        {
            Keys => "key=value,... or YAML such as {rank: 8}",
            MapOf + Keys => "name=policy[:rerank[:n]],... or YAML",
            _ when key.Type.StartsWith(ListOf, StringComparison.Ordinal) => $"{key.Type}, separated by commas",
            _ when key.Type.StartsWith(MapOf, StringComparison.Ordinal) => $"name=value,... ({key.Type})",
            _ => key.Type,
        };
        return key.Default switch
        {
            null => $"{takes}; required",
            "null" => $"{takes}; optional",
            var value => $"{takes}; default {value}",
        };
    }

    /// <summary>The value of one key as YAML on one line.</summary>
    public static string Value(SettingKey key, IReadOnlyList<string> given)
    {
        string text = string.Join(',', given);
        bool isMap = key.Type == Keys || key.Type.StartsWith(MapOf, StringComparison.Ordinal);
        if (isMap && text.StartsWith('{') && !text.AsSpan().ContainsAny('\n', '\r'))
            return text;
        if (isMap)
            return Map(key, text);
        return key.Type.StartsWith(ListOf, StringComparison.Ordinal) ? $"[{string.Join(", ", Parts(text).Select(Quote))}]"
            : text == "null" && key.Default == "null" ? "null"
            : Quote(text);
    }

    /// <summary>Text as a YAML scalar that reads back as exactly this text.</summary>
    public static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text.Replace("${", "$${", StringComparison.Ordinal))
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                < ' ' or '\u007F' or '\u0085' or '\u2028' or '\u2029' or '\uFEFF' => quoted.Append($"\\u{(int)c:X4}"),
                _ => quoted.Append(c),
            };
        return quoted.Append('"').ToString();
    }

    private static string Map(SettingKey key, string text)
    {
        List<string> entries = [];
        foreach (string part in Parts(text))
        {
            int at = part.IndexOf('=', StringComparison.Ordinal);
            if (at < 1 || at == part.Length - 1)
                throw new BadInputException($"--{key.Key}: expected name=value,... and found '{part}'");
            entries.Add($"{Quote(part[..at].Trim())}: {(key.Type == MapOf + Keys ? System(part[(at + 1)..]) : Quote(part[(at + 1)..]))}");
        }
        return $"{{{string.Join(", ", entries)}}}";
    }

    // a compared system: policy, policy:rerank:n
    private static string System(string text) => text.Split(':') switch
    {
        [var policy] => $"{{policy: {Quote(policy)}}}",
        [var policy, var rerank] => $"{{policy: {Quote(policy)}, rerank: {Quote(rerank)}}}",
        [var policy, var rerank, var n] => $"{{policy: {Quote(policy)}, rerank: {Quote(rerank)}, n: {Quote(n)}}}",
        _ => throw new BadInputException($"--systems: expected policy, policy:rerank or policy:rerank:n and found '{text}'"),
    };

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
