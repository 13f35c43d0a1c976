using System.Runtime.InteropServices;

namespace Paddock.Engine.Sampling;

/// <summary>Stop strings, looked for in decoded text, because a string can begin inside one token and end inside another.</summary>
internal static class StopText
{
    // a character takes at most four bytes, a token gives at least one
    private const int BytesPerCharacter = 4;

    /// <summary>Whether the last token completed a stop string. Decodes only the tokens that the longest one can span.</summary>
    public static bool Completed(List<int> tokens, IReadOnlyList<string> stops, TextOf textOf)
    {
        int longest = 0;
        foreach (string stop in stops)
            longest = Math.Max(longest, stop.Length);
        int window = Math.Min(tokens.Count, BytesPerCharacter * (longest + 1));
        return Earliest(textOf(CollectionsMarshal.AsSpan(tokens)[^window..]), stops) >= 0;
    }

    /// <summary>Text of a finished sample: without its stop token, cut before its stop string.</summary>
    public static string Final(List<int> tokens, FinishReason reason, SamplerOptions options)
    {
        ReadOnlySpan<int> all = CollectionsMarshal.AsSpan(tokens);
        string text = options.TextOf!(reason == FinishReason.StopToken ? all[..^1] : all);
        int cut = reason == FinishReason.StopString ? Earliest(text, options.StopStrings!) : -1;
        return cut >= 0 ? text[..cut] : text;
    }

    private static int Earliest(string text, IReadOnlyList<string> stops)
    {
        int earliest = -1;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (earliest < 0 || at < earliest))
                earliest = at;
        }
        return earliest;
    }
}
