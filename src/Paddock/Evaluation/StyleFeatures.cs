namespace Paddock.Evaluation;

/// <summary>
/// How two answers differ in looks, for Bradley-Terry with style control (Chiang et al. 2024, "Does style matter?"). Each feature changes
/// its sign when the answers are swapped. Features are scaled to unit deviation and their mean is left alone, so that the swap stays exact.
/// </summary>
public static class StyleFeatures
{
    /// <summary>(a - b) / (a + b): 1,200 against 800 is 0.2; 0 where both are empty.</summary>
    public static double Relative(double a, double b) => a + b == 0 ? 0 : (a - b) / (a + b);

    /// <summary>
    /// Of markup counts: densities d = count / (length + 1), then (d_a - d_b) / (d_a + d_b + 1).
    /// </summary>
    public static double Density(int countA, double lengthA, int countB, double lengthB)
    {
        double a = countA / (lengthA + 1), b = countB / (lengthB + 1);
        return (a - b) / (a + b + 1);
    }

    /// <summary>Lines of Markdown in a text that open as a heading, and as an item of a list; and its pairs of bold marks.</summary>
    public static (int Headings, int Items, int Bold) Markup(string text)
    {
        int headings = 0, items = 0, marks = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> trimmed = line.TrimStart();
            int hashes = 0;
            while (hashes < trimmed.Length && trimmed[hashes] == '#')
                hashes++;
            headings += hashes is >= 1 and <= 6 && hashes < trimmed.Length && trimmed[hashes] == ' ' ? 1 : 0;
            int digits = 0;
            while (digits < trimmed.Length && char.IsAsciiDigit(trimmed[digits]))
                digits++;
            bool numbered = digits > 0 && digits + 1 < trimmed.Length && trimmed[digits] is '.' or ')' && trimmed[digits + 1] == ' ';
            items += numbered || (trimmed.Length > 1 && trimmed[0] is '-' or '*' or '+' && trimmed[1] == ' ') ? 1 : 0;
        }
        for (int i = 0; i + 1 < text.Length; i++)
            if (text[i] == '*' && text[i + 1] == '*')
            {
                marks++;
                i++;
            }
        return (headings, items, marks / 2);
    }

    /// <summary>Length, headings, lists and bold of the first answer against the second; lengths in code points.</summary>
    public static double[] Of(string first, string second)
    {
        double a = TextLength.CodePoints(first), b = TextLength.CodePoints(second);
        (int Headings, int Items, int Bold) x = Markup(first), y = Markup(second);
        return [Relative(a, b), Density(x.Headings, a, y.Headings, b), Density(x.Items, a, y.Items, b), Density(x.Bold, a, y.Bold, b)];
    }

    /// <summary>Names of the features of <see cref="Of"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["length", "headings", "lists", "bold"];

    /// <summary>
    /// Divides each feature by its standard deviation over the battles and leaves out those that never vary; which are left says the result.
    /// </summary>
    public static (Battle[] Battles, int[] Kept) Scaled(IReadOnlyList<Battle> battles)
    {
        int features = battles.Count == 0 ? 0 : battles[0].Style?.Length ?? 0;
        List<int> kept = [];
        List<double> scales = [];
        double[] column = new double[battles.Count];
        for (int k = 0; k < features; k++)
        {
            for (int i = 0; i < column.Length; i++)
                column[i] = battles[i].Style![k];
            double deviation = Math.Sqrt(Moments.Variance(column));
            if (deviation > 0)
            {
                kept.Add(k);
                scales.Add(deviation);
            }
        }
        Battle[] scaled = new Battle[battles.Count];
        for (int i = 0; i < scaled.Length; i++)
        {
            double[] style = new double[kept.Count];
            for (int k = 0; k < style.Length; k++)
                style[k] = battles[i].Style![kept[k]] / scales[k];
            scaled[i] = battles[i] with { Style = style };
        }
        return (scaled, [.. kept]);
    }
}
