using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Evaluation;
using Paddock.Reports;

namespace Paddock.Cli.Studies;

/// <summary>The last line of standard output under <c>--json</c>; rates in 0..1. Documented in docs/json.md and held by a test.</summary>
internal sealed record StudyDocument(string Study, double Seconds, IReadOnlyList<MethodDocument> Methods, string Report, IReadOnlyList<AccuracyDocument>? Accuracy = null);

/// <param name="WinRate">simulated (the pool), human, gold; other annotators under their own names.</param>
/// <param name="VsSft">Paired difference to the baseline system; absent for the baseline.</param>
/// <param name="Stability">Standard deviation over seeds of each win rate; null for one seed.</param>
internal sealed record MethodDocument(string Name, IReadOnlyDictionary<string, Estimate> WinRate, IReadOnlyDictionary<string, DifferenceDocument>? VsSft,
    IReadOnlyDictionary<string, double>? Stability, CostDocument Train, CostDocument Inference, IReadOnlyDictionary<string, Estimate> Measures);

internal sealed record DifferenceDocument(double Mean, double Se);

internal sealed record CostDocument(double Tokens, double Flops, double Seconds);

internal sealed record AccuracyDocument(string Model, double Accuracy, double Low, double High, int N);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StudyDocument))]
internal sealed partial class CliJson : JsonSerializerContext;

internal static class StudyDocuments
{
    /// <summary>One document for a study, its seeds averaged: win rates are means over seeds, their standard errors combine both sources.</summary>
    public static StudyDocument Of(IReadOnlyList<StudySummary> seeds, double seconds, string report)
    {
        StudySummary first = seeds[0];
        List<MethodDocument> methods = [];
        if (first.Evaluations.Count > 0)
            foreach (SystemResult system in first.Evaluations[^1].Result.Systems)
                methods.Add(Method(seeds, system.Name));
        List<AccuracyDocument> accuracy = [.. first.Accuracies.SelectMany(a => a.Result.Models).Select(m => new AccuracyDocument(m.Model, m.Accuracy.Mean, m.Low, m.High, m.Accuracy.N))];
        return new(first.Study, Math.Round(seconds, 1), methods, report, accuracy.Count > 0 ? accuracy : null);
    }

    public static string Serialize(StudyDocument document) => JsonSerializer.Serialize(document, CliJson.Default.StudyDocument);

    /// <summary>The names that the document uses for annotators.</summary>
    public static string NameOf(string annotator) => annotator == "pool" ? "simulated" : annotator;

    private static MethodDocument Method(IReadOnlyList<StudySummary> seeds, string name)
    {
        List<(EvaluationSummary Evaluation, SystemResult System)> runs = [.. seeds.Select(s => (s.Evaluations[^1], s.Evaluations[^1].Result.Systems.First(x => x.Name == name)))];
        string[] annotators = [.. runs[0].Evaluation.Result.Annotators];
        SystemResult system = runs[0].System;
        Dictionary<string, Estimate> rates = annotators.ToDictionary(NameOf, a => SeedStatistics.Combine([.. runs.Select(r => r.System.Annotators[a].WinRate)]));
        Dictionary<string, DifferenceDocument>? differences = system.Annotators.Values.Any(a => a.VersusBaseline == null) ? null
            : annotators.ToDictionary(NameOf, a =>
            {
                Estimate difference = SeedStatistics.Combine([.. runs.Select(r => r.System.Annotators[a].VersusBaseline!)]);
                return new DifferenceDocument(difference.Mean, difference.Se);
            });
        Dictionary<string, double>? stability = seeds.Count < 2 ? null : annotators.ToDictionary(NameOf, a => SeedStatistics.Spread(runs.Select(r => r.System.Annotators[a].WinRate.Mean)) ?? 0);
        Cost[] train = [.. runs.Select(r => r.Evaluation.TrainCost[name])];
        return new(name, rates, differences, stability, new(train.Average(c => (double)c.Tokens), train.Average(c => c.Flops), train.Average(c => c.Seconds)),
            new(runs.Average(r => r.System.Inference.Tokens), runs.Average(r => r.System.Inference.Flops), runs.Average(r => r.Evaluation.InferenceSeconds.GetValueOrDefault(name))),
            system.Measures.ToDictionary(m => m.Key, m => SeedStatistics.Combine([.. runs.Select(r => r.System.Measures.GetValueOrDefault(m.Key, new Estimate(double.NaN, double.NaN, 0)))])));
    }
}
