using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Reports;
using Paddock.Studies;
using Paddock.Worlds;

namespace Paddock.Tests.Reports;

/// <summary>Summaries as a finished study leaves them, made up: what the quickstart measures, at its size.</summary>
internal static class SampleStudy
{
    public static readonly DateTimeOffset Date = new(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);

    private static readonly MachineInfo Machine = new("Debian GNU/Linux 12", "x64", "Imaginary CPU 9000", 2, 7.8, ".NET 10.0.12", "512-bit", 2);

    /// <summary>Four systems, three annotators and a proxy on the Meadow.</summary>
    public static StudySummary Quickstart(ulong seed = 1)
    {
        string[] annotators = ["pool", "human", "gold", "rm"];
        double shift = 0.004 * (seed - 1.0);
        SystemResult[] systems =
        [
            System("sft", "sft", null, 1, [0.481 + shift, 0.532 + shift, 0.51, 0.44], null, 2.541, 0),
            System("best-of-16", "sft", "rm", 16, [0.642 + shift, 0.668, 0.655, 0.91], [0.161, 0.136, 0.145, 0.47], 3.312, 1.87),
            System("expert iteration", "expit", null, 1, [0.634, 0.661 + shift, 0.649, 0.83], [0.153, 0.129, 0.139, 0.39], 3.287, 1.42),
            System("dpo", "dpo", null, 1, [0.597, 0.61, 0.598 - shift, 0.75], [0.116, 0.078, 0.088, 0.31], 2.973, 2.05),
        ];
        Dictionary<string, Cost> costs = new()
        {
            ["sft"] = new(71_250, 0.43e12, 9.4),
            ["best-of-16"] = new(412_000, 2.61e12, 61.2),
            ["expert iteration"] = new(655_000, 3.97e12, 104.6),
            ["dpo"] = new(530_400, 4.12e12, 98.3),
        };
        EvaluationResult result = new("evaluation", 805, "reference", "sft", 0.7, true, annotators, systems, [.. Enumerable.Range(0, 12).Select(Example)]);
        EvaluationSummary evaluation = new("evaluation", result, costs, new Dictionary<string, double>
        {
            ["sft"] = 0.00213,
            ["best-of-16"] = 0.0311,
            ["expert iteration"] = 0.00208,
            ["dpo"] = 0.00221,
        }, ["rm"]);
        StageSummary[] stages =
        [
            Stage("sft", "sft", "4,000 demonstrations", new(71_250, 0.43e12, 9.4), seed, ("loss", 1.9, 0.62), ("mean_token_accuracy", 0.55, 0.82), ("entropy", 1.8, 0.6), ("learning_rate", 5e-4, 0), ("grad_norm", 3, 0.8)),
            Stage("pairs", "sample", "6000 prompts, 2 answers each", new(98_000, 0.1e12, 14.9), seed),
            Stage("preferences", "annotate", "5321 preferences by pool, 679 pairs of equal answers left out", new(0, 0, 1.2), seed),
            Stage("rm", "reward-model", "5321 preferences", new(242_750, 2.08e12, 35.7), seed, ("loss", 0.7, 0.64), ("accuracy", 0.5, 0.63), ("margin", 0, 0.4), ("learning_rate", 5e-4, 0)),
            Stage("expit", "expert-iteration", "800 best-of-16 answers, reward +0.91 above the mean answer", new(243_000, 1.36e12, 43.4), seed, ("loss", 0.7, 0.3), ("learning_rate", 3e-4, 0)),
            Stage("dpo", "dpo", "5321 preferences", new(361_150, 3.59e12, 74), seed, ("loss", 0.693, 0.6), ("rewards/accuracies", 0.5, 0.68), ("rewards/margins", 0, 0.5), ("rewards/chosen", 0, -0.4), ("rewards/rejected", 0, -0.9), ("learning_rate", 3e-4, 0)),
            Stage("evaluation", "win-rate", "sft 48.1, best-of-16 64.2, expert iteration 63.4, dpo 59.7 by pool", new(260_000, 1.4e12, 31.3), seed),
        ];
        StudyManifest manifest = new(1, "quickstart", seed, "0.1.0", 1, "meadow", new MeadowWorld().Fingerprint, Machine,
            [.. stages.Select(s => new ManifestStage(s.Name, s.Kind, s.Key, "out", s.Summary))]);
        AccuracyResult accuracy = new("held-out", [new("rm", new Estimate(0.6123, 0.0109, 2000), 0.5908, 0.6334, 4, 0.6543, 0.0231)]);
        return new("quickstart", seed, manifest, Recipe(seed), stages, [evaluation], [("accuracy", accuracy)]);
    }

