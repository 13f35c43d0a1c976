namespace Paddock.Evaluation;

/// <summary>Lengths of texts as the field counts them.</summary>
public static class TextLength
{
    /// <summary>Unicode code points, as Python's len counts; a UTF-16 surrogate pair is one, and so is half of one.</summary>
    public static int CodePoints(ReadOnlySpan<char> text)
    {
        int pairs = 0;
        for (int i = 1; i < text.Length; i++)
            if (char.IsSurrogatePair(text[i - 1], text[i]))
            {
                pairs++;
                i++;
            }
        return text.Length - pairs;
    }
}
