using System.ComponentModel.DataAnnotations;
using Paddock.Data;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>annotate</c>: lets an annotator of the world compare sampled answers, two by two, and writes preferences.</summary>
/// <param name="Of">Stage with the sampled answers.</param>
/// <param name="Annotator">Who judges: <c>pool</c>, <c>human</c>, <c>judge</c>, <c>gold</c> ...</param>
/// <param name="Flip">Share of labels turned around at random (AlpacaFarm: 0.25 for training labels).</param>
/// <param name="Soft">Write the annotator's expected preference as a soft label in place of one drawn label.</param>
[Makes(StageProduct.Preferences)]
public sealed record AnnotateStage(string Name, string Of, string Annotator = "pool", [Range(0, 0.5)] double Flip = 0, bool Soft = false) : IStage
{
    private const int ChunkRows = 1000;

    public int Version => 1;

    public StageUses Uses => StageUses.World;

    public IEnumerable<StageInput> Inputs => [new("of", Of, Wants: StageProduct.Answers)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        foreach (StageProblem problem in checks.Annotator("annotator", Annotator))
            yield return problem;
        if (checks.Earlier(Of) is SampleStage { N: 1 })
            yield return new("of", $"must have two answers a prompt to compare; '{Of}' samples one (give it n: 2)");
        if (Soft && Flip > 0)
            yield return new StageProblem("flip", "cannot be given with soft labels: a flip turns one drawn label around");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        IAnnotator annotator = run.World.Annotator(Annotator, new AnnotatorOptions(run.Seed, Soft, Flip));
        List<SampledAnswers> sampled = StageRows.Read(run.Input(Of), RowsJson.Default.SampledAnswers);

        // answers are compared in disjoint pairs: 0 with 1, 2 with 3 ...; two equal answers have nothing to prefer
        List<Comparison> comparisons = [];
        int duplicates = 0;
        foreach (SampledAnswers row in sampled)
            for (int i = 0; i + 1 < row.Responses.Count; i += 2)
                if (row.Responses[i].Text == row.Responses[i + 1].Text && row.Responses[i].Finished == row.Responses[i + 1].Finished)
                    duplicates++;
                else
                    comparisons.Add(new($"{row.Prompt.Id}#{i / 2}", row.Prompt, row.Responses[i], row.Responses[i + 1]));

        if (comparisons.Count == 0)
            throw new Engine.BadInputException($"'{Of}' has no two different answers to compare; sample at least 2 a prompt");
        int left = sampled.Count(row => row.Responses.Count % 2 == 1);
        if (left > 0)
            run.Warn($"{left} prompts have an odd number of answers; the last answer of each is not compared");

        List<Preference> preferences = [];
        Dictionary<string, int> missing = [];
        foreach (Comparison[] chunk in comparisons.Chunk(ChunkRows))
        {
            IReadOnlyList<Verdict> verdicts = await annotator.CompareAsync(chunk, cancellation);
            for (int i = 0; i < chunk.Length; i++)
                if (verdicts[i].FirstPreferred is not { } p)
                    missing[verdicts[i].MissingReason!] = missing.GetValueOrDefault(verdicts[i].MissingReason!) + 1;
                else if (p >= 0.5)
                    preferences.Add(new(chunk[i].Prompt, chunk[i].First, chunk[i].Second, p));
                else
                    preferences.Add(new(chunk[i].Prompt, chunk[i].Second, chunk[i].First, 1 - p));
            run.Progress(preferences.Count + missing.Values.Sum(), comparisons.Count, "comparisons");
            run.Stopping.ThrowIfCancellationRequested();
        }
        foreach ((string reason, int count) in missing)
            run.Warn($"{count} comparisons have no verdict: {reason}");

        using ResumableRows rows = run.OpenRows("outputs.jsonl", Math.Max(preferences.Count, 1), preferences.Count);
        if (rows.Next > 0)
            rows.Append(preferences, RowsJson.Default.Preference, CancellationToken.None);
        run.Summary = $"{preferences.Count} preferences by {Annotator}, {duplicates} pairs of equal answers left out" + (missing.Count > 0 ? $", {missing.Values.Sum()} without a verdict" : "");
    }
}
