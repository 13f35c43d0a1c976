using Paddock.Evaluation;

namespace Paddock.Reports;

/// <summary>One method over all seeds of a study.</summary>
/// <param name="WinRate">By annotator: mean and standard error over seeds (<see cref="SeedStatistics.Combine"/>).</param>
/// <param name="Spread">By annotator: standard deviation of the win rate between seeds; null for fewer than two seeds.</param>
/// <param name="Kl">Mean KL to the baseline in nats; null where it was not measured.</param>
/// <param name="Worse">Seeds in which it was below the baseline by more than two paired standard errors, by the last annotator.</param>
/// <param name="Training">Mean cost of getting the system from the study's model, shared stages counted for each.</param>
/// <param name="SecondsPerAnswer">Mean measured time of an answer; null where it was not measured.</param>
public sealed record ComparedMethod(string Name, IReadOnlyDictionary<string, Estimate> WinRate, IReadOnlyDictionary<string, double?> Spread, Estimate? Kl, int Worse, Cost Training, double? SecondsPerAnswer);

/// <summary>
/// The table that methods are compared by: win rates with their uncertainty, how stable the outcome is between seeds, what it cost. Taken from
/// the last win-rate stage of each seed; memory is not measured.
/// </summary>
/// <param name="Annotators">In the order of the columns.</param>
/// <param name="Baseline">The system that differences are taken to.</param>
public sealed record MethodComparison(IReadOnlyList<string> Annotators, string Baseline, int Seeds, IReadOnlyList<ComparedMethod> Methods)
{
    private const double Clearly = 2;

    /// <summary>All seeds of one study; each must end in a win-rate stage with the same systems.</summary>
    public static MethodComparison Of(IReadOnlyList<StudySummary> seeds)
    {
        EvaluationSummary[] evaluations = [.. seeds.Where(s => s.Evaluations.Count > 0).Select(s => s.Evaluations[^1])];
        if (evaluations.Length == 0)
            throw new Engine.BadInputException("there is nothing to compare: the recipe has no win-rate stage");
        EvaluationResult first = evaluations[0].Result;
        return new(first.Annotators, first.Baseline, evaluations.Length, [.. first.Systems.Select(s => Compare(s.Name, first.Annotators, evaluations))]);
    }

    private static ComparedMethod Compare(string name, IReadOnlyList<string> annotators, EvaluationSummary[] evaluations)
    {
        SystemResult[] systems = [.. evaluations.Select(e => e.Result.Systems.Single(s => s.Name == name))];
        Dictionary<string, Estimate> winRates = [];
        Dictionary<string, double?> spreads = [];
        foreach (string annotator in annotators)
        {
            Estimate[] rates = [.. systems.Select(s => s.Annotators[annotator].WinRate)];
            winRates[annotator] = SeedStatistics.Combine(rates);
            spreads[annotator] = SeedStatistics.Spread(rates.Select(r => r.Mean));
        }
        Estimate[] kls = [.. systems.Where(s => s.Measures.ContainsKey("kl")).Select(s => s.Measures["kl"])];
        Cost[] costs = [.. evaluations.Select(e => e.TrainCost[name])];
        double[] seconds = [.. evaluations.Where(e => e.InferenceSeconds.ContainsKey(name)).Select(e => e.InferenceSeconds[name])];
        return new(name, winRates, spreads, kls.Length == 0 ? null : SeedStatistics.Combine(kls), systems.Count(s => s.Annotators[annotators[^1]].VersusBaseline is { } d && d.Mean < -Clearly * d.Se),
            new Cost((long)costs.Average(c => (double)c.Tokens), costs.Average(c => c.Flops), costs.Average(c => c.Seconds)), seconds.Length == 0 ? null : seconds.Average());
    }
}
