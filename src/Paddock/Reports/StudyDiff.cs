using Paddock.Evaluation;
using Paddock.Studies;

namespace Paddock.Reports;

/// <summary>A stage of two studies.</summary>
/// <param name="State">same (one key, so the very same results), other, only in the first, only in the second.</param>
public sealed record StageDifference(string Name, string Kind, string State);

/// <summary>One number of a system in two studies.</summary>
/// <param name="Measure">Win rate by an annotator, or another measure.</param>
/// <param name="Difference">Second minus first. The standard error takes the two for independent.</param>
/// <param name="P">Two-sided, normal.</param>
/// <param name="AdjustedP">Holm's, over all numbers that differ.</param>
public sealed record NumberDifference(string System, string Measure, Estimate First, Estimate Second, Interval Difference, double P, double AdjustedP)
{
    /// <summary>Whether chance is an unlikely reason for the difference.</summary>
    public bool Matters => AdjustedP < 0.05;
}

/// <summary>
/// What differs between two studies and whether it matters. Of each study the last win-rate stage counts, its seeds combined. Both studies
/// mostly answer the same prompts, which makes their numbers rise and fall together, so a standard error that takes them for independent is
/// too large rather than too small: what is called a difference is one, and small differences may be missed.
/// </summary>
/// <param name="Comparable">Null, or why the numbers are not of the same thing (other prompts, another opponent).</param>
public sealed record StudyDiff(string First, string Second, IReadOnlyList<SettingDifference> Settings, IReadOnlyList<StageDifference> Stages, IReadOnlyList<NumberDifference> Numbers, string? Comparable)
{
    /// <summary>The seeds of each study.</summary>
    public static StudyDiff Of(IReadOnlyList<StudySummary> first, IReadOnlyList<StudySummary> second) => new(Name(first), Name(second),
        RecipeDiff.Of(first[0].RecipeYaml, second[0].RecipeYaml), StagesOf(first[0], second[0]), NumbersOf(first, second), Why(first, second));

    private static string Name(IReadOnlyList<StudySummary> seeds) => seeds.Count > 1 ? $"{seeds[0].Study} ({seeds.Count} seeds)" : $"{seeds[0].Study}, seed {seeds[0].Seed}";

    private static List<StageDifference> StagesOf(StudySummary first, StudySummary second)
    {
        List<StageDifference> stages = [];
        foreach (StageSummary stage in first.Stages)
            stages.Add(new(stage.Name, stage.Kind, second.Stages.FirstOrDefault(s => s.Name == stage.Name) is not { } other ? "only in the first" : other.Key == stage.Key ? "same" : "other"));
        foreach (StageSummary stage in second.Stages.Where(s => first.Stages.All(own => own.Name != s.Name)))
            stages.Add(new(stage.Name, stage.Kind, "only in the second"));
        return stages;
    }

    private static string? Why(IReadOnlyList<StudySummary> first, IReadOnlyList<StudySummary> second)
    {
        if (first[0].Evaluations.Count == 0 || second[0].Evaluations.Count == 0)
            return "no win-rate stage in both";
        EvaluationResult a = first[0].Evaluations[^1].Result, b = second[0].Evaluations[^1].Result;
        return first[0].Manifest.WorldFingerprint != second[0].Manifest.WorldFingerprint ? "the worlds differ"
            : a.Split != b.Split || a.Prompts != b.Prompts ? $"the prompts differ: {a.Prompts} of {a.Split}, {b.Prompts} of {b.Split}"
            : a.Against != b.Against ? $"the opponents differ: {a.Against}, {b.Against}"
            : a.Temperature != b.Temperature ? FormattableString.Invariant($"answers were sampled at temperature {a.Temperature} and {b.Temperature}")
            : null;
    }

    private static List<NumberDifference> NumbersOf(IReadOnlyList<StudySummary> first, IReadOnlyList<StudySummary> second)
    {
        List<NumberDifference> numbers = [];
        if (first[0].Evaluations.Count == 0 || second[0].Evaluations.Count == 0)
            return numbers;
        EvaluationView a = EvaluationView.Of(first[0].Evaluations[^1].Stage, first), b = EvaluationView.Of(second[0].Evaluations[^1].Stage, second);
        foreach (SystemView system in a.Systems)
        {
            if (b.Systems.FirstOrDefault(s => s.Name == system.Name) is not { } other)
                continue;
            foreach ((string annotator, RateView rate) in system.Rates)
                if (other.Rates.TryGetValue(annotator, out RateView? theirs))
                    numbers.Add(Difference(system.Name, "win rate by " + annotator, rate.WinRate, theirs.WinRate));
            foreach ((string measure, Estimate mean) in system.Measures)
                if (other.Measures.TryGetValue(measure, out Estimate? theirs))
                    numbers.Add(Difference(system.Name, measure, mean, theirs));
        }
        NumberDifference[] tested = [.. numbers.Where(n => !double.IsNaN(n.P))];
        double[] adjusted = Comparisons.Holm([.. tested.Select(n => n.P)]);
        Dictionary<NumberDifference, double> p = [];
        for (int i = 0; i < tested.Length; i++)
            p[tested[i]] = adjusted[i];
        return [.. numbers.Select(n => p.TryGetValue(n, out double value) ? n with { AdjustedP = value } : n)];
    }

    // equal numbers are the same result read twice, not a test
    private static NumberDifference Difference(string system, string measure, Estimate first, Estimate second)
    {
        double error = Math.Sqrt(first.Se * first.Se + second.Se * second.Se), difference = second.Mean - first.Mean;
        double p = first == second ? double.NaN : error > 0 ? 2 * Gaussian.Cdf(-Math.Abs(difference) / error) : double.NaN;
        return new(system, measure, first, second, Interval.Normal(difference, error, Math.Min(first.N, second.N), "normal"), p, double.NaN);
    }
}
