using System.Globalization;

namespace Paddock.Engine.Tokenizers;

/// <summary>What a pre-tokenizer asks of a character. Classes are those of whole code points, never of UTF-16 halves.</summary>
[Flags]
internal enum CharClass : byte
{
    /// <summary>Anything else: punctuation, symbols, marks, controls, unassigned, lone surrogates.</summary>
    Other = 0,

    /// <summary>Unicode L*.</summary>
    Letter = 1,

    /// <summary>Unicode N*.</summary>
    Number = 2,

    /// <summary>Unicode White_Space (not U+001C..1F, U+180E, U+200B).</summary>
    Space = 4,

    /// <summary>Part of a word in the sense of <c>\w</c>: letters, marks, digits, letter numbers, connectors, circled letters.</summary>
    Word = 8,
}

/// <summary>Character classes by code point: a table for the basic plane, the runtime's Unicode data beyond it.</summary>
internal static class CodePoints
{
    private static readonly CharClass[] BasicPlane = BuildBasicPlane();

    /// <summary>Class of the code point at <paramref name="index"/> and its length in UTF-16 units (1 for a lone surrogate).</summary>
    public static CharClass At(ReadOnlySpan<char> text, int index, out int length)
    {
        char c = text[index];
        length = 1;
        if (!char.IsSurrogate(c))
            return BasicPlane[c];
        if (char.IsHighSurrogate(c) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return Classify(char.ConvertToUtf32(c, text[index + 1]));
        }
        return CharClass.Other;
    }

    /// <summary>Class of the code point that ends just before <paramref name="end"/>.</summary>
    public static CharClass Before(ReadOnlySpan<char> text, int end)
    {
        int start = end - 1;
        if (start > 0 && char.IsLowSurrogate(text[start]) && char.IsHighSurrogate(text[start - 1]))
            start--;
        return At(text, start, out _);
    }

    /// <summary>White space lies in the basic plane, so one unit is enough.</summary>
    public static bool IsSpace(char c) => (BasicPlane[c] & CharClass.Space) != 0;

    private static CharClass Classify(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharClass.Letter | CharClass.Word,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber => CharClass.Number | CharClass.Word,
        UnicodeCategory.OtherNumber => CharClass.Number,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.ConnectorPunctuation => CharClass.Word,
        _ => CharClass.Other,
    };

    private static CharClass[] BuildBasicPlane()
    {
        CharClass[] table = new CharClass[0x10000];
        for (int c = 0; c < table.Length; c++)
            table[c] = char.IsSurrogate((char)c) ? CharClass.Other : Classify(c);
        for (int c = 0x24B6; c <= 0x24E9; c++)
            table[c] |= CharClass.Word;
        foreach (char c in "\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000")
            table[c] = CharClass.Space;
        return table;
    }
}
