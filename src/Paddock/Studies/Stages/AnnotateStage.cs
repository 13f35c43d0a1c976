using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Studies.Judges;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>annotate</c>: lets an annotator of the world, or a judge from a file, compare sampled answers, two by two, and writes preferences.</summary>
/// <param name="Of">Stage with the sampled answers.</param>
/// <param name="Annotator">Who judges: <c>pool</c>, <c>human</c>, <c>judge</c>, <c>gold</c> ..., or <c>{file: judge.yaml}</c> for a language model (docs/judging.md).</param>
/// <param name="Flip">Share of labels turned around at random (AlpacaFarm: 0.25 for training labels).</param>
/// <param name="Soft">Write the annotator's expected preference as a soft label in place of one drawn label.</param>
[Makes(StageProduct.Preferences)]
public sealed record AnnotateStage(string Name, string Of, [TakesFile] string Annotator = "pool", [Range(0, 0.5)] double Flip = 0, bool Soft = false) : IStage
{
    private const int ChunkRows = 1000, ChunkOfJudge = 64;

    public int Version => 1;

    public StageUses Uses => JudgePath == null ? StageUses.World : StageUses.None;

    public IEnumerable<StageInput> Inputs => JudgePath is { } file
        ? [new("of", Of, Wants: StageProduct.Answers), new("annotator", file, InputKind.File)]
        : [new("of", Of, Wants: StageProduct.Answers)];

    private string? JudgePath => JudgeFile.PathIn(Annotator);

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        foreach (StageProblem problem in JudgePath is { } file ? JudgeProblems(file) : checks.Annotator("annotator", Annotator))
            yield return problem;
        if (checks.Earlier(Of) is SampleStage { N: 1 })
            yield return new("of", $"must have two answers a prompt to compare; '{Of}' samples one (give it n: 2)");
        if (Soft && Flip > 0)
            yield return new StageProblem("flip", "cannot be given with soft labels: a flip turns one drawn label around");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        using JudgeAnnotator? judge = JudgePath is { } file ? OpenJudge(run, file) : null;
        IAnnotator annotator = judge ?? run.World.Annotator(Annotator, new AnnotatorOptions(run.Seed, Soft, Flip));
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
        foreach (Comparison[] chunk in comparisons.Chunk(judge == null ? ChunkRows : ChunkOfJudge))
        {
            IReadOnlyList<Verdict> verdicts = judge == null ? await annotator.CompareAsync(chunk, cancellation) : await AskAsync(judge, chunk, run, cancellation);
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

    // its own noise is that of the file; a flip of the stage takes its place
    private JudgeAnnotator OpenJudge(StageRun run, string file)
    {
        JudgeSettings settings = JudgeFile.Read(file);
        return run.Services.OpenJudge is { } open ? open(Flip > 0 ? settings with { Noise = Flip } : settings, file) : throw new BadInputException($"stage '{Name}', annotator: judges from files cannot be opened here");
    }

    // verdicts with all they rest on are kept beside the preferences; a stage that is run again has its replies from the store
    private async Task<IReadOnlyList<Verdict>> AskAsync(JudgeAnnotator judge, Comparison[] chunk, StageRun run, CancellationToken cancellation)
    {
        List<Verdict> verdicts = [];
        await foreach (JudgeVerdict verdict in judge.JudgeAsync(chunk, cancellation))
        {
            // no clock in it: equal keys, equal bytes
            JudgeVerdict timeless = verdict with { Calls = [.. verdict.Calls.Select(call => call with { Seconds = 0 })] };
            run.Append("verdicts.jsonl", JsonSerializer.SerializeToUtf8Bytes(VerdictRow.Of(chunk[verdicts.Count], judge.Judge, timeless), JudgingJson.Compact.VerdictRow));
            Verdict plain = verdict.ToVerdict();
            verdicts.Add(Soft || plain.FirstPreferred is not { } p || p == 0.5 ? plain : Verdict.Of(p > 0.5 ? 1 : 0));
        }
        return verdicts;
    }

    private IEnumerable<StageProblem> JudgeProblems(string file)
    {
        string? problem = null;
        if (Path.Exists(file))
            try
            {
                JudgeSettings settings = JudgeFile.Read(file);
                if (Flip > 0 && settings.Noise > 0)
                    problem = $"the judge has noise of its own ({settings.Noise}) and the stage a flip; keep one of them";
            }
            catch (BadInputException e)
            {
                problem = e.Message;
            }
        return problem == null ? [] : [new("annotator", problem)];
    }
}
