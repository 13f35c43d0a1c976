using Paddock.Studies;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

/// <summary>A tiny study on a random model, and single stages built on what it made.</summary>
public sealed class TinyStudy : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyStudy()
    {
        string model = TinyMeadow.Write(_folder.File("model"));
        Model = model;
        Recipe = _folder.Write("tiny.yaml", $$"""
            study: tiny
            seed: 3
            world: meadow
            model: "{{model}}"
            stages:
              - sft: {name: sft, limit: 32, epochs: 1}
              - sample: {name: pairs, from: sft, n: 2, limit: 12, max-tokens: 6}
              - annotate: {name: preferences, of: pairs, annotator: gold}
              - reward-model: {name: rm, init: sft, data: preferences, epochs: 1}
              - dpo: {name: dpo, init: sft, data: preferences, epochs: 1, beta: 0.2}
            """);
        First = CommandLine.Run("run", Recipe, "--runs", Runs);
    }

    public string Model { get; }

    public string Recipe { get; }

    public string Runs => _folder.File("runs");

    internal Outcome First { get; }

    public string Write(string name, string text) => _folder.Write(name, text);

    public string KeyOf(string study, string stage) => StudyManifest.Read(Path.Combine(Runs, study, "manifest.json"))!.Stages.Single(s => s.Name == stage).Key;

    public void Dispose() => _folder.Dispose();
}

