using System.Text;

namespace Paddock.Studies.Recipes;

/// <summary>How names are spelled, checked and guessed.</summary>
internal static class Names
{
    private const int MaxLength = 80;

    /// <summary><c>LearningRate</c> is <c>learning-rate</c>; <c>TopP</c> is <c>top-p</c>; <c>Utf8Rows</c> is <c>utf8-rows</c>.</summary>
    public static string Kebab(string pascal)
    {
        StringBuilder kebab = new();
        for (int i = 0; i < pascal.Length; i++)
        {
            bool starts = char.IsUpper(pascal[i]) && i > 0 && (!char.IsUpper(pascal[i - 1]) || (i + 1 < pascal.Length && char.IsLower(pascal[i + 1])));
            if (starts)
                kebab.Append('-');
            kebab.Append(char.ToLowerInvariant(pascal[i]));
        }
        return kebab.ToString();
    }

    /// <summary>The one of <paramref name="candidates"/> that <paramref name="name"/> was probably meant to be, or null.</summary>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = 1 + (Math.Min(name.Length, MaxLength) / 3);
        foreach (string candidate in candidates)
        {
            int distance = candidate.Equals(name, StringComparison.OrdinalIgnoreCase) || candidate == Kebab(name) || candidate == name.Replace('_', '-') ? 0 : Distance(name, candidate);
            if (distance < candidate.Length && (distance < bestDistance || (best == null && distance == bestDistance)))
                (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>A guess at what was meant, else all there is: the tail of an error message.</summary>
    public static string Hint(string name, IReadOnlyCollection<string> candidates, string what) =>
        Nearest(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?"
        : candidates.Count == 0 ? $"; there are no {what}"
        : $"; {what}: {string.Join(", ", candidates)}";

    /// <summary>Null when fit to be a folder's name on every system, else what is wrong.</summary>
    public static string? FolderNameProblem(string name)
    {
        if (name.Length is 0 or > MaxLength)
            return $"a name has 1 to {MaxLength} characters";
        foreach (char c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return "a name has letters, digits, '-', '_' and '.' only";
        return char.IsAsciiLetterOrDigit(name[0]) && name[^1] != '.' ? null : "a name begins with a letter or digit and does not end in '.'";
    }

    public static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");

    // optimal string alignment: insertions, deletions, substitutions and swaps of neighbours
    private static int Distance(string a, string b)
    {
        if (a.Length > MaxLength || b.Length > MaxLength)
            return int.MaxValue;
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
            for (int j = 1; j <= b.Length; j++)
            {
                int change = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(change, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        return d[a.Length, b.Length];
    }
}
