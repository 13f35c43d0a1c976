using System.Text.Json;
using Paddock.Evaluation;
using Paddock.Studies;
using Paddock.Studies.Stages;

namespace Paddock.Reports;

/// <summary>Tokens, floating-point operations and seconds of a part of a study.</summary>
public sealed record Cost(long Tokens, double Flops, double Seconds)
{
    public static Cost operator +(Cost a, Cost b) => new(a.Tokens + b.Tokens, a.Flops + b.Flops, a.Seconds + b.Seconds);
}

/// <summary>One stage as the report shows it.</summary>
/// <param name="Settings">YAML, every default written out.</param>
/// <param name="Curves">Metric name to (step, value) pairs, from metrics.jsonl; rows that were not measured are left out.</param>
public sealed record StageSummary(string Name, string Kind, string Key, string Settings, string? Summary, Cost Cost, IReadOnlyList<string> Warnings,
    IReadOnlyDictionary<string, IReadOnlyList<(int Step, double Value)>> Curves);

/// <param name="TrainCost">By system: everything it took to get it from the study's model, shared stages counted for each.</param>
/// <param name="InferenceSeconds">By system: measured seconds an answer.</param>
/// <param name="Judges">Annotators that are reward models: a proxy, not a judgement of people or of the world.</param>
public sealed record EvaluationSummary(string Stage, EvaluationResult Result, IReadOnlyDictionary<string, Cost> TrainCost, IReadOnlyDictionary<string, double> InferenceSeconds,
    IReadOnlyCollection<string>? Judges = null);

/// <summary>Everything a report or a table needs of one finished study, read from its folders alone.</summary>
public sealed record StudySummary(string Study, ulong Seed, StudyManifest Manifest, string RecipeYaml, IReadOnlyList<StageSummary> Stages,
    IReadOnlyList<EvaluationSummary> Evaluations, IReadOnlyList<(string Stage, AccuracyResult Result)> Accuracies)
{
    /// <summary>Reads the folders that <paramref name="manifest"/> names.</summary>
    public static StudySummary Read(Recipe recipe, StageTable table, StudyManifest manifest, RunsFolder runs)
    {
        Dictionary<string, StageFolder> folders = manifest.Stages.ToDictionary(s => s.Name, s => runs.Stage(s.Key), StringComparer.Ordinal);
        Dictionary<string, IStage> stages = recipe.Stages.ToDictionary(s => s.Name, StringComparer.Ordinal);
        List<StageSummary> summaries = [];
        List<EvaluationSummary> evaluations = [];
        List<(string, AccuracyResult)> accuracies = [];
        foreach (ManifestStage stage in manifest.Stages)
        {
            StageFolder folder = folders[stage.Name];
            summaries.Add(new(stage.Name, stage.Kind, stage.Key, folder.ReadDescription()?.Settings ?? "", stage.Summary, CostOf(folder), ReadWarnings(folder),
                stage.Kind == "win-rate" ? new Dictionary<string, IReadOnlyList<(int, double)>>() : ReadCurves(folder))); // rows of a win-rate are systems, not steps
            string results = folder.File("results.json");
            if (!File.Exists(results))
                continue;
            string json = File.ReadAllText(results);
            if (stage.Kind == "win-rate" && ReportJson.ReadEvaluation(json) is { } evaluation)
                evaluations.Add(new(stage.Name, evaluation,
                    evaluation.Systems.ToDictionary(s => s.Name, s => Closure([s.Policy, s.Rerank], stages).Aggregate(new Cost(0, 0, 0), (sum, name) => sum + CostOf(folders[name]))),
                    ReportJson.ReadSeconds(folder.File("inference.json")), (stages.GetValueOrDefault(stage.Name) as WinRateStage)?.Judges.Keys.ToArray()));
            else if (stage.Kind == "accuracy" && ReportJson.ReadAccuracy(json) is { } accuracy)
                accuracies.Add((stage.Name, accuracy));
        }
        return new(manifest.Study, manifest.Seed, manifest, recipe.ToYaml(table), summaries, evaluations, accuracies);
    }

    // all stages that these names rest on, themselves included; names from outside the study cost it nothing
    private static HashSet<string> Closure(IEnumerable<string?> names, Dictionary<string, IStage> stages)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        Stack<string?> open = new(names);
        while (open.TryPop(out string? name))
            if (name != null && stages.TryGetValue(name, out IStage? stage) && found.Add(name))
                foreach (StageInput input in stage.Inputs)
                    open.Push(input.Name);
        return found;
    }

    private static Cost CostOf(StageFolder folder) => folder.ReadTiming() is { } timing ? new(timing.Tokens, timing.Flops, timing.Seconds) : new(0, 0, 0);

    private static List<string> ReadWarnings(StageFolder folder)
    {
        List<string> warnings = [];
        if (File.Exists(folder.Warnings))
            foreach (string line in File.ReadLines(folder.Warnings))
                using (JsonDocument row = JsonDocument.Parse(line))
                    warnings.Add(row.RootElement.GetProperty("message").GetString() ?? "");
        return warnings;
    }

    private static Dictionary<string, IReadOnlyList<(int, double)>> ReadCurves(StageFolder folder)
    {
        Dictionary<string, List<(int, double)>> curves = new(StringComparer.Ordinal);
        if (File.Exists(folder.Metrics))
            foreach (string line in File.ReadLines(folder.Metrics))
                using (JsonDocument row = JsonDocument.Parse(line))
                {
                    int step = row.RootElement.GetProperty("step").GetInt32();
                    foreach (JsonProperty metric in row.RootElement.EnumerateObject())
                        if (metric.Name != "step" && metric.Value.ValueKind == JsonValueKind.Number)
                            (curves.TryGetValue(metric.Name, out List<(int, double)>? curve) ? curve : curves[metric.Name] = []).Add((step, metric.Value.GetDouble()));
                }
        return curves.ToDictionary(c => c.Key, c => (IReadOnlyList<(int, double)>)c.Value);
    }
}
