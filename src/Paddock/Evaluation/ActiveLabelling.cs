using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>
/// Which items people should label, when a judge has scored all of them: each is chosen on its own with a probability that grows with the
/// judge's doubt, and the estimate weighs labels by the inverse of it (Horvitz and Thompson 1952; as active inference, Zrnic and Candes
/// 2024, arXiv 2403.03208). Unbiased whatever the doubts are worth.
/// </summary>
public static class ActiveLabelling
{
    /// <summary>
    /// Inclusion probabilities that sum to the budget: a share <paramref name="uniform"/> spread evenly, so that no item is out of reach, the
    /// rest in proportion to the doubt, capped at 1 and spread again.
    /// </summary>
    /// <param name="doubt">Expected size of the judge's error per item, 0 or more, such as <see cref="Doubt"/>.</param>
    /// <param name="budget">Expected number of labels, at most the number of items.</param>
    public static double[] Probabilities(ReadOnlySpan<double> doubt, double budget, double uniform = 0.2)
    {
        int n = doubt.Length;
        if (!(budget > 0 && budget <= n))
            throw new ArgumentOutOfRangeException(nameof(budget), budget, $"must be above 0 and at most the {n} items");
        if (uniform is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(uniform), uniform, "must be above 0, or some items could never be labelled, and at most 1");
        double total = 0;
        foreach (double d in doubt)
            total += d >= 0 && double.IsFinite(d) ? d : throw new ArgumentOutOfRangeException(nameof(doubt), d, "must be finite and not negative");
        double[] weight = new double[n], chosen = new double[n];
        for (int i = 0; i < n; i++)
            weight[i] = uniform / n + (1 - uniform) * (total > 0 ? doubt[i] / total : 1.0 / n);
        bool[] full = new bool[n];
        double left = budget;
        while (true)
        {
            double free = 0;
            for (int i = 0; i < n; i++)
                free += full[i] ? 0 : weight[i];
            bool capped = false;
            for (int i = 0; i < n; i++)
                if (!full[i] && left * weight[i] / free >= 1)
                    (full[i], chosen[i], capped) = (true, 1, true);
            if (!capped)
            {
                for (int i = 0; i < n; i++)
                    if (!full[i])
                        chosen[i] = left * weight[i] / free;
                return chosen;
            }
            left = budget;
            foreach (bool f in full)
                left -= f ? 1 : 0;
            if (left <= 0)
                return chosen;
        }
    }

    /// <summary>Doubt of a judge that gives probabilities: sqrt(p (1 - p)), the deviation of a label it has calibrated right.</summary>
    public static double Doubt(double probability) => Math.Sqrt(probability * (1 - probability));

    /// <summary>Chooses items, each on its own.</summary>
    public static bool[] Choose(ReadOnlySpan<double> probabilities, RandomStream stream)
    {
        bool[] chosen = new bool[probabilities.Length];
        for (int i = 0; i < chosen.Length; i++)
            chosen[i] = stream.NextDouble() < probabilities[i];
        return chosen;
    }

    /// <summary>
    /// Mean human label: the mean over items of lambda f + (Y - lambda f) [chosen] / pi, standard error from the spread of those terms. lambda
    /// in [0, 1] is the one of least variance unless given.
    /// </summary>
    /// <param name="judge">Score f of every item.</param>
    /// <param name="human">Label Y of the chosen items, null elsewhere. A chosen item that nobody labelled biases the estimate: label it, or say so.</param>
    public static (Interval Rate, double Lambda) Estimate(ReadOnlySpan<double> judge, ReadOnlySpan<double?> human, ReadOnlySpan<double> probabilities, double? lambda = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(human.Length, judge.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(probabilities.Length, judge.Length);
        int n = judge.Length;
        double[] label = new double[n], control = new double[n], terms = new double[n];
        for (int i = 0; i < n; i++)
        {
            if (!(probabilities[i] > 0 && probabilities[i] <= 1))
                throw new ArgumentOutOfRangeException(nameof(probabilities), probabilities[i], "an inclusion probability is above 0 and at most 1");
            double inverse = human[i] == null ? 0 : 1 / probabilities[i];
            label[i] = inverse * (human[i] ?? 0);
            control[i] = judge[i] * (1 - inverse);
        }
        double meanLabel = Moments.Mean(label), meanControl = Moments.Mean(control), product = 0, square = 0;
        for (int i = 0; i < n; i++)
        {
            product += (label[i] - meanLabel) * (control[i] - meanControl);
            square += (control[i] - meanControl) * (control[i] - meanControl);
        }
        double trust = lambda ?? (square > 0 ? Math.Clamp(-product / square, 0, 1) : 0);
        for (int i = 0; i < n; i++)
            terms[i] = label[i] + trust * control[i];
        return (Interval.OfMean(terms, "items").Within(0, 1) with { Method = "Horvitz-Thompson" }, trust);
    }
}