[Collection(ConsoleTests.Name)]
public sealed class StageVerbTests(TinyStudy study) : IClassFixture<TinyStudy>
{
    [Fact]
    public void A_single_stage_on_a_studys_results_is_the_studys_own_stage()
    {
        Assert.True(study.First.Code == 0, study.First.Error);
        Outcome verb = CommandLine.Run("dpo", "--runs", study.Runs, "--study", "alone", "--seed", "3", "--init", "tiny/sft", "--data", "tiny/preferences", "--epochs", "1", "--beta", "0.2");
        Assert.True(verb.Code == 0, verb.Error);
        Assert.Equal(study.KeyOf("tiny", "dpo"), study.KeyOf("alone", "dpo"));
        Assert.Contains("[1/1] dpo: reused", verb.Error, StringComparison.Ordinal);
        Assert.Contains("other verbs and recipes know it as alone/dpo", verb.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_of_a_stage_and_its_rows_name_the_stage_too()
    {
        string sft = Path.Combine(study.Runs, ".stages", study.KeyOf("tiny", "sft")), rows = Path.Combine(study.Runs, ".stages", study.KeyOf("tiny", "preferences"), "outputs.jsonl");
        Outcome verb = CommandLine.Run("dpo", "--runs", study.Runs, "--study", "paths", "--seed", "3", "--init", sft, "--data", rows, "--epochs", "1", "--beta", "0.2");
        Assert.True(verb.Code == 0, verb.Error);
        Assert.Equal(study.KeyOf("tiny", "dpo"), study.KeyOf("paths", "dpo"));
    }

    [Fact]
    public void A_file_of_preferences_stands_in_for_a_stage()
    {
        string data = study.Write("preferences.jsonl", """
            {"prompt": "red", "chosen": "blue", "rejected": "red"}
            {"prompt": "blue", "chosen": "blue", "rejected": "red"}
            """);
        Outcome verb = CommandLine.Run("reward-model", "--runs", study.Runs, "--model", study.Model, "--data", data, "--epochs", "1", "--name", "rm2", "--json");
        Assert.True(verb.Code == 0, verb.Error);
        Assert.Contains("2 preferences", verb.Error, StringComparison.Ordinal);
        Assert.Equal("reward-model", verb.Rows.Single().GetProperty("study").GetString());
        Assert.True(Directory.Exists(Path.Combine(study.Runs, ".stages", study.KeyOf("reward-model", "rm2"), "model")));
    }

    [Fact]
    public void Win_rates_of_systems_with_and_without_a_reranker_come_from_one_option()
    {
        Outcome verb = CommandLine.Run("win-rate", "--runs", study.Runs, "--systems", "sft=tiny/sft,best of 2=tiny/sft:tiny/rm:2", "--annotators", "gold,pool", "--limit", "6", "--max-tokens", "5", "--json");
        Assert.True(verb.Code == 0, verb.Error);
        Assert.Equal(["sft", "best of 2"], verb.Rows[^1].GetProperty("methods").EnumerateArray().Select(m => m.GetProperty("name").GetString()));
    }

    [Fact]
    public void A_finished_stage_is_a_model_to_every_verb_that_opens_one()
    {
        Outcome sample = CommandLine.Run("sample", "tiny/dpo", "--runs", study.Runs, "--prompt", "red", "--max-tokens", "3", "--json");
        Assert.True(sample.Code == 0, sample.Error);
        Outcome rows = CommandLine.Run("sample", "tiny/pairs", "--runs", study.Runs, "--prompt", "red");
        Assert.Equal((2, "paddock: 'tiny/pairs' is a stage that makes no model (sample), so no model can be taken from it\n"), (rows.Code, rows.Error));
    }

    [Theory]
    [InlineData("--data: needs a value", "dpo")]
    [InlineData("--beta: expected a finite number such as 0.1 or 1e-5, found 'x'", "dpo", "--data", "tiny/preferences", "--beta", "x")]
    [InlineData("--beta: must be above 0, found -1", "dpo", "--data", "tiny/preferences", "--beta", "-1")]
    [InlineData("--data: no earlier stage is named 'nowhere/preferences'; there are no earlier stages", "dpo", "--data", "nowhere/preferences")]
    [InlineData("--init: 'tiny/rm' makes a reward model where a policy is needed; there are no policies before it", "dpo", "--data", "tiny/preferences", "--init", "tiny/rm")]
    [InlineData("--data: 'tiny/pairs' makes sampled answers where preferences are needed; there are no stages with preferences before it", "dpo", "--data", "tiny/pairs")]
    [InlineData("--split: unknown split 'stf'; did you mean 'sft'?", "sft", "--split", "stf", "--dry-run")]
    [InlineData("--data: study 'tiny' has no stage 'preference'; did you mean 'preferences'?", "dpo", "--data", "tiny/preference")]
    [InlineData("--study: 'a b' cannot be a name: a name has letters, digits, '-', '_' and '.' only", "sft", "--study", "a b")]
    [InlineData("--world: unknown world 'meado'; did you mean 'meadow'?", "sft", "--world", "meado")]
    [InlineData("--systems: expected name=value,... and found 'tiny/sft'", "win-rate", "--systems", "tiny/sft")]
    public void What_is_wrong_is_told_by_option(string message, params string[] args)
    {
        Outcome outcome = CommandLine.Run([.. args, "--runs", study.Runs, .. args.Contains("--systems") ? Array.Empty<string>() : ["--model", study.Model]]);
        Assert.Equal((2, $"paddock: {message}\n"), (outcome.Code, outcome.Error));
    }

    [Fact]
    public void A_dry_run_tells_everything_that_is_wrong()
    {
        string recipe = study.Write("wrong.yaml", $$"""
            study: wrong
            seed: 3
            world: meadow
            model: "{{study.Model}}"
            stages:
              - sft: {name: sft, split: preference, schedule: cosin}
              - sample: {name: pairs, from: sft, temperature: 0}
              - annotate: {name: labels, of: pairs, annotator: golden}
              - dpo: {name: dpo, data: pairs}
            """);
        Outcome outcome = CommandLine.Run("run", recipe, "--runs", study.Runs, "--dry-run");
        Assert.Equal((2, $"""
            paddock: 5 things are wrong with {recipe}:
            {recipe}:6: stages[0].sft.split: split 'preference' has no demonstrations (answers to learn from); splits that have: sft
            {recipe}:6: stages[0].sft.schedule: unknown schedule 'cosin'; did you mean 'cosine'?
            {recipe}:7: stages[1].sample.n: must be 1 at temperature 0, where all 2 answers would be the same
            {recipe}:8: stages[2].annotate.annotator: unknown annotator 'golden'; did you mean 'gold'?
            {recipe}:9: stages[3].dpo.data: 'pairs' makes sampled answers where preferences are needed; stages with preferences: labels

            """), (outcome.Code, outcome.Error));
    }

    [Fact]
    public void A_dry_run_plans_and_runs_nothing()
    {
        Outcome outcome = CommandLine.Run("sft", "--runs", study.Runs, "--study", "dry", "--model", study.Model, "--lora", "rank=4,alpha=8", "--dry-run");
        Assert.True(outcome.Code == 0, outcome.Error);
        Assert.False(Directory.Exists(Path.Combine(study.Runs, "dry")));
    }

    [Fact]
    public void A_dry_run_names_no_result_of_an_earlier_run()
    {
        string[] verb = ["sft", "--runs", study.Runs, "--study", "again", "--model", study.Model, "--limit", "16", "--epochs", "1"];
        Assert.Contains("know it as again/sft", CommandLine.Run(verb).Error, StringComparison.Ordinal);
        Outcome dry = CommandLine.Run([.. verb, "--seed", "9", "--dry-run"]);
        Assert.Equal((0, ""), (dry.Code, dry.Error));
        Assert.Contains("again, seed 9: 1 stage\n", dry.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_of_several_seeds_has_its_own_result()
    {
        Outcome outcome = CommandLine.Run("sft", "--runs", study.Runs, "--study", "seeds", "--model", study.Model, "--limit", "16", "--epochs", "1", "--seed", "4", "--seeds", "2");
        Assert.True(outcome.Code == 0, outcome.Error);
        Assert.Contains("know it as seeds/seed-4/sft\n", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("know it as seeds/seed-5/sft\n", outcome.Error, StringComparison.Ordinal);
        Outcome sample = CommandLine.Run("sample", "seeds/seed-5/sft", "--runs", study.Runs, "--prompt", "red", "--max-tokens", "3");
        Assert.True(sample.Code == 0, sample.Error);
    }

    [Fact]
    public void Help_lists_the_keys_of_the_stage_with_their_defaults()
    {
        string help = CommandLine.Run("dpo", "--help").Out;
        Assert.Matches(@"--beta <value> +number; default 0\.1", help);
        Assert.Matches(@"--data <value> +text; required", help);
        foreach (string kind in Paddock.Studies.Stages.StageCatalog.Table.Kinds.Where(kind => kind != "sample"))
            Assert.Contains($"paddock {kind} [options]", CommandLine.Run(kind, "--help").Out, StringComparison.Ordinal);
        Assert.Contains("paddock sample-stage [options]", CommandLine.Run("sample-stage", "--help").Out, StringComparison.Ordinal);
    }
}