    /// <summary>The smallest study: one stage, nothing measured.</summary>
    public static StudySummary Empty() => new("empty", 7, new(1, "empty", 7, "0.1.0", 1, null, null, Machine, []), "study: empty\n",
        [new("sft", "sft", "abc", "", null, new(0, 0, 0), [], new Dictionary<string, IReadOnlyList<(int, double)>> { ["loss"] = [] })], [], []);

    /// <summary>A study with one evaluation of these systems, by one annotator named pool, on 10 prompts of a file.</summary>
    public static StudySummary Small(params SystemResult[] systems)
    {
        EvaluationResult result = new("evaluation", 10, "reference", systems.Length > 0 ? systems[0].Name : "none", 1, false, ["pool"], systems, []);
        return Empty() with { Evaluations = [new("evaluation", result, new Dictionary<string, Cost>(), new Dictionary<string, double>())] };
    }

    public static SystemResult System(string name, AnnotatorResult pool, params (string Name, Estimate Value)[] measures) => new(name, name, null, 1,
        new Dictionary<string, AnnotatorResult> { ["pool"] = pool }, measures.ToDictionary(m => m.Name, m => m.Value), new(12.5, 3.4e7));

    private static SystemResult System(string name, string policy, string? rerank, int n, double[] rates, double[]? differences, double utility, double kl)
    {
        string[] annotators = ["pool", "human", "gold", "rm"];
        return new(name, policy, rerank, n,
            annotators.Select((a, i) => (a, i)).ToDictionary(x => x.a, x => new AnnotatorResult(new(rates[x.i], 0.0087 + 0.001 * x.i, 805),
                (int)(700 * rates[x.i]), 105, 700 - (int)(700 * rates[x.i]), 0, differences == null ? null : new(differences[x.i], 0.0079 + 0.001 * x.i, 805))),
            new Dictionary<string, Estimate>
            {
                ["utility"] = new(utility, 0.051, 805),
                ["length"] = new(11.84, 0.19, 805),
                ["finished"] = new(0.9975, 0.0018, 805),
                ["kl"] = new(kl, 0.031, 805),
                ["exact"] = new(utility / 4.5, 0.016, 805),
                ["helpful"] = new(0.802, 0.013, 611),
                ["honest"] = new(0.613, 0.044, 124),
                ["harmless"] = new(0.714, 0.054, 70),
                ["over_refusal"] = new(0.031, 0.007, 611),
            },
            new(11.84 * n, 2.4e7 * n));
    }

    private static ExampleAnswers Example(int i) => new($"evaluation-{67 * i:000}", i % 3 == 0 ? "anna has a red hat . what colour is the hat ?" : "list three kinds of fruit .", "it is red .",
    [
        new("sft", "the hat is red , anna", true, new Dictionary<string, double?> { ["pool"] = 0.5, ["human"] = 0.48, ["gold"] = 0.5, ["rm"] = 0.41 }),
        new("best-of-16", "gladly ! the hat is red .", true, new Dictionary<string, double?> { ["pool"] = 0.71, ["human"] = 0.69, ["gold"] = 1, ["rm"] = 0.93 }),
        new("expert iteration", i % 4 == 1 ? string.Concat(Enumerable.Repeat("apple , pear and again ", 40)) : "gladly ! red .", i % 4 != 1, new Dictionary<string, double?> { ["pool"] = 0.66, ["human"] = 0.7, ["gold"] = 1, ["rm"] = 0.8 }),
        new("dpo", "", true, new Dictionary<string, double?> { ["pool"] = 0.2, ["human"] = null, ["gold"] = 0, ["rm"] = 0.6 }),
    ]);

    private static StageSummary Stage(string name, string kind, string summary, Cost cost, ulong seed, params (string Metric, double From, double To)[] curves)
    {
        const int Steps = 330;
        RandomStream stream = new(seed, name);
        Dictionary<string, IReadOnlyList<(int, double)>> lines = [];
        foreach ((string metric, double from, double to) in curves)
        {
            RandomStream own = stream.Split((ulong)lines.Count);
            double noise = metric == "learning_rate" ? 0 : 0.12 * Math.Abs(from - to);
            lines[metric] = [.. Enumerable.Range(0, Steps).Select(s => (s, (metric == "learning_rate" ? from * (1 - s / (double)Steps) : to + (from - to) * Math.Exp(-s / 60.0)) + noise * (own.NextDouble() - 0.5)))];
        }
        string key = string.Concat(Enumerable.Range(0, 64).Select(i => "0123456789abcdef"[(name.Length * 7 + i * 5 + (int)seed) % 16]));
        return new(name, kind, key, "", summary, cost, [], lines);
    }

    private static string Recipe(ulong seed) => $"""
        study: quickstart
        seed: {seed}
        world: meadow
        model: meadow-base
        stages:
          - sft:
              name: sft
              learning-rate: 0.0005
          - win-rate:
              name: evaluation
              systems:
                sft: sft
              judges:
                rm: rm
        """;
}
