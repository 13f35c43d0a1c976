using System.Text;

namespace Paddock.Evaluation;

/// <summary>
/// How alike answers are: a policy that learned one judge's taste tends to say the same things. Words are runs of letters and digits in lower case. What
/// is compared should have like lengths and numbers of answers: longer texts repeat themselves more.
/// </summary>
public static class Diversity
{
    /// <summary>The words of a text.</summary>
    public static IReadOnlyList<string> Words(string text)
    {
        List<string> words = [];
        StringBuilder word = new();
        foreach (Rune rune in text.EnumerateRunes())
            if (Rune.IsLetterOrDigit(rune))
                word.Append(Rune.ToLowerInvariant(rune).ToString());
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }

    /// <summary>
    /// Distinct-n (Li et al. 2016): different n-grams over all n-grams of all answers. The standard error is the jackknife's, each prompt left out
    /// once; a bootstrap would see copies of prompts and count too few different ones.
    /// </summary>
    /// <param name="answers">One answer for each prompt.</param>
    public static Interval Distinct(IReadOnlyList<string> answers, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        Dictionary<string, int> only = new(StringComparer.Ordinal); // the one answer that has it, -1 for several
        int[] lengths = new int[answers.Count];
        double total = 0;
        for (int i = 0; i < answers.Count; i++)
            foreach (string gram in Grams(Words(answers[i]), n))
            {
                lengths[i]++;
                total++;
                if (!only.TryAdd(gram, i) && only[gram] != i)
                    only[gram] = -1;
            }
        if (total == 0)
            return new(double.NaN, double.NaN, answers.Count, double.NaN, double.NaN, "jackknife");
        int[] own = new int[answers.Count];
        foreach (int answer in only.Values)
            if (answer >= 0)
                own[answer]++;
        double mean = only.Count / total;
        double[] left = [.. Enumerable.Range(0, answers.Count).Where(i => total > lengths[i]).Select(i => (only.Count - own[i]) / (total - lengths[i]))];
        double units = left.Length, error = units < 2 ? double.NaN : Math.Sqrt((units - 1) * (units - 1) / units * Moments.Variance(left));
        return Interval.Normal(mean, error, answers.Count, "jackknife").Within(0, 1);
    }

    /// <summary>Mean over prompts of the mean similarity of all pairs of a prompt's answers; prompts with one answer are left out.</summary>
    /// <param name="answers">By prompt, the answers that one policy gave.</param>
    public static Interval SelfSimilarity(IReadOnlyList<IReadOnlyList<string>> answers)
    {
        List<double> means = [];
        foreach (IReadOnlyList<string> own in answers)
        {
            Dictionary<string, double>[] bags = [.. own.Select(Bag)];
            double sum = 0;
            for (int i = 0; i < bags.Length; i++)
                for (int j = 0; j < i; j++)
                    sum += Cosine(bags[i], bags[j]);
            if (bags.Length > 1)
                means.Add(sum / (bags.Length * (bags.Length - 1) / 2.0));
        }
        return Interval.OfMean([.. means]).Within(0, 1);
    }

    /// <summary>Mean over prompts of the similarity of two policies' answers.</summary>
    public static Interval Similarity(IReadOnlyList<string> first, IReadOnlyList<string> second)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Count, first.Count);
        return Interval.OfMean([.. first.Zip(second, Similarity)]).Within(0, 1);
    }

    /// <summary>
    /// Mean similarity of answers to different prompts: what a policy says whatever it is asked. All pairs of answers through the sum of their
    /// directions, so the cost is linear in them; the standard error is the jackknife's.
    /// </summary>
    public static Interval Homogenisation(IReadOnlyList<string> answers)
    {
        Dictionary<string, double> sum = new(StringComparer.Ordinal);
        Dictionary<string, double>[] units = new Dictionary<string, double>[answers.Count];
        for (int i = 0; i < units.Length; i++)
        {
            Dictionary<string, double> bag = Bag(answers[i]);
            double norm = Math.Sqrt(bag.Values.Sum(v => v * v));
            units[i] = norm > 0 ? bag.ToDictionary(v => v.Key, v => v.Value / norm, StringComparer.Ordinal) : [];
            foreach ((string gram, double value) in units[i])
                sum[gram] = sum.GetValueOrDefault(gram) + value;
        }
        double n = units.Length, square = sum.Values.Sum(v => v * v), own = units.Count(u => u.Count > 0);
        if (n < 2)
            return new(double.NaN, double.NaN, units.Length, double.NaN, double.NaN, "jackknife");
        double mean = (square - own) / (n * (n - 1));
        if (n < 3)
            return new(mean, double.NaN, units.Length, double.NaN, double.NaN, "jackknife");
        double[] left = new double[units.Length];
        for (int i = 0; i < left.Length; i++)
        {
            double dot = units[i].Sum(v => v.Value * sum[v.Key]), self = units[i].Count > 0 ? 1 : 0;
            left[i] = (square - 2 * dot + self - (own - self)) / ((n - 1) * (n - 2));
        }
        return Interval.Normal(mean, Math.Sqrt((n - 1) * (n - 1) / n * Moments.Variance(left)), units.Length, "jackknife").Within(0, 1);
    }

    /// <summary>Cosine of the counts of words and pairs of words: 1 for the same text, 0 without a common word. Two texts without words are the same.</summary>
    public static double Similarity(string first, string second) => Cosine(Bag(first), Bag(second));

    private static double Cosine(Dictionary<string, double> a, Dictionary<string, double> b)
    {
        if (a.Count == 0 || b.Count == 0)
            return a.Count == b.Count ? 1 : 0;
        double dot = 0;
        foreach ((string gram, double count) in a)
            dot += count * b.GetValueOrDefault(gram);
        return Math.Min(1, dot / Math.Sqrt(a.Values.Sum(v => v * v) * b.Values.Sum(v => v * v)));
    }

    private static Dictionary<string, double> Bag(string text)
    {
        IReadOnlyList<string> words = Words(text);
        Dictionary<string, double> bag = new(StringComparer.Ordinal);
        foreach (string gram in Grams(words, 1).Concat(Grams(words, 2)))
            bag[gram] = bag.GetValueOrDefault(gram) + 1;
        return bag;
    }

    private static IEnumerable<string> Grams(IReadOnlyList<string> words, int n)
    {
        for (int i = 0; i + n <= words.Count; i++)
            yield return n == 1 ? words[i] : string.Join(' ', words.Skip(i).Take(n));
    }
}
