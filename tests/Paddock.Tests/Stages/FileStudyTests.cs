using System.Text.Json;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

/// <summary>Studies of files: people's own pairs are cut into parts, learned, and held out to measure agreement.</summary>
public sealed class FileStudyTests : IDisposable
{
    private readonly TinyStudy _study = new();
    private readonly IReadOnlyList<Prompt> _prompts = new MeadowWorld().Prompts("evaluation");
    private readonly IReadOnlyList<Response> _answers = new MeadowWorld().References("evaluation");

    public void Dispose() => _study.Dispose();

    [Theory]
    [InlineData("trl")]
    [InlineData("hh")]
    public async Task Parts_share_no_prompt_and_cover_all(string format)
    {
        string file = PairsFile(format, 50);
        StudyManifest manifest = await _study.RunAsync($$"""
            study: parts
            seed: 1
            data: {preference: {{file}}}
            stages:
              - pairs: {name: a, to: 0.29}
              - pairs: {name: b, from: 0.29, to: 0.71}
              - pairs: {name: c, from: 0.71}
              - pairs: {name: again, to: 0.29}
              - pairs: {name: few, from: 0.29, to: 0.71, limit: 5}
            """);
        List<Preference> all = [.. Paddock.Data.DataFiles.ReadPreferences(file)], a = Rows(manifest, "a"), b = Rows(manifest, "b"), c = Rows(manifest, "c");
        Assert.Equal(all.Count, a.Count + b.Count + c.Count);
        Assert.All((List<Preference>[])[a, b, c], part => Assert.True(part.Count >= 8));
        // also where a prompt stands twice with other answers
        Assert.True(all.Select(Ask).Distinct().Count() < all.Count);
        Assert.Empty(a.Select(Ask).Intersect(b.Select(Ask)));
        Assert.Empty(a.Select(Ask).Intersect(c.Select(Ask)));
        Assert.Empty(b.Select(Ask).Intersect(c.Select(Ask)));
        Assert.Equal(all.Select(Whole).Order(StringComparer.Ordinal), a.Concat(b).Concat(c).Select(Whole).Order(StringComparer.Ordinal));
        // the part depends on the data alone, and a limit takes its start
        Assert.Equal(a.Select(Whole), Rows(manifest, "again").Select(Whole));
        Assert.Equal(b.Take(5).Select(Whole), Rows(manifest, "few").Select(Whole));
        // not the order of the file
        Assert.NotEqual(all.Take(a.Count).Select(Whole), a.Select(Whole));
    }

    [Fact]
    public async Task Pairs_that_are_too_long_are_left_out_and_counted()
    {
        string file = PairsFile("trl", 20);
        List<Preference> all = [.. Paddock.Data.DataFiles.ReadPreferences(file)];
        int[] lengths = [.. all.Select(p => p.Prompt.Instruction.Length + Math.Max(p.Chosen.Text.Length, p.Rejected.Text.Length)).Order()];
        int most = lengths[lengths.Length / 2], kept = lengths.Count(l => l <= most);
        StudyManifest manifest = await _study.RunAsync(Yaml(file, $"pairs: {{name: short, max-characters: {most}}}"));
        Assert.InRange(kept, 1, all.Count - 1);
        Assert.Equal(kept, Rows(manifest, "short").Count);
        Assert.Equal($"{kept} of {all.Count} pairs, {all.Count - kept} of the part left out as too long", manifest.Stages[0].Summary);
    }

