using System.Text.RegularExpressions;

namespace Paddock.Tests.Docs;

/// <summary>The few things that the tests of pages need to find in Markdown.</summary>
internal static partial class Markdown
{
    /// <summary>Lines of the first fenced block below a heading.</summary>
    public static string[] FenceBelow(string page, string heading)
    {
        int at = $"\n{page}".IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        Assert.True(at >= 0, $"no heading '{heading}'");
        int open = page.IndexOf("\n```", Math.Max(at - 1, 0), StringComparison.Ordinal);
        int begin = page.IndexOf('\n', open + 1) + 1, end = page.IndexOf("\n```", begin, StringComparison.Ordinal);
        Assert.True(open >= 0 && end > begin, $"no fenced block below '{heading}'");
        return page[begin..end].Split('\n');
    }

    /// <summary>Everything in single back-ticks, fenced blocks left out.</summary>
    public static IEnumerable<string> CodeSpans(string page) => Span.Matches(Fence.Replace(page, "")).Select(match => match.Groups[1].Value);

    /// <summary>Targets of links and pictures; code and comments left out.</summary>
    public static IEnumerable<string> Links(string page) => Link.Matches(Comment.Replace(Span.Replace(Fence.Replace(page, ""), ""), "")).Select(match => match.Groups[1].Value);

    /// <summary>Verbs of the command line that a page speaks of, code included.</summary>
    public static IEnumerable<string> Verbs(string page) => Verb.Matches(page).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence { get; }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span { get; }

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment { get; }

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)\)")]
    private static partial Regex Link { get; }

    [GeneratedRegex(@"\./paddock ([a-z][a-z-]*)")]
    private static partial Regex Verb { get; }
}
