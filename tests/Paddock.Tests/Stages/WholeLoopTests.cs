using System.Text.Json;
using Paddock.Data;
using Paddock.Evaluation;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Studies;

namespace Paddock.Tests.Stages;

/// <summary>The loop of the quickstart, tiny: what it leaves behind, and that stopping, killing or threads change none of it.</summary>
public sealed class WholeLoopTests : IDisposable
{
    private const string Recipe = """
        study: loop
        seed: 3
        world: meadow
        model: base
        stages:
          - sft: {name: sft, limit: 64, batch: 16}
          - sample: {name: pairs, from: sft, split: preference, n: 2, temperature: 1.0, limit: 32, max-tokens: 12}
          - annotate: {name: preferences, of: pairs, annotator: pool, flip: 0.25}
          - reward-model: {name: rm, init: sft, data: preferences, batch: 8}
          - expert-iteration: {name: expit, init: sft, reward: rm, n: 4, prompts: 16, max-tokens: 12, batch: 8}
          - dpo: {name: dpo, init: sft, data: preferences, beta: 0.1, batch: 8}
          - win-rate:
              name: evaluation
              systems: {sft: sft, best-of-4: {policy: sft, rerank: rm, n: 4}, expert iteration: expit, dpo: dpo}
              against: reference
              annotators: [pool, human, gold]
              judges: {reward model: rm}
              temperature: 0.7
              max-tokens: 12
              kl: true
              limit: 40
        """;

    private static readonly string[] Systems = ["sft", "best-of-4", "expert iteration", "dpo"];

    private readonly TinyStudy _study = new();

    public void Dispose() => _study.Dispose();

    [Fact]
    public async Task The_loop_leaves_what_it_promises()
    {
        StudyManifest manifest = await _study.RunAsync(Recipe);
        Assert.Equal(["sft", "pairs", "preferences", "rm", "expit", "dpo", "evaluation"], manifest.Stages.Select(s => s.Name));
        Assert.All(manifest.Stages, stage => Assert.False(string.IsNullOrEmpty(stage.Outputs)));
        Assert.All(_study.Observer.Finished, stage => Assert.False(stage.Reused));

        // rows of each stage
        Assert.Equal(Enumerable.Range(0, 4), Metrics(manifest, "sft").Select(Step));
        Assert.Equal(32, Lines(_study.Stage(manifest, "pairs").Outputs).Length);
        List<Preference> preferences = StageRows.Read(new StageSource("preferences", _study.Stage(manifest, "preferences"), null), RowsJson.Default.Preference);
        Assert.InRange(preferences.Count, 24, 32);
        Assert.All(preferences, p => Assert.Equal(1, p.Probability));
        Assert.Equal((preferences.Count + 7) / 8, Metrics(manifest, "rm").Length);
        Assert.Equal(2 * ((preferences.Count + 7) / 8), Metrics(manifest, "dpo").Length);
        Assert.Equal(Math.Log(2), Metrics(manifest, "rm")[0].GetProperty("loss").GetDouble(), 1e-12);
        Assert.Equal(Math.Log(2), Metrics(manifest, "dpo")[0].GetProperty("loss").GetDouble(), 1e-12);
        JsonElement[] expit = Metrics(manifest, "expit");
        Assert.Equal([-1, 0, 1, 2, 3], expit.Select(Step));
        Assert.Equal(4, expit[0].GetProperty("bon/n").GetDouble());
        Assert.True(expit[0].GetProperty("bon/reward_selected").GetDouble() > expit[0].GetProperty("bon/reward_mean").GetDouble());

        // the system with a reward model logs what the selection was worth
        JsonElement[] table = Metrics(manifest, "evaluation");
        Assert.Equal([1], table.Select(Step));
        Assert.Equal(4, table[0].GetProperty("bon/n").GetDouble());
        Assert.True(table[0].GetProperty("bon/reward_selected").GetDouble() > table[0].GetProperty("bon/reward_mean").GetDouble());

        // what later stages need and what is only history
        foreach (string stage in (string[])["sft", "rm", "expit", "dpo"])
        {
            Assert.True(File.Exists(Path.Combine(_study.Stage(manifest, stage).Model, "model.safetensors")));
            Assert.False(Directory.Exists(Path.Combine(_study.Stage(manifest, stage).Path, "checkpoints")));
        }
        Assert.True(_study.Stage(manifest, "evaluation").ReadTiming()!.Tokens > 0);

        CheckTable(Evaluation(manifest));
        CheckAgainstRows(manifest, Evaluation(manifest), preferences);

        // a second run takes every stage as it is
        _study.Observer = new RecordingObserver();
        StudyManifest again = await _study.RunAsync(Recipe);
        Assert.Equal(manifest.Stages, again.Stages);
        Assert.Equal(7, _study.Observer.Finished.Count(f => f.Reused));
        Assert.Empty(_study.Observer.Events.OfType<StageStarted>());
    }

