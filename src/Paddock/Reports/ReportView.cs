using Paddock.Evaluation;
using Paddock.Worlds;

namespace Paddock.Reports;

/// <summary>What the page shows: one study, its seeds side by side.</summary>
/// <param name="Seeds">At least one; of the same recipe.</param>
/// <param name="Overlap">Evaluation prompts that stand word for word in each other split; null when the world does not count them.</param>
public sealed record ReportView(IReadOnlyList<StudySummary> Seeds, DateTimeOffset At, IReadOnlyList<EvaluationView> Evaluations, PromptOverlap? Overlap)
{
    private const string Meadow = "meadow";

    // the splits are generated, which takes a moment
    private static readonly Lazy<(string Fingerprint, PromptOverlap Overlap)> CurrentMeadow = new(() =>
    {
        MeadowWorld world = new();
        return (world.Fingerprint, new(world.Prompts(PromptOverlap.Split).Count, world.EvaluationOverlap));
    });

    /// <summary>The seed whose examples, recipe and settings are shown.</summary>
    public StudySummary First => Seeds[0];

    /// <summary>The world is generated: its people are simulated too, and the truth is known.</summary>
    public bool IsMeadow => First.Manifest.World == Meadow;

    public static ReportView Of(IReadOnlyList<StudySummary> seeds, DateTimeOffset at)
    {
        ArgumentOutOfRangeException.ThrowIfZero(seeds.Count);
        return new(seeds, at, [.. seeds[0].Evaluations.Select(e => EvaluationView.Of(e.Stage, seeds))], OverlapOf(seeds[0]));
    }

    // of the world as it is in this program, so only when the study saw the same one
    private static PromptOverlap? OverlapOf(StudySummary study) =>
        study.Manifest.World == Meadow && study.Evaluations.Any(e => e.Result.Split == PromptOverlap.Split) && study.Manifest.WorldFingerprint == CurrentMeadow.Value.Fingerprint
            ? CurrentMeadow.Value.Overlap
            : null;
}

/// <param name="Prompts">Size of the evaluation split.</param>
/// <param name="In">How many of them stand word for word in each other split.</param>
public sealed record PromptOverlap(int Prompts, IReadOnlyDictionary<string, int> In)
{
    internal const string Split = "evaluation";
}

/// <summary>One win-rate stage over the seeds.</summary>
/// <param name="First">Of the first seed: settings, examples, order of systems.</param>
/// <param name="Seeds">How many seeds the numbers are means of.</param>
public sealed record EvaluationView(string Stage, EvaluationResult First, IReadOnlyList<AnnotatorView> Annotators, IReadOnlyList<SystemView> Systems, int Seeds)
{
    /// <summary>What the systems are compared with, in words.</summary>
    public string Opponent => First.Against == "reference" ? "the fixed reference answers" : $"the answers of system {First.Against}";

    public bool Any(string measure) => Systems.Any(s => s.Measures.ContainsKey(measure));

    internal static EvaluationView Of(string stage, IReadOnlyList<StudySummary> seeds)
    {
        EvaluationSummary[] runs = [.. seeds.Select(s => s.Evaluations.FirstOrDefault(e => e.Stage == stage)).OfType<EvaluationSummary>()];
        EvaluationSummary first = runs[0];
        AnnotatorView[] annotators = [.. first.Result.Annotators.Select((name, i) => new AnnotatorView(name, AnnotatorView.TitleOf(name, first.Judges?.Contains(name) == true), i))];
        return new(stage, first.Result, annotators, [.. first.Result.Systems.Select(s => SystemView.Of(s, runs))], runs.Length);
    }
}

/// <param name="Title">As readers see it; says when it is a proxy.</param>
/// <param name="Index">Picks its marker and colour.</param>
public sealed record AnnotatorView(string Name, string Title, int Index)
{
    internal static string TitleOf(string name, bool isRewardModel) => (name, isRewardModel) switch
    {
        ("proxy", true) => "reward model (proxy)",
        (_, true) => $"{name} (proxy)",
        ("pool", _) => "simulated (pool)",
        ("human", _) => "human panel",
        ("gold", _) => "gold (truth)",
        ("judge", _) => "single judge",
        _ => name,
    };
}

/// <summary>One row of the tables.</summary>
/// <param name="How">How it answers: its policy, and what chooses among how many answers.</param>
/// <param name="Rates">By annotator name; one that gave nothing is absent.</param>
/// <param name="Train">Mean over seeds of what it took to get it; null when not counted.</param>
/// <param name="Seconds">Measured seconds an answer; null when not measured.</param>
public sealed record SystemView(string Name, string How, IReadOnlyDictionary<string, RateView> Rates, IReadOnlyDictionary<string, Estimate> Measures,
    Cost? Train, InferenceCost Inference, double? Seconds)
{
    internal static SystemView Of(SystemResult system, EvaluationSummary[] runs)
    {
        SystemResult[] results = [.. runs.Select(r => r.Result.Systems.FirstOrDefault(s => s.Name == system.Name)).OfType<SystemResult>()];
        Cost[] costs = [.. runs.Select(r => r.TrainCost.GetValueOrDefault(system.Name)).OfType<Cost>()];
        double[] seconds = [.. runs.Where(r => r.InferenceSeconds.ContainsKey(system.Name)).Select(r => r.InferenceSeconds[system.Name])];
        string how = system.Rerank == null ? system.Policy : $"{system.Policy}, best of {system.N} by {system.Rerank}";
        return new(system.Name, how,
            system.Annotators.Keys.ToDictionary(a => a, a => RateView.Of([.. results.Where(r => r.Annotators.ContainsKey(a)).Select(r => r.Annotators[a])])),
            system.Measures.Keys.ToDictionary(m => m, m => SeedStatistics.Combine([.. results.Where(r => r.Measures.ContainsKey(m)).Select(r => r.Measures[m])])),
            costs.Length == 0 ? null : new((long)costs.Average(c => c.Tokens), costs.Average(c => c.Flops), costs.Average(c => c.Seconds)),
            new(results.Average(r => r.Inference.Tokens), results.Average(r => r.Inference.Flops)), seconds.Length == 0 ? null : seconds.Average());
    }
}

/// <param name="Spread">Standard deviation of the win rate between seeds; null for one seed.</param>
/// <param name="Wins">Prompts, summed over the seeds, as are the next three.</param>
public sealed record RateView(Estimate WinRate, Estimate? VersusBaseline, double? Spread, int Wins, int Ties, int Losses, int Missing)
{
    internal static RateView Of(IReadOnlyList<AnnotatorResult> seeds) => new(SeedStatistics.Combine([.. seeds.Select(s => s.WinRate)]),
        seeds.Any(s => s.VersusBaseline == null) ? null : SeedStatistics.Combine([.. seeds.Select(s => s.VersusBaseline!)]),
        SeedStatistics.Spread(seeds.Select(s => s.WinRate.Mean)), seeds.Sum(s => s.Wins), seeds.Sum(s => s.Ties), seeds.Sum(s => s.Losses), seeds.Sum(s => s.Missing));
}
