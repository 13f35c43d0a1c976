using Paddock.Backends;
using Paddock.Data;
using Paddock.Evaluation;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary>What is compared: a policy, and optionally a reward model that chooses among n of its answers.</summary>
public sealed record SystemSettings(string Policy, string? Rerank = null, int N = 1);

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
public sealed record WinRateStage(string Name, IReadOnlyDictionary<string, SystemSettings> Systems, string Against = "reference", string Split = "evaluation",
    IReadOnlyList<string>? Annotators = null, IReadOnlyDictionary<string, string>? Judges = null, double Temperature = 0.7, double TopP = 1.0, int? MaxTokens = null,
    bool Expected = true, bool Kl = false, string? Prompts = null, int? Limit = null, int Examples = 12) : IStage
{
    public const string Reference = "reference";

    public IReadOnlyList<string> Annotators { get; init; } = Annotators ?? [];

    public IReadOnlyDictionary<string, string> Judges { get; init; } = Judges ?? new Dictionary<string, string>();

    public int Version => 1;

    public IEnumerable<StageInput> Inputs
    {
        get
        {
            foreach ((string name, SystemSettings system) in Systems)
            {
                yield return new($"systems.{name}.policy", system.Policy, InputKind.Model);
                if (system.Rerank != null)
                    yield return new($"systems.{name}.rerank", system.Rerank, InputKind.Model);
            }
            foreach ((string name, string stage) in Judges)
                yield return new($"judges.{name}", stage, InputKind.Model);
            if (Prompts != null)
                yield return new("prompts", Prompts);
        }
    }

    public IEnumerable<StageProblem> Problems()
    {
        if (Systems.Count == 0)
            yield return new("systems", "must name at least one system");
        if (Annotators.Count + Judges.Count == 0)
            yield return new("annotators", "must name at least one annotator (or give judges)");
        foreach (string judge in Judges.Keys.Where(name => Annotators.Contains(name)))
            yield return new($"judges.{judge}", "has the name of an annotator; choose another");
        if (Examples < 0)
            yield return new("examples", $"must be 0 or more, not {Examples}");
        if (TopP == 0)
            yield return new("top-p", "must be above 0 (1 is off)");
        if (Against == Reference && Prompts != null)
            yield return new("against", "must be one of the systems when the prompts come from a stage, which has no reference answers");
        if (Against != Reference && !Systems.ContainsKey(Against))
            yield return new("against", $"must be '{Reference}' or one of the systems: {string.Join(", ", Systems.Keys)}");
        foreach ((string name, SystemSettings system) in Systems)
        {
            foreach (StageProblem problem in Range.Answers($"systems.{name}.n", system.N))
                yield return problem;
            if (system.N > 1 && system.Rerank == null)
                yield return new($"systems.{name}.rerank", $"must name a reward model that chooses among the {system.N} answers");
        }
        foreach (StageProblem problem in Range.Within("temperature", Temperature, 0, 100).Concat(Range.Within("top-p", TopP, 0, 1)).Concat(Range.Positive("max-tokens", MaxTokens)).Concat(Range.Positive("limit", Limit)))
            yield return problem;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        IEnumerable<Prompt> all = Prompts == null ? run.World.Prompts(Split)
            : StageRows.Read(run.Input(Prompts), RowsJson.Default.Preference).Select(p => p.Prompt).DistinctBy(p => p.Key);
        Prompt[] prompts = [.. all.Take(Limit ?? int.MaxValue)];

        // a misspelt annotator is told before anything is sampled
        foreach (string annotator in Annotators)
            run.World.Annotator(annotator, new AnnotatorOptions(run.Seed, Expected));

        // 1. every system's answers
        SystemAnswers answers = new(this, run, prompts);
        Dictionary<string, List<SystemRow>> rows = [];
        int position = 0;
        foreach ((string name, SystemSettings system) in Systems)
            rows[name] = await answers.AnswerAsync(name, system, position++, cancellation);

        // 2. verdicts of every annotator, 3. the table
        EvaluationResult result = await new WinRateTable(this, run, prompts, rows).MakeAsync(cancellation);
        StageRows.WriteResult(run, result, RowsJson.Default.EvaluationResult);
        string first = result.Annotators[0];
        run.Summary = string.Join(", ", result.Systems.Select(s => $"{s.Name} {100 * s.Annotators[first].WinRate.Mean:0.0}")) + $" by {first}";
    }
}