    [Fact]
    public async Task Stopping_in_every_stage_changes_no_byte()
    {
        StudyManifest whole = await _study.RunAsync(Recipe, "whole");
        // asked to stop at the first sign of progress of each stage, then again at the third
        (StudyManifest stopped, int attempts) = await InterruptedAsync("stopped", hard: false, at: [1, 3]);
        Assert.True(attempts > 7, $"{attempts} attempts");
        AssertSame(whole, stopped, "stopped");
    }

    [Fact]
    public async Task Ending_every_stage_at_once_changes_no_byte()
    {
        StudyManifest whole = await _study.RunAsync(Recipe, "whole");
        (StudyManifest killed, int attempts) = await InterruptedAsync("killed", hard: true, at: [2]);
        Assert.True(attempts > 4, $"{attempts} attempts");
        AssertSame(whole, killed, "killed");
    }

    [Fact]
    public async Task Threads_change_no_byte()
    {
        using TinyStudy two = new(threads: 2);
        StudyManifest one = await _study.RunAsync(Recipe), other = await two.RunAsync(Recipe);
        Assert.Equal(one.Stages, other.Stages);
    }

    [Fact]
    public async Task A_study_of_adapters_runs_and_resumes()
    {
        string yaml = Recipe.Replace("batch: 16}", "batch: 16, lora: {rank: 2}}", StringComparison.Ordinal).Replace("beta: 0.1, batch: 8}", "beta: 0.1, batch: 8, lora: {rank: 2}}", StringComparison.Ordinal)
            .Replace("data: preferences, batch: 8}", "data: preferences, batch: 8, lora: {rank: 2}}", StringComparison.Ordinal);
        Assert.Equal(3, yaml.Split("lora").Length - 1);
        StudyManifest whole = await _study.RunAsync(yaml, "whole");
        (StudyManifest stopped, _) = await InterruptedAsync("stopped", hard: false, at: [2], yaml);
        AssertSame(whole, stopped, "stopped");
        CheckTable(Evaluation(whole, "whole"));
    }

