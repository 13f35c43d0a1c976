using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary>What is compared: a policy, and optionally a reward model that chooses among n of its answers.</summary>
public sealed record SystemSettings(string Policy, string? Rerank = null, [Range(1, 65536)] int N = 1);

/// <summary><c>win-rate</c>: every system answers the same prompts the same way and is compared with a reference.</summary>
/// <param name="Systems">By the name that tables show; the first is the baseline of paired differences.</param>
/// <param name="Against">The world's <c>reference</c>, or the name of a system.</param>
/// <param name="Annotators">Annotators of the world.</param>
/// <param name="Judges">Further annotators: name to the stage of a reward model.</param>
/// <param name="Expected">Exact expectations over raters, misreads and orders (the default) or one drawn label a prompt.</param>
/// <param name="Kl">Also measure the mean of log policy - log baseline over each trained system's answers, both at temperature 1: the k1 estimate of KL when answers are drawn at temperature 1.</param>
/// <param name="Prompts">Stage with preferences whose prompts are answered in place of a split: held-out ones, for one.</param>
/// <param name="Limit">First so many prompts only.</param>
/// <param name="Examples">Prompts shown side by side in the report.</param>
[Makes(StageProduct.Results)]
public sealed record WinRateStage(string Name, IReadOnlyDictionary<string, SystemSettings> Systems, string Against = "reference", string Split = "evaluation",
    IReadOnlyList<string>? Annotators = null, IReadOnlyDictionary<string, string>? Judges = null, [Range(0, 100)] double Temperature = 0.7,
    [Range(0, 1, MinimumIsExclusive = true)] double TopP = 1.0, [Range(1, 1 << 20)] int? MaxTokens = null, bool Expected = true, bool Kl = false, string? Prompts = null,
    [Range(1, int.MaxValue)] int? Limit = null, [Range(0, int.MaxValue)] int Examples = 12) : IStage
{
    public const string Reference = "reference";

    public IReadOnlyList<string> Annotators { get; init; } = Annotators ?? [];

    public IReadOnlyDictionary<string, string> Judges { get; init; } = Judges ?? new Dictionary<string, string>();

    public int Version => 2;

    public IEnumerable<StageInput> Inputs
    {
        get
        {
            foreach ((string name, SystemSettings system) in Systems)
            {
                yield return new($"systems.{name}.policy", system.Policy, InputKind.Model, StageProduct.Policy);
                if (system.Rerank != null)
                    yield return new($"systems.{name}.rerank", system.Rerank, InputKind.Model, StageProduct.RewardModel);
            }
            foreach ((string name, string stage) in Judges)
                yield return new($"judges.{name}", stage, InputKind.Model, StageProduct.RewardModel);
            if (Prompts != null)
                yield return new("prompts", Prompts, Wants: StageProduct.Preferences);
        }
    }

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Systems.Count == 0)
            yield return new("systems", "must name at least one system");
        if (Annotators.Count + Judges.Count == 0)
            yield return new("annotators", "must name at least one annotator (or give judges)");
        foreach (string judge in Judges.Keys.Where(name => Annotators.Contains(name)))
            yield return new($"judges.{judge}", "has the name of an annotator; choose another");
        if (Against == Reference && Prompts != null)
            yield return new("against", "must be one of the systems when the prompts come from a stage, which has no reference answers");
        if (Against != Reference && !Systems.ContainsKey(Against))
            yield return new("against", $"must be '{Reference}' or one of the systems: {string.Join(", ", Systems.Keys)}");
        foreach ((string name, SystemSettings system) in Systems)
        {
            foreach (StageProblem problem in TrainingChecks.Answers($"systems.{name}.n", system.N, Temperature))
                yield return problem;
            if (system.N > 1 && system.Rerank == null)
                yield return new($"systems.{name}.rerank", $"must name a reward model that chooses among the {system.N} answers");
        }
        IEnumerable<StageProblem> split = Prompts != null ? [] : checks.Split("split", Split, Against == Reference ? SplitContent.References : SplitContent.Prompts);
        foreach (StageProblem problem in Annotators.SelectMany((name, i) => checks.Annotator($"annotators[{i}]", name)).Concat(split))
            yield return problem;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        IEnumerable<Prompt> all = Prompts == null ? run.World.Prompts(Split)
            : StageRows.ReadPreferences(run.Input(Prompts), run).Select(p => p.Prompt).DistinctBy(p => p.Key);
        Prompt[] prompts = [.. all.Take(Limit ?? int.MaxValue)];

        // a misspelt annotator is told before anything is sampled
        foreach (string annotator in Annotators)
            run.World.Annotator(annotator, new AnnotatorOptions(run.Seed, Expected));

        // so is a KL between models whose ids mean different words
        KeyValuePair<string, SystemSettings> baseline = Systems.First();
        foreach ((string name, SystemSettings system) in Kl ? Systems.Skip(1).Where(s => s.Value.Policy != baseline.Value.Policy) : [])
            if (run.Services.OpenCodec(run.Input(system.Policy).Weights).Identity != run.Services.OpenCodec(run.Input(baseline.Value.Policy).Weights).Identity)
                throw new BadInputException($"kl: system '{name}' ({system.Policy}) and the baseline '{baseline.Key}' ({baseline.Value.Policy}) have different tokenizers, so there is no KL between them; leave kl out, or compare models of one tokenizer");

        // 1. every system's answers
        SystemAnswers answers = new(this, run, prompts);
        Dictionary<string, List<SystemRow>> rows = [];
        int position = 0;
        foreach ((string name, SystemSettings system) in Systems)
            rows[name] = await answers.AnswerAsync(name, system, position++, cancellation);

        LogBestOfN(run, rows);

        // 2. verdicts of every annotator, 3. the table
        EvaluationResult result = await new WinRateTable(this, run, prompts, rows).MakeAsync(cancellation);
        StageRows.WriteResult(run, result, RowsJson.Default.EvaluationResult);
        string first = result.Annotators[0];
        run.Summary = string.Join(", ", result.Systems.Select(s => $"{s.Name} {100 * s.Annotators[first].WinRate.Mean:0.0}")) + $" by {first}";
    }

    // a row for each system with a reward model that chooses; the step is the system's position in the table
    private void LogBestOfN(StageRun run, Dictionary<string, List<SystemRow>> rows)
    {
        int position = 0;
        foreach ((string name, SystemSettings system) in Systems)
        {
            if (system.Rerank != null)
                run.Log(position, new BestOfN(new BestOfNSettings(system.N)).Metrics([.. rows[name].Select(row => BestOfN.Choose([.. row.Rewards!]))]));
            position++;
        }
    }
}
