using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>How training on a judge moved a trait of the answers, against training on people.</summary>
/// <param name="Judge">Mean trait of the judge's policy minus the base's, by prompt.</param>
/// <param name="People">The same for the policy that people's labels trained.</param>
/// <param name="Excess">Judge's policy minus people's policy on the same prompts: what the judge added beyond what people ask for.</param>
/// <param name="Ratio">Judge's shift over people's; an amplification where it is above 1. No value where people's shift cannot be told from 0.</param>
public sealed record AmplificationResult(Interval Judge, Interval People, Interval Excess, double? Ratio);

/// <summary>Whether a study on simulated feedback says what one on people would: the ranking of methods, and what the judge's taste adds.</summary>
public static class SimulatorGap
{
    /// <summary>
    /// Spearman correlation of methods' mean scores under two panels. The interval resamples prompts, the same ones for all methods and both
    /// panels: it says how sure the order is for these methods, not for others (for that see <see cref="Correlation.SpearmanInterval"/>).
    /// </summary>
    /// <param name="simulated">By method, a score for each prompt.</param>
    /// <param name="people">The same methods and prompts.</param>
    public static Interval RankAgreement(IReadOnlyList<double[]> simulated, IReadOnlyList<double[]> people, RandomStream stream, int resamples = Bootstrap.DefaultResamples)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(people.Count, simulated.Count);
        int prompts = simulated.Count == 0 ? 0 : simulated[0].Length;
        foreach (double[] scores in simulated.Concat(people))
            ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, prompts);
        if (simulated.Count < 2 || prompts < 2)
            return new(double.NaN, double.NaN, prompts, double.NaN, double.NaN, "percentile");
        double[] a = new double[simulated.Count], b = new double[simulated.Count];
        return Bootstrap.Percentile(prompts, indices =>
        {
            for (int method = 0; method < a.Length; method++)
            {
                (a[method], b[method]) = (0, 0);
                foreach (int i in indices)
                    (a[method], b[method]) = (a[method] + simulated[method][i], b[method] + people[method][i]);
            }
            return Correlation.Spearman(a, b);
        }, stream, resamples);
    }

    /// <summary>
    /// Amplification of a trait (length, a list or not, a refusal or not): values of the same prompts under the base, the policy trained on a judge
    /// and the policy trained on people.
    /// </summary>
    public static AmplificationResult Amplification(ReadOnlySpan<double> ofBase, ReadOnlySpan<double> ofJudge, ReadOnlySpan<double> ofPeople)
    {
        Interval judge = Difference(ofJudge, ofBase), people = Difference(ofPeople, ofBase);
        return new(judge, people, Difference(ofJudge, ofPeople), people.Low > 0 || people.High < 0 ? judge.Mean / people.Mean : null);
    }

    private static Interval Difference(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        double[] differences = new double[a.Length];
        for (int i = 0; i < a.Length; i++)
            differences[i] = a[i] - b[i];
        return Interval.OfMean(differences);
    }
}