    [Fact]
    public async Task Methods_on_preferences_run_and_resume()
    {
        const string Methods = """
            study: methods
            seed: 3
            world: meadow
            model: base
            stages:
              - sft: {name: sft, limit: 64, batch: 16}
              - sample: {name: pairs, from: sft, split: preference, n: 2, limit: 24, max-tokens: 8}
              - annotate: {name: preferences, of: pairs, annotator: pool}
              - dpo: {name: moving, init: sft, data: preferences, batch: 8, sync-every: 2}
              - dpo: {name: free, init: sft, data: preferences, batch: 8, reference-free: true}
              - kto: {name: kto, init: sft, data: preferences, batch: 8, keep-desirable: 0.5}
              - bco: {name: bco, init: sft, data: preferences, batch: 8}
              - orpo: {name: orpo, init: sft, data: preferences, batch: 8, prompt-loss: true}
              - cpo: {name: simpo, init: sft, data: preferences, batch: 8, loss: simpo}
              - feedme: {name: feedme, init: sft, data: preferences, batch: 8}
              - reward-conditioning: {name: conditioning, init: sft, data: preferences, batch: 8}
              - reward-model: {name: rm, init: sft, data: preferences, batch: 8}
              - reward-model: {name: rm-2, init: sft, data: preferences, batch: 8}
              - weight-average: {name: warm, models: [rm, rm-2]}
              - quark: {name: quark, init: sft, reward: warm, prompts: 12, batch: 6, epochs: 1, quantiles: 2, controls: [' <good>', ' <bad>'], max-tokens: 6}
              - spin: {name: spin-0, init: sft, limit: 24, max-tokens: 8, batch: 8}
              - spin: {name: spin-1, init: spin-0, previous: spin-0, limit: 24, max-tokens: 8, batch: 8}
              - sample: {name: good, from: conditioning, split: unlabeled, n: 1, limit: 4, max-tokens: 4}
            """;
        StudyManifest whole = await _study.RunAsync(Methods, "whole");
        (StudyManifest stopped, int attempts) = await InterruptedAsync("stopped", hard: false, at: [2], Methods);
        Assert.True(attempts > 10, $"{attempts} attempts");
        AssertSame(whole, stopped, "stopped");

        double First(string stage) => JsonDocument.Parse(Lines(_study.Stage(whole, stage, "whole").Metrics)[0]).RootElement.GetProperty("loss").GetDouble();
        foreach (string stage in (string[])["moving", "bco", "spin-0", "spin-1"])
            Assert.Equal(Math.Log(2), First(stage), 1e-9);
        Assert.Equal(0.5, First("kto"), 1e-9);

        // every prompt of the trained model ends with the control word; the model it came from has none
        string trained = _study.Stage(whole, "conditioning", "whole").Model;
        ChatMessage[] prompt = [new("user", "count the fruits : pear mango")];
        ITextCodec before = _study.Models.OpenCodec(_study.Stage(whole, "sft", "whole").Model), after = _study.Models.OpenCodec(trained);
        Assert.Equal([.. before.EncodePrompt(prompt), .. before.EncodeResponse(new Response("<good>", Finished: false))], after.EncodePrompt(prompt));

        // half of the thumbs up, all of the thumbs down
        int preferences = Lines(_study.Stage(whole, "preferences", "whole").Outputs).Length;
        Assert.Equal($"{preferences / 2} desirable and {preferences} undesirable answers", whole.Stages.Single(s => s.Name == "kto").Summary);

        // an iteration trains on its own pairs and on those of the one before
        int Steps(string stage) => Lines(_study.Stage(whole, stage, "whole").Metrics).Length;
        Assert.Equal((3, 6), (Steps("spin-0"), Steps("spin-1")));
    }

    private static void CheckTable(EvaluationResult result)
    {
        string[] annotators = ["pool", "human", "gold", "reward model"];
        Assert.Equal((40, "reference", "sft", "evaluation", true), (result.Prompts, result.Against, result.Baseline, result.Split, result.Expected));
        Assert.Equal(annotators, result.Annotators);
        Assert.Equal(Systems, result.Systems.Select(s => s.Name));
        foreach (SystemResult system in result.Systems)
        {
            Assert.Equal(annotators.Order(StringComparer.Ordinal), system.Annotators.Keys.Order(StringComparer.Ordinal));
            foreach (AnnotatorResult verdicts in system.Annotators.Values)
            {
                Assert.Equal((40, 0), (verdicts.WinRate.N, verdicts.Missing));
                Assert.Equal(40, verdicts.Wins + verdicts.Ties + verdicts.Losses);
                Assert.InRange(verdicts.WinRate.Mean, 0, 1);
                Assert.Equal(system.Name != "sft", verdicts.VersusBaseline != null);
                Assert.Equal(40, verdicts.VersusBaseline?.N ?? 40);
            }
            foreach (string measure in (string[])["length", "finished", "utility", "exact", "helpful"])
                Assert.True(system.Measures.ContainsKey(measure), $"{system.Name} has no {measure}");
            Assert.Equal(system.Name is "expert iteration" or "dpo", system.Measures.ContainsKey("kl"));
            Assert.True(system.Inference.Tokens > 0 && system.Inference.Flops > 0);
        }
        // four answers cost four times one
        Assert.InRange(result.Systems[1].Inference.Tokens / result.Systems[0].Inference.Tokens, 3, 5);
        Assert.Equal(12, result.Examples.Count);
        Assert.All(result.Examples, example => Assert.Equal(Systems, example.Answers.Select(a => a.System)));
    }

