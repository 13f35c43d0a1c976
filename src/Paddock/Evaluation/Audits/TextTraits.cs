using System.Globalization;

namespace Paddock.Evaluation.Audits;

/// <summary>What of an answer's form a judge may favour.</summary>
public static class TextTraits
{
    /// <summary>
    /// Whether a line begins with an item of a list: a bullet (<c>*</c>, <c>-</c> or a dot), a number with <c>.</c> or <c>)</c>, or a Latin
    /// letter with <c>.</c> or <c>)</c> and a blank, and a word follows. AlpacaEval's rule of 2024 (contains_list), scanned in one pass.
    /// </summary>
    public static bool HasList(string text)
    {
        int lastWord = LastWord(text);
        for (int start = 0; start <= lastWord;)
        {
            int at = start;
            while (at < text.Length && IsBlank(text[at]))
                at++;
            int end = Marker(text, at);
            if (end > 0 && end <= lastWord)
                return true;
            int next = text.IndexOf('\n', Math.Min(at, text.Length));
            if (next < 0)
                return false;
            start = next + 1;
        }
        return false;
    }

    // index behind the marker that stands at this place, 0 for none
    private static int Marker(string text, int at)
    {
        if (at >= text.Length)
            return 0;
        if (text[at] is '*' or '-' or '\u2022')
            return at + 1;
        int digits = at;
        while (digits < text.Length && char.IsDigit(text[digits]))
            digits++;
        if (digits > at)
            return IsPoint(text, digits) ? digits + 1 : 0;
        return char.IsAsciiLetter(text[at]) && IsPoint(text, at + 1) && at + 2 < text.Length && IsBlank(text[at + 2]) ? at + 3 : 0;
    }

    private static bool IsPoint(string text, int at) => at < text.Length && text[at] is ('.' or ')');

    // Python's white space has the four separators of ASCII too
    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    // index of the last letter, digit, other number or underscore; -1 for none
    private static int LastWord(string text)
    {
        for (int i = text.Length - 1; i >= 0; i--)
        {
            UnicodeCategory category = char.IsLowSurrogate(text[i]) && i > 0 ? CharUnicodeInfo.GetUnicodeCategory(text, i - 1) : char.GetUnicodeCategory(text[i]);
            if (text[i] == '_' || category is <= UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber)
                return i;
        }
        return -1;
    }
}
