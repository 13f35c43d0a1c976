using System.Text.Json;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

/// <summary>What was asked for is on standard output, everything else on standard error; under --json standard output is JSON alone.</summary>
[Collection(ConsoleTests.Name)]
public sealed class OutputTests(TinyStudy study) : IClassFixture<TinyStudy>
{
    [Theory]
    [InlineData("tiny, seed 3, 5 of 5 stages done", "status")]
    [InlineData("nothing to clean", "clean")]
    [InlineData("votes for A: gold", "world", "meadow", "-n", "1")]
    [InlineData("arithmetic", "doctor")]
    [InlineData("tiny, seed 3: 5 stages", "run", "RECIPE", "--dry-run")]
    [InlineData("perplexity", "score", "MODEL", "--text", "red blue")]
    [InlineData("(cut off, log-prob", "sample", "MODEL", "--prompt", "red", "--max-tokens", "3")]
    public void What_was_asked_for_is_on_standard_output_and_under_json_on_standard_error(string shown, params string[] args)
    {
        args = [.. args.Select(a => a == "MODEL" ? study.Model : a == "RECIPE" ? study.Recipe : a), .. args[0] == "world" ? Array.Empty<string>() : ["--runs", study.Runs]];
        Outcome plain = CommandLine.Run(args);
        Assert.InRange(plain.Code, 0, args[0] == "doctor" ? 1 : 0);
        Assert.Contains(shown, plain.Out, StringComparison.Ordinal);
        Assert.Equal("", plain.Error);
        Assert.All(plain.Out.Split('\n'), line => Assert.Equal(line.TrimEnd(), line)); // tables leave no blanks in files
        Outcome json = CommandLine.Run([.. args, "--json"]);
        Assert.Equal(plain.Code, json.Code);
        Assert.Equal(JsonValueKind.Object, json.Rows.Single().ValueKind);
        if (args[0] != "sample") // its rows are all there is to say
            Assert.Contains(shown, json.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_study_shows_its_table_on_standard_output_and_its_progress_on_standard_error()
    {
        string[] verb = ["win-rate", "--runs", study.Runs, "--systems", "sft=tiny/sft,dpo=tiny/dpo", "--annotators", "gold", "--limit", "4", "--max-tokens", "4"];
        Outcome plain = CommandLine.Run(verb);
        Assert.True(plain.Code == 0, plain.Error);
        Assert.Matches(@"^Win rate in % against reference, 4 evaluation prompts, ± standard error\nsystem +gold +vs sft\nsft +\d+\.\d±\d+\.\d\ndpo +\d+\.\d±\d+\.\d +[-+]?\d+\.\d±\d+\.\d\n$", plain.Out);
        Assert.Contains("[1/1] win-rate: done in", plain.Error, StringComparison.Ordinal);
        Outcome json = CommandLine.Run([.. verb, "--json"]);
        Assert.Equal("win-rate", json.Rows.Single().GetProperty("study").GetString());
        Assert.Contains("[1/1] win-rate: reused", json.Error, StringComparison.Ordinal);
        Assert.Contains("Win rate in % against reference", json.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_and_texts_are_shown_to_people_too()
    {
        Outcome ids = CommandLine.Run("tokenize", study.Model, "--text", "red blue");
        Assert.Matches(@"^\d+ \d+\n$", ids.Out);
        Assert.Equal("1 row, 2 tokens, 8 characters, 4.00 characters a token\n", ids.Error);
        using TemporaryFolder folder = new();
        string input = folder.Write("ids.jsonl", $"{{\"ids\": [{ids.Out.Trim().Replace(' ', ',')}]}}\n");
        Assert.Equal("red blue\n", CommandLine.Run("tokenize", study.Model, "--decode", "--input", input).Out);
    }

    [Fact]
    public void Every_token_of_a_typed_text_is_shown_with_its_log_prob()
    {
        Outcome outcome = CommandLine.Run("score", study.Model, "--text", "red blue", "--no-special-tokens");
        Assert.Matches(@"^log-prob +id +token\n +\d+  red\n +-\d+\.\d{3} +\d+  blue\n\nrows", outcome.Out);
        Assert.DoesNotContain("token\n", CommandLine.Run("score", study.Model, "--input", study.Write("rows.jsonl", "{\"text\": \"red blue\"}\n")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_from_scratch_plans_the_base_model_first()
    {
        Outcome outcome = CommandLine.Run("quickstart", "--from-scratch", "--fast", "--dry-run", "--seeds", "2", "--json", "--runs", study.Runs);
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement[] plans = [.. outcome.Rows.Single().GetProperty("plans").EnumerateArray()];
        Assert.Equal(3, plans.Length);
        Assert.Equal("pretrain", plans[0].GetProperty("stages")[0].GetProperty("kind").GetString());
        Assert.Equal(64, plans[0].GetProperty("stages")[0].GetProperty("key").GetString()!.Length);
        Assert.Equal([1UL, 2UL], plans[1..].Select(p => p.GetProperty("seed").GetUInt64()));
        Assert.All(plans[1].GetProperty("stages").EnumerateArray(), stage => Assert.Equal(JsonValueKind.Null, stage.GetProperty("key").ValueKind)); // the model they start from is not there yet
    }

    [Fact]
    public void A_comparison_plans_three_seeds_of_every_method()
    {
        Outcome outcome = CommandLine.Run("compare", "--dry-run", "--json", "--runs", study.Runs);
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement[] plans = [.. outcome.Rows.Single().GetProperty("plans").EnumerateArray()];
        Assert.Equal([1UL, 2UL, 3UL], plans.Select(p => p.GetProperty("seed").GetUInt64()));
        string[] kinds = [.. plans[0].GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("kind").GetString()!).Distinct()];
        Assert.Superset(new HashSet<string>(["sft", "reward-model", "expert-iteration", "dpo", "kto", "bco", "orpo", "cpo", "feedme", "reward-conditioning", "spin", "quark", "win-rate"]), new HashSet<string>(kinds));
    }

    // a tiny study of two seeds: the second table has a row a system, and the JSON document stays the last line
    [Fact]
    public void A_comparison_ends_with_spread_and_cost()
    {
        using TemporaryFolder folder = new();
        string recipe = folder.Write("a.yaml", $"study: a\nseed: 1\nworld: meadow\nmodel: \"{study.Model}\"\nstages:\n  - sft: {{name: start, limit: 16, epochs: 1}}\n  - win-rate: {{name: table, systems: {{base: \"{study.Model}\", start: start}}, annotators: [gold], limit: 8, max-tokens: 4, kl: true}}\n");
        Outcome outcome = CommandLine.Run("compare", recipe, "--seeds", "2", "--runs", folder.File("runs"));
        Assert.True(outcome.Code == 0, outcome.Error);
        Assert.Matches(@"system +sd gold +KL +worse +Mtokens +TFLOP +s", outcome.Out);
        Assert.Matches(@"(?m)^ *start +\d+\.\d +-?\d+\.\d\d +[012] +0\.00 +\d+\.\d +\d+", outcome.Out);
        Outcome json = CommandLine.Run("compare", recipe, "--seeds", "2", "--runs", folder.File("runs"), "--json");
        Assert.Equal("a", json.Rows.Single().GetProperty("study").GetString());
    }

    [Fact]
    public void The_state_of_stages_and_what_can_go_are_told_to_programs()
    {
        JsonElement tiny = CommandLine.Run("status", "--runs", study.Runs, "--json").Rows.Single().GetProperty("studies").EnumerateArray().Single(s => s.GetProperty("study").GetString() == "tiny");
        JsonElement sft = tiny.GetProperty("stages")[0];
        Assert.Equal(("sft", "Done", study.KeyOf("tiny", "sft")), (sft.GetProperty("name").GetString(), sft.GetProperty("state").GetString(), sft.GetProperty("key").GetString()));
        Assert.True(sft.GetProperty("bytes").GetInt64() > 0);
    }

    [Fact]
    public void Unused_stages_are_listed_then_removed()
    {
        using TemporaryFolder folder = new();
        string runs = folder.File("runs"), recipe = folder.Write("a.yaml", $"study: a\nseed: 1\nworld: meadow\nmodel: \"{study.Model}\"\nstages:\n  - sft: {{name: start, limit: 16, epochs: 1}}\n");
        Assert.Equal(0, CommandLine.Run("run", recipe, "--runs", runs).Code);
        Directory.Delete(Path.Combine(runs, "a"), recursive: true);
        Outcome listed = CommandLine.Run("clean", "--runs", runs);
        Assert.Matches(@"start +sft +done +\d+ KB +[0-9a-f]{8}\n$", listed.Out);
        Assert.Contains("1 stage, ", listed.Error, StringComparison.Ordinal);
        Assert.Contains("'paddock clean --yes' removes it", listed.Error, StringComparison.Ordinal);
        JsonElement removed = CommandLine.Run("clean", "--runs", runs, "--yes", "--json").Rows.Single();
        Assert.Equal(removed.GetProperty("unused")[0].GetProperty("key").GetString(), removed.GetProperty("removed")[0].GetString());
        Assert.StartsWith("nothing to clean", CommandLine.Run("clean", "--runs", runs).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_cleaned_while_a_study_has_lost_its_manifest()
    {
        using TemporaryFolder folder = new();
        string runs = folder.File("runs"), recipe = folder.Write("a.yaml", $"study: a\nseed: 1\nworld: meadow\nmodel: \"{study.Model}\"\nstages:\n  - sft: {{name: start, limit: 16, epochs: 1}}\n");
        Assert.Equal(0, CommandLine.Run("run", recipe, "--runs", runs).Code);
        string lost = Path.Combine(runs, "a");
        File.Delete(Path.Combine(lost, "manifest.json"));
        Outcome outcome = CommandLine.Run("clean", "--runs", runs, "--yes");
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.Equal($"paddock: {lost}: there is a study.yaml but no manifest.json, so nobody knows which stages this study uses; run it again (paddock run {lost}/study.yaml --runs {runs}) or remove its folder\n", outcome.Error);
        Assert.Equal(0, CommandLine.Run("run", Path.Combine(lost, "study.yaml"), "--runs", runs).Code); // the first cure
        Assert.StartsWith("nothing to clean", CommandLine.Run("clean", "--runs", runs).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_of_its_own_pipes_its_results()
    {
        Outcome outcome = CommandLine.RunApart([], "run", study.Recipe, "--runs", study.Runs, "--dry-run");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.StartsWith("tiny, seed 3: 5 stages\n#  stage", outcome.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", outcome.Out, StringComparison.Ordinal);
    }
}