    // the table's numbers from the rows they are made of
    private void CheckAgainstRows(StudyManifest manifest, EvaluationResult result, List<Preference> preferences)
    {
        StageFolder folder = _study.Stage(manifest, "evaluation");
        List<SystemRow>[] rows = [.. Enumerable.Range(0, 4).Select(i => StageRows.Read(new StageSource(Systems[i], null, folder.File($"answers-{i}.jsonl")), RowsJson.Default.SystemRow))];
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(40, rows[i].Count);
            Assert.Equal(rows[i].Average(r => (double)r.Response.Tokens!.Count), result.Systems[i].Measures["length"].Mean, 1e-12);
            Assert.Equal(i == 1, rows[i][0].Rewards != null);
        }
        // the answers of best-of-n hold that of the plain system: the first of the same stream
        Assert.All(rows[1], row => Assert.Equal(4, row.Rewards!.Count));
        int first = rows[1].Count(row => BestOfNChoiceIsFirst(row));
        Assert.Equal(first, rows[1].Zip(rows[0]).Count(pair => BestOfNChoiceIsFirst(pair.First) && pair.First.Response.Text == pair.Second.Response.Text));
        // a difference of means is the mean of paired differences
        foreach (string annotator in result.Annotators)
            foreach (SystemResult system in result.Systems.Skip(1))
                Assert.Equal(system.Annotators[annotator].WinRate.Mean - result.Systems[0].Annotators[annotator].WinRate.Mean, system.Annotators[annotator].VersusBaseline!.Mean, 1e-9);
        Assert.NotEmpty(preferences);

        static bool BestOfNChoiceIsFirst(SystemRow row) => row.Rewards![0] == row.Rewards.Max();
    }

    // runs the study until it ends, interrupted in each stage at these signs of its progress
    private async Task<(StudyManifest Manifest, int Attempts)> InterruptedAsync(string runs, bool hard, int[] at, string yaml = Recipe)
    {
        HashSet<(string Stage, int At)> struck = [];
        for (int attempts = 1; ; attempts++)
        {
            using CancellationTokenSource interrupt = new();
            Dictionary<string, int> signs = [];
            _study.Observer = new RecordingObserver
            {
                OnEvent = e =>
                {
                    if (e is not StageProgress progress)
                        return;
                    int sign = signs[progress.Name] = signs.GetValueOrDefault(progress.Name) + 1;
                    foreach (int point in at)
                        if (sign == point && struck.Add((progress.Name, point)))
                        {
                            interrupt.Cancel();
                            return;
                        }
                },
            };
            try
            {
                // hard: what no checkpoint holds is lost, so one is kept after every step
                StudyManifest manifest = await _study.RunAsync(yaml, runs, hard ? 0 : 1000, stop: hard ? default : interrupt.Token, abort: hard ? interrupt.Token : default);
                return (manifest, attempts);
            }
            catch (OperationCanceledException)
            {
                Assert.True(attempts < 40);
            }
        }
    }

    private void AssertSame(StudyManifest whole, StudyManifest other, string runs)
    {
        foreach (ManifestStage stage in whole.Stages)
        {
            string[] expected = Files(_study.Stage(whole, stage.Name, "whole").Path), actual = Files(_study.Stage(other, stage.Name, runs).Path);
            Assert.Equal(expected, actual);
            StageTiming once = _study.Stage(whole, stage.Name, "whole").ReadTiming()!, often = _study.Stage(other, stage.Name, runs).ReadTiming()!;
            Assert.Equal((once.Tokens, once.Flops), (often.Tokens, often.Flops));
        }
        Assert.Equal(whole.Stages, other.Stages);
    }

    // names and contents; not the clock, nor warnings about how it came to be
    private static string[] Files(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Where(file => Path.GetFileName(file) is not ("timing.json" or "inference.json" or "warnings.jsonl"))
        .Select(file => $"{Path.GetRelativePath(folder, file)} {Fingerprint.OfFile(file)}")];

    private EvaluationResult Evaluation(StudyManifest manifest, string runs = "runs") =>
        JsonSerializer.Deserialize(File.ReadAllText(_study.Stage(manifest, "evaluation", runs).File("results.json")), RowsJson.Default.EvaluationResult)!;

    private JsonElement[] Metrics(StudyManifest manifest, string stage) => [.. Lines(_study.Stage(manifest, stage).Metrics).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string[] Lines(string path) => File.ReadAllLines(path);

    private static int Step(JsonElement row) => row.GetProperty("step").GetInt32();
}
