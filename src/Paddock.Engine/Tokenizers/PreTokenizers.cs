namespace Paddock.Engine.Tokenizers;

/// <summary>A stretch of the text: what a model sees as one word.</summary>
internal readonly record struct Piece(int Start, int Length);

/// <summary>Cuts a text into words. Stateless, so one instance serves all threads.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends the pieces of <paramref name="whole"/> to <paramref name="output"/>, in order.</summary>
    public abstract void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output);
}

/// <summary>Several cuts, each refining the one before.</summary>
internal sealed class SequencePreTokenizer(PreTokenizer[] steps) : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output)
    {
        List<Piece> current = [whole];
        for (int i = 0; i < steps.Length; i++)
        {
            List<Piece> next = i == steps.Length - 1 ? output : new List<Piece>(current.Count * 2);
            foreach (Piece piece in current)
                steps[i].Split(text, piece, next);
            current = next;
        }
    }
}

/// <summary>Leaves the text whole: a byte-level step whose own pattern is switched off.</summary>
internal sealed class WholePreTokenizer : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output) => output.Add(whole);
}

/// <summary>Words between white space; the white space itself is dropped.</summary>
internal sealed class WhitespacePreTokenizer : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output)
    {
        int end = whole.Start + whole.Length, start = whole.Start;
        for (int i = start; i <= end; i++)
        {
            if (i < end && !CodePoints.IsSpace(text[i]))
                continue;
            if (i > start)
                output.Add(new Piece(start, i - start));
            start = i + 1;
        }
    }
}

/// <summary>Isolates numeric characters (Unicode N*): each alone, or whole runs.</summary>
internal sealed class DigitsPreTokenizer(bool individual) : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output)
    {
        int end = whole.Start + whole.Length, start = whole.Start;
        bool digits = false;
        for (int i = start; i < end;)
        {
            bool digit = (CodePoints.At(text[..end], i, out int length) & CharClass.Number) != 0;
            if (i > start && (digit != digits || (digit && individual)))
            {
                output.Add(new Piece(start, i - start));
                start = i;
            }
            digits = digit;
            i += length;
        }
        if (end > start)
            output.Add(new Piece(start, end - start));
    }
}

/// <summary>
/// GPT-2's pattern as a hand-written matcher on code points:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Gpt2PreTokenizer : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output)
    {
        ReadOnlySpan<char> t = text[..(whole.Start + whole.Length)];
        for (int i = whole.Start; i < t.Length;)
        {
            int end = Next(t, i);
            output.Add(new Piece(i, end - i));
            i = end;
        }
    }

    private static int Next(ReadOnlySpan<char> t, int i)
    {
        if (t[i] == '\'' && Contraction(t, i + 1) is > 0 and int length)
            return i + 1 + length;
        int j = t[i] == ' ' && i + 1 < t.Length ? i + 1 : i;
        CharClass kind = CodePoints.At(t, j, out int step) & Patterns.Kinds;
        return kind == CharClass.Space ? Patterns.SpaceRun(t, i) : Patterns.RunEnd(t, j + step, kind);
    }

    private static int Contraction(ReadOnlySpan<char> t, int i)
    {
        char a = i < t.Length ? t[i] : '\0', b = i + 1 < t.Length ? t[i + 1] : '\0';
        return (a, b) switch
        {
            ('r', 'e') or ('v', 'e') or ('l', 'l') => 2,
            ('s' or 't' or 'm' or 'd', _) => 1,
            _ => 0,
        };
    }
}

/// <summary>
/// The pattern of Llama 3 and Qwen 2, which differ in how many digits stay together (3 and 1):
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Cl100kPreTokenizer(int digits) : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, Piece whole, List<Piece> output)
    {
        ReadOnlySpan<char> t = text[..(whole.Start + whole.Length)];
        for (int i = whole.Start; i < t.Length;)
        {
            int end = Next(t, i);
            output.Add(new Piece(i, end - i));
            i = end;
        }
    }

    private int Next(ReadOnlySpan<char> t, int i)
    {
        char c = t[i];
        if (c == '\'' && Contraction(t, i + 1) is > 0 and int length)
            return i + 1 + length;

        CharClass kind = CodePoints.At(t, i, out int step) & Patterns.Kinds;
        if (kind == CharClass.Letter)
            return Patterns.RunEnd(t, i + step, CharClass.Letter);
        if (kind != CharClass.Number && c is not ('\r' or '\n') && i + step < t.Length
            && (CodePoints.At(t, i + step, out int letter) & CharClass.Letter) != 0)
            return Patterns.RunEnd(t, i + step + letter, CharClass.Letter);
        if (kind == CharClass.Number)
        {
            int end = i + step;
            for (int n = 1; n < digits && end < t.Length && (CodePoints.At(t, end, out int next) & CharClass.Number) != 0; n++)
                end += next;
            return end;
        }

        int j = c == ' ' && i + 1 < t.Length ? i + 1 : i;
        if ((CodePoints.At(t, j, out step) & Patterns.Kinds) == CharClass.Other)
        {
            int end = Patterns.RunEnd(t, j + step, CharClass.Other);
            while (end < t.Length && t[end] is '\r' or '\n')
                end++;
            return end;
        }

        // White space: up to the last line end of the run, else all but the last space before a word.
        int run = Patterns.RunEnd(t, i, CharClass.Space);
        int line = t[i..run].LastIndexOfAny('\r', '\n');
        return line >= 0 ? i + line + 1 : Patterns.SpaceRun(t, i);
    }

    private static int Contraction(ReadOnlySpan<char> t, int i)
    {
        // Case-insensitive by Unicode's simple folding: the long s is an s.
        char a = Fold(t, i), b = Fold(t, i + 1);
        return (a, b) switch
        {
            ('s' or 't' or 'm' or 'd', _) => 1,
            ('r', 'e') or ('v', 'e') or ('l', 'l') => 2,
            _ => 0,
        };
    }

    private static char Fold(ReadOnlySpan<char> t, int i) =>
        i >= t.Length ? '\0' : t[i] == 'ſ' ? 's' : char.IsAsciiLetterUpper(t[i]) ? (char)(t[i] | 0x20) : t[i];
}

/// <summary>What the patterns share.</summary>
internal static class Patterns
{
    public const CharClass Kinds = CharClass.Letter | CharClass.Number | CharClass.Space;

    /// <summary>End of the run of code points of one kind.</summary>
    public static int RunEnd(ReadOnlySpan<char> t, int i, CharClass kind)
    {
        while (i < t.Length && (CodePoints.At(t, i, out int step) & Kinds) == kind)
            i += step;
        return i;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: the run, without its last space when a word follows and something remains.</summary>
    public static int SpaceRun(ReadOnlySpan<char> t, int i)
    {
        int end = RunEnd(t, i, CharClass.Space);
        return end < t.Length && end - i > 1 ? end - 1 : end;
    }
}
