using System.Globalization;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary>Python's view of text: code points, its white space, its quoting.</summary>
internal static class PyText
{
    /// <summary>.NET's white space and U+001C..U+001F.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    public static int[] CodePoints(string text)
    {
        List<int> points = new(text.Length);
        for (int i = 0; i < text.Length; i++)
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                points.Add(char.ConvertToUtf32(text[i], text[++i]));
            else
                points.Add(text[i]);
        return [.. points];
    }

    public static List<object?> Characters(string text)
    {
        List<object?> characters = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            int length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            characters.Add(text.Substring(i, length));
            i += length - 1;
        }
        return characters;
    }

    public static int Length(string text)
    {
        int length = text.Length;
        for (int i = 1; i < text.Length; i++)
            if (char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1]))
                length--;
        return length;
    }

    public static string Strip(string text, string? characters, bool start, bool end)
    {
        int from = 0, to = text.Length;
        while (start && from < to && Drop(text[from]))
            from++;
        while (end && to > from && Drop(text[to - 1]))
            to--;
        return text[from..to];

        bool Drop(char c) => characters == null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
    }

    /// <summary>Python's <c>split</c> and <c>rsplit</c>; a null separator means runs of white space.</summary>
    public static List<object?> Split(string text, string? separator, int limit, bool fromRight)
    {
        List<object?> parts = [];
        if (separator is "")
            throw new TemplateError("empty separator");
        if (fromRight && limit >= 0 && separator != null)
        {
            int end = text.Length;
            for (int at; parts.Count < limit && end >= separator.Length && (at = text.LastIndexOf(separator, end - 1, end, StringComparison.Ordinal)) >= 0; end = at)
                parts.Add(text[(at + separator.Length)..end]);
            parts.Add(text[..end]);
            parts.Reverse();
            return parts;
        }
        int from = 0;
        if (separator != null)
        {
            for (int at; (limit < 0 || parts.Count < limit) && (at = text.IndexOf(separator, from, StringComparison.Ordinal)) >= 0; from = at + separator.Length)
                parts.Add(text[from..at]);
            parts.Add(text[from..]);
            return parts;
        }
        while (true)
        {
            while (from < text.Length && IsSpace(text[from]))
                from++;
            if (from == text.Length)
                return parts;
            if (limit >= 0 && parts.Count >= limit)
            {
                parts.Add(Strip(text[from..], null, false, true));
                return parts;
            }
            int start = from;
            while (from < text.Length && !IsSpace(text[from]))
                from++;
            parts.Add(text[start..from]);
        }
    }

    public static List<object?> Lines(string text)
    {
        List<object?> lines = [];
        int start = 0;
        for (int i = 0; i < text.Length; i++)
            if (text[i] is '\n' or '\r' or '\v' or '\f' or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029')
            {
                lines.Add(text[start..i]);
                if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
                    i++;
                start = i + 1;
            }
        if (start < text.Length)
            lines.Add(text[start..]);
        return lines;
    }

    public static string Capitalize(string text) => text.Length == 0
        ? text
        : Upper(text[..1]) + Lower(text[1..]);

    /// <summary>Upper case of each word's first letter. <paramref name="isStart"/> says which characters a word follows.</summary>
    public static string Title(string text, Func<char, bool> isStart)
    {
        StringBuilder title = new(text.Length);
        bool start = true;
        foreach (char c in text)
        {
            title.Append(start ? Upper(c.ToString()) : Lower(c.ToString()));
            start = isStart(c);
        }
        return title.ToString();
    }

    /// <summary>Upper case with the full mappings that templates meet: ß becomes SS, ŉ becomes ʼN.</summary>
    public static string Upper(string text) => text.ToUpperInvariant()
        .Replace("ß", "SS", StringComparison.Ordinal).Replace("ŉ", "ʼN", StringComparison.Ordinal);

    /// <summary>Lower case; İ becomes i and a combining dot.</summary>
    public static string Lower(string text) => text.Replace("İ", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>Appends a string as Python's <c>repr</c> writes it.</summary>
    public static void Quote(string text, StringBuilder output)
    {
        char quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        output.Append(quote);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == quote || c == '\\')
                output.Append('\\').Append(c);
            else if (c is '\n' or '\r' or '\t')
                output.Append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                output.Append(c).Append(text[++i]);
            else if (Hidden(c))
                output.Append(c < 0x100 ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}");
            else
                output.Append(c);
        }
        output.Append(quote);
    }

    private static bool Hidden(char c) => c != ' ' && CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator && c != ' ';
}
