using Paddock.Backends;
using Paddock.Data;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary>Judges the answers of a win-rate stage and makes its table: rates by prompt, paired differences, what the world knows, costs.</summary>
internal sealed class WinRateTable(WinRateStage stage, StageRun run, Prompt[] prompts, Dictionary<string, List<SystemRow>> rows)
{
    public async Task<EvaluationResult> MakeAsync(CancellationToken cancellation)
    {
        string baseline = stage.Systems.Keys.First();
        Response[] reference = stage.Against == WinRateStage.Reference
            ? [.. run.World.References(stage.Split).Take(prompts.Length)]
            : [.. rows[stage.Against].Select(row => row.Response)];

        // preferences[annotator][system][prompt]; NaN where there is no verdict
        Dictionary<string, Dictionary<string, double[]>> preferences = [];
        foreach (IAnnotator annotator in await AnnotatorsAsync(cancellation))
        {
            preferences[annotator.Name] = [];
            foreach (string system in stage.Systems.Keys)
                preferences[annotator.Name][system] = system == stage.Against ? [.. prompts.Select(_ => 0.5)] : await JudgeAsync(annotator, rows[system], reference, cancellation);
        }

        List<SystemResult> systems = [];
        foreach ((string name, SystemSettings settings) in stage.Systems)
            systems.Add(new(name, settings.Policy, settings.Rerank, settings.N,
                preferences.ToDictionary(p => p.Key, p => Result(p.Value[name], name == baseline ? null : p.Value[baseline])),
                Measures(rows[name]), new InferenceCost(rows[name].Average(r => (double)r.Tokens), rows[name].Average(r => r.Flops))));
        return new(stage.Prompts ?? stage.Split, prompts.Length, stage.Against, baseline, stage.Temperature, stage.Expected, [.. preferences.Keys], systems, Examples(reference, preferences));
    }

    private async Task<List<IAnnotator>> AnnotatorsAsync(CancellationToken cancellation)
    {
        List<IAnnotator> annotators = [.. stage.Annotators.Select(name => run.World.Annotator(name, new AnnotatorOptions(run.Seed, stage.Expected)))];
        foreach ((string name, string model) in stage.Judges)
        {
            string weights = run.Input(model).Weights;
            ITrainableModel reward = await run.OpenFrozenAsync(name, new ModelSpec(weights, new Adaptation.Full(), Head.Scalar, run.Seed), cancellation);
            annotators.Add(new RewardAnnotator(name, new RewardScorer(reward), run.Services.OpenCodec(weights)));
        }
        return annotators;
    }

    private async Task<double[]> JudgeAsync(IAnnotator annotator, List<SystemRow> answers, Response[] reference, CancellationToken cancellation)
    {
        Comparison[] comparisons = [.. prompts.Select((prompt, i) => new Comparison(prompt.Id, prompt, answers[i].Response, reference[i]))];
        IReadOnlyList<Verdict> verdicts = await annotator.CompareAsync(comparisons, cancellation);
        int missing = verdicts.Count(v => v.FirstPreferred == null);
        if (missing > 0)
            run.Warn($"{annotator.Name}: {missing} of {verdicts.Count} verdicts are missing: {verdicts.First(v => v.FirstPreferred == null).MissingReason}");
        return [.. verdicts.Select(v => v.FirstPreferred ?? double.NaN)];
    }

    private static AnnotatorResult Result(double[] scores, double[]? baseline)
    {
        double[] given = [.. scores.Where(s => !double.IsNaN(s))];
        double[]? differences = baseline == null ? null : [.. scores.Zip(baseline, (s, b) => s - b).Where(d => !double.IsNaN(d))];
        return new(Mean(given), given.Count(s => s > 0.5), given.Count(s => s == 0.5), given.Count(s => s < 0.5), scores.Length - given.Length, differences == null ? null : Mean(differences));
    }

    private Dictionary<string, Estimate> Measures(List<SystemRow> answers)
    {
        Dictionary<string, List<double>> values = new()
        {
            ["length"] = [.. answers.Select(a => (double)(a.Response.Tokens?.Count ?? 0))],
            ["finished"] = [.. answers.Select(a => a.Response.Finished ? 1.0 : 0.0)],
        };
        if (answers.All(a => a.Kl != null))
            values["kl"] = [.. answers.Select(a => a.Kl!.Value)];
        for (int i = 0; i < answers.Count; i++)
            foreach ((string name, double value) in run.World.Measure(prompts[i], answers[i].Response))
                if (!double.IsNaN(value))
                    (values.TryGetValue(name, out List<double>? list) ? list : values[name] = []).Add(value);
        return values.Where(v => v.Value.Count > 0).ToDictionary(v => v.Key, v => Mean(v.Value));
    }

    private List<ExampleAnswers> Examples(Response[] reference, Dictionary<string, Dictionary<string, double[]>> preferences)
    {
        // spread over the split, so that every kind of prompt has a chance to show
        int count = Math.Min(stage.Examples, prompts.Length);
        return [.. Enumerable.Range(0, count).Select(k => (int)((long)k * prompts.Length / count)).Select(i => new ExampleAnswers(prompts[i].Id, prompts[i].Instruction,
            stage.Against == WinRateStage.Reference ? reference[i].Text : null,
            [.. stage.Systems.Keys.Select(system => new ExampleAnswer(system, rows[system][i].Response.Text, rows[system][i].Response.Finished,
                preferences.ToDictionary(p => p.Key, p => double.IsNaN(p.Value[system][i]) ? (double?)null : p.Value[system][i])))]))];
    }

    // sd / sqrt n with n - 1 in the variance: the prompt is the unit
    private static Estimate Mean(IReadOnlyList<double> values)
    {
        Interval interval = Interval.OfMean([.. values]);
        return new(interval.Mean, interval.StandardError, interval.N);
    }
}