    [Fact]
    public async Task Rows_that_nothing_can_be_learned_from_are_left_out_counted_and_told()
    {
        string file = Path.Combine(_study.Root, "faulty.jsonl"), ask = _prompts[0].Instruction, good = _answers[0].Text, bad = _answers[1].Text;
        string Row(string prompt, string chosen, string rejected) => JsonSerializer.Serialize(new Dictionary<string, string> { ["prompt"] = prompt, ["chosen"] = chosen, ["rejected"] = rejected });
        await File.WriteAllLinesAsync(file, [Row(ask, good, bad), Row(ask, good, good), Row(ask, "", bad), Row(ask, bad, good), Row(ask, good, " "), Row("", good, bad), Row(ask, bad, good + " " + good)]);
        StudyManifest manifest = await _study.RunAsync(Yaml(file, $"pairs: {{name: kept}}\n  - reward-model: {{name: rm, data: {file}, batch: 4}}"));
        string told = $"4 rows of preferences are left out, as nothing can be learned from them: {file}:2: the two answers are the same; {file}:3: the chosen answer is empty; "
            + $"{file}:5: the rejected answer is empty; {file}:6: the prompt is empty";
        Assert.Equal([$"split 'preference': {told}", $"{file}: {told}"], _study.Observer.Warnings);
        Assert.Equal(3, Rows(manifest, "kept").Count);
        Assert.Equal(["3 of 3 pairs, 4 rows left out that nothing can be learned from", "3 preferences"], manifest.Stages.Select(s => s.Summary));

        await File.WriteAllLinesAsync(file, [Row(ask, good, good), Row(ask, bad, bad)]);
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _study.RunAsync(Yaml(file, "pairs: {name: none}"), "nothing"));
        Assert.Equal($"stage 'none': {file}: there are no preferences in it: 2 cannot be learned from, the first at {file}:1: the two answers are the same", error.Message);
    }

    [Theory]
    [InlineData("pairs: {name: none, max-characters: 1}", "stage 'none': no pair of split 'preference' is left: the part holds 24, 24 of them longer than 1 characters")]
    [InlineData("pairs: {name: none, split: test}", "stage 'none': the recipe's data has no file for split 'test'; it has preference")]
    [InlineData("sft: {name: tuned, init: base, split: preference}", "stage 'tuned': FILE: holds Preference rows where answers to learn are needed; expected the fields")]
    [InlineData("annotate: {name: judged, of: drawn}", "stage 'judged': there is no annotator 'pool': files have none; give 'judges' with the stage of a reward model")]
    public async Task What_files_do_not_have_is_said(string stage, string message)
    {
        string file = PairsFile("trl", 20);
        string before = stage.StartsWith("annotate", StringComparison.Ordinal) ? "sample: {name: drawn, from: base, limit: 2, max-tokens: 4}\n  - " : "";
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _study.RunAsync(Yaml(file, before + stage)));
        Assert.StartsWith(message.Replace("FILE", file, StringComparison.Ordinal), error.Message);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_said_before_anything_runs()
    {
        string file = Path.Combine(_study.Root, "nothing.jsonl");
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _study.RunAsync(Yaml(file, "pairs: {name: a}")));
        Assert.Equal($"data: the file of split 'preference' is not there: {file}", error.Message);
        Assert.Empty(_study.Observer.Events);
    }

    [Theory]
    [InlineData("pairs: {name: a, from: 0.5, to: 0.5}", "must be above from (0.5)")]
    [InlineData("pairs: {name: a, from: -0.1}", "must be at least 0 and at most 1, found -0.1")]
    [InlineData("pairs: {name: a, to: 1.5}", "must be at least 0 and at most 1, found 1.5")]
    [InlineData("pairs: {name: a, limit: 0}", "must be at least 1, found 0")]
    public void A_part_that_is_none_is_refused_with_the_recipe(string stage, string message) =>
        Assert.Contains(message, Assert.Throws<BadInputException>(() => TinyStudy.Read(Yaml("x.jsonl", stage))).Message);

    [Fact]
    public async Task Agreement_is_what_scoring_by_hand_gives()
    {
        string file = PairsFile("hh", 40);
        StudyManifest manifest = await _study.RunAsync($$"""
            study: agreement
            seed: 1
            data: {preference: {{file}}}
            model: base
            stages:
              - pairs: {name: train, to: 0.5}
              - pairs: {name: held-out, from: 0.5}
              - reward-model: {name: rm, data: train, batch: 4, learning-rate: 1e-2}
              - reward-model: {name: zero, data: train, batch: 4, limit: 4}  # one step, whose rate a warm-up makes 0
              - accuracy: {name: agreement, models: {trained: rm, untrained: zero}, data: held-out}
            """);
        AccuracyResult result = JsonSerializer.Deserialize(await File.ReadAllTextAsync(_study.Stage(manifest, "agreement").File("results.json")), RowsJson.Default.AccuracyResult)!;
        List<Preference> heldOut = Rows(manifest, "held-out");
        ModelAccuracy trained = result.Models[0], untrained = result.Models[1];

        await using EmbeddedBackend backend = _study.Backend("check");
        await using ITrainableModel model = await backend.CreateAsync(new ModelSpec(_study.Stage(manifest, "rm").Model, new Adaptation.Full(), Head.Scalar, 0), CancellationToken.None);
        ITextCodec codec = _study.Models.OpenCodec(_study.Base);
        double right = 0, loss = 0;
        int ties = 0;
        foreach (Preference pair in heldOut)
        {
            int[] prompt = codec.EncodePrompt(pair.Prompt.Messages);
            double[] scores = await new RewardScorer(model).ScoreAsync([new(prompt, codec.EncodeResponse(pair.Chosen)), new(prompt, codec.EncodeResponse(pair.Rejected))], CancellationToken.None);
            right += scores[0] > scores[1] ? 1 : scores[0] < scores[1] ? 0 : 0.5;
            ties += scores[0] == scores[1] ? 1 : 0;
            loss += Math.Log(1 + Math.Exp(scores[1] - scores[0])) / heldOut.Count;
        }
        Assert.Equal(("held-out", "trained", heldOut.Count), (result.Data, trained.Model, trained.Accuracy.N));
        Assert.Equal(right / heldOut.Count, trained.Accuracy.Mean, 1e-9);
        Assert.Equal(ties, trained.Ties);
        Assert.Equal(loss, trained.LogLoss, 1e-4);
        Assert.True(trained.Low < trained.Accuracy.Mean && trained.Accuracy.Mean < trained.High || trained.Accuracy.Mean is 0 or 1);

        // a zero head prefers nothing: all ties, one half, a loss of ln 2
        Assert.Equal((0.5, heldOut.Count), (untrained.Accuracy.Mean, untrained.Ties));
        Assert.Equal(Math.Log(2), untrained.LogLoss, 1e-9);
        Assert.StartsWith("trained ", manifest.Stages[^1].Summary);
    }

    [Fact]
    public async Task Systems_are_compared_on_held_out_prompts_by_a_reward_model()
    {
        string file = PairsFile("trl", 30);
        StudyManifest manifest = await _study.RunAsync($$"""
            study: proxy
            seed: 1
            data: {preference: {{file}}}
            model: base
            stages:
              - pairs: {name: train, to: 0.5}
              - pairs: {name: held-out, from: 0.5}
              - reward-model: {name: rm, data: train, batch: 4, learning-rate: 1e-2}
              - win-rate:
                  name: evaluation
                  systems:
                    base: base
                    best-of-4: {policy: base, rerank: rm, n: 4}
                  against: base
                  judges: {proxy: rm}
                  prompts: held-out
                  max-tokens: 6
            """);
        EvaluationResult result = JsonSerializer.Deserialize(await File.ReadAllTextAsync(_study.Stage(manifest, "evaluation").File("results.json")), RowsJson.Default.EvaluationResult)!;
        int prompts = Rows(manifest, "held-out").Select(Ask).Distinct().Count();
        Assert.Equal((prompts, "held-out"), (result.Prompts, result.Split));
        AnnotatorResult itself = result.Systems[0].Annotators["proxy"], best = result.Systems[1].Annotators["proxy"];
        Assert.Equal((0.5, 0.0, prompts), (itself.WinRate.Mean, itself.WinRate.Se, itself.Ties));
        // chosen by the judge itself among answers that hold the base's own: never worse
        Assert.Equal(0, best.Losses);
        Assert.True(best.WinRate.Mean > 0.5);
        Assert.False(result.Systems[0].Measures.ContainsKey("utility")); // files know no truth
    }

    private static string Yaml(string file, string stage) => $"study: s\nseed: 1\nmodel: base\ndata: {{preference: {file}}}\nstages:\n  - {stage}\n";

    private List<Preference> Rows(StudyManifest manifest, string stage) => StageRows.Read(new StageSource(stage, _study.Stage(manifest, stage), null), RowsJson.Default.Preference);

    private static string Ask(Preference pair) => string.Join('\n', pair.Prompt.Messages.Select(m => $"{m.Role} {m.Content}"));

    private static string Whole(Preference pair) => $"{Ask(pair)}|{pair.Chosen.Text}|{pair.Rejected.Text}";

    // n prompts, every fifth with a second pair of answers
    private string PairsFile(string format, int n)
    {
        List<Preference> pairs = [];
        for (int i = 0; i < n; i++)
        {
            Prompt prompt = Prompt.FromInstruction($"{i}", _prompts[i].Instruction + (i < n / 2 ? "" : " " + _prompts[i / 7].Instruction));
            pairs.Add(new(prompt, new Response(_answers[i].Text), new Response(_answers[i + n].Text)));
            if (i % 5 == 0)
                pairs.Add(new(prompt with { Id = $"{i}b" }, new Response(_answers[i + 2 * n].Text), new Response(_answers[i].Text)));
        }
        string path = Path.Combine(_study.Root, $"pairs-{format}.jsonl");
        if (format == "hh")
            HhFormat.Write(path, pairs);
        else
            PreferenceFormat.Write(path, pairs);
        return path;
    }
}
