using System.Text.Json;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class FrontTests
{
    [Theory]
    [InlineData("quikstart", "there is no verb 'quikstart'; did you mean 'quickstart'?")]
    [InlineData("reward_model", "there is no verb 'reward_model'; did you mean 'reward-model'?")]
    [InlineData("xyzzyxyzzy", "there is no verb 'xyzzyxyzzy'; 'paddock --help' lists them")]
    public void An_unknown_verb_gets_one_line_with_the_nearest(string verb, string message)
    {
        Outcome outcome = CommandLine.Run(verb, "--json", "more");
        Assert.Equal((2, $"paddock: {message}\n"), (outcome.Code, outcome.Error));
    }

    [Fact]
    public void Help_and_version_call_the_program_by_its_name()
    {
        Outcome help = CommandLine.Run("--help");
        Assert.Equal(0, help.Code);
        Assert.Contains("paddock [command] [options]", help.Out, StringComparison.Ordinal);
        Assert.Contains("paddock score <model>", CommandLine.Run("score", "--help").Out, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", CommandLine.RunApart([], "--version").Out);
    }

    [Fact]
    public void A_verb_without_its_model_names_the_help_to_read()
    {
        Outcome outcome = CommandLine.Run("score");
        Assert.Equal(2, outcome.Code);
        Assert.StartsWith("paddock: 'paddock score' needs MODEL: a model folder, a GGUF file", outcome.Error, StringComparison.Ordinal);
        Assert.EndsWith("(see 'paddock score --help')\n", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seed takes a whole number from 0, not '-1'", "quickstart", "--seed", "-1")]
    [InlineData("--seeds takes a whole number, not 'x'", "quickstart", "--seeds", "x")]
    [InlineData("--seeds must be from 1 to 1000, not 0", "quickstart", "--seeds", "0")]
    [InlineData("--temperature takes a number, not 'hot'", "sample", "meadow-base", "--prompt", "red", "--temperature", "hot")]
    [InlineData("--seed needs a value (see 'paddock quickstart --help')", "quickstart", "--seed")]
    [InlineData("--seed is given twice (see 'paddock quickstart --help')", "quickstart", "--seed", "1", "--seed", "2")]
    [InlineData("--runs is empty; give the folder of all results", "status", "--runs", "")]
    [InlineData("--runs is empty; give the folder of all results", "quickstart", "--runs", " ")]
    [InlineData("'paddock quickstart' has no option '--seds'; did you mean '--seeds'?", "quickstart", "--seds", "3")]
    [InlineData("'paddock' has no option '--xyzzyxyzzy' (see 'paddock --help')", "--xyzzyxyzzy")]
    [InlineData("'more' is one word too many (see 'paddock status --help')", "status", "more")]
    [InlineData("--set takes name=value, not 'x'", "quickstart", "--dry-run", "--set", "x")]
    [InlineData("there is no world 'mars'; worlds: meadow", "world", "mars")]
    [InlineData("give either --text TEXT or --input FILE, not both", "tokenize", "meadow-base", "--text", "red", "--input", "-")]
    public void What_is_wrong_with_a_command_line_is_one_clear_line(string message, params string[] args)
    {
        Outcome outcome = CommandLine.Run(args);
        Assert.Equal((2, $"paddock: {message}\n", ""), (outcome.Code, outcome.Error, outcome.Out));
    }

    [Fact]
    public void A_file_in_place_of_the_runs_and_a_folder_in_place_of_a_recipe_are_told()
    {
        using TemporaryFolder folder = new();
        string file = folder.Write("afile", "");
        foreach (string verb in new[] { "status", "clean", "doctor", "quickstart" })
            Assert.Equal((2, $"paddock: --runs: '{file}' is a file; give a folder\n"), (CommandLine.Run(verb, "--runs", file) is var o ? o.Code : 0, o.Error));
        Outcome recipe = CommandLine.Run("run", folder.Path);
        Assert.Equal((2, $"paddock: {folder.Path} is a folder; give a recipe file\n"), (recipe.Code, recipe.Error));
        folder.Write("study.yaml", "");
        Assert.EndsWith($", such as {folder.File("study.yaml")}\n", CommandLine.Run("run", folder.Path).Error, StringComparison.Ordinal);
        Assert.Matches("no such recipe; did you mean .*quickstart.yaml", CommandLine.Run("run", "quickstart").Error);
    }

    [Fact]
    public void The_name_alone_lists_the_verbs()
    {
        Outcome outcome = CommandLine.Run();
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains("quickstart", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("score")]
    [InlineData("chat")]
    [InlineData("tokenize")]
    public void A_missing_model_says_what_was_tried(string verb)
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run(verb, folder.File("nothing"));
        Assert.Equal(2, outcome.Code);
        Assert.StartsWith($"paddock: model '{folder.File("nothing")}' was not found; tried ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_doctor_looks_at_everything_and_says_what_to_do()
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run("doctor", "--runs", folder.File("runs"), "--json");
        JsonElement document = outcome.Rows.Single();
        Dictionary<string, JsonElement> checks = document.GetProperty("checks").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!);
        foreach (string name in new[] { "program", "runtime", "SDK", "cores", "memory", "PADDOCK_SHARED", "processor", "instructions", "recipes", "runs", "free disk space", "hub cache", "base model", "arithmetic" })
            Assert.Contains(name, checks.Keys);
        Assert.Equal(JsonValueKind.Null, checks["arithmetic"].GetProperty("fix").ValueKind);
        Assert.Equal(JsonValueKind.Null, checks["recipes"].GetProperty("fix").ValueKind);
        bool ok = checks.Values.All(c => c.GetProperty("fix").ValueKind == JsonValueKind.Null);
        Assert.Equal((ok, ok ? 0 : 1), (document.GetProperty("ok").GetBoolean(), outcome.Code));
        Assert.Equal(ok, outcome.Error.EndsWith("all good\n", StringComparison.Ordinal));
        Assert.Equal(ok, CommandLine.Run("doctor", "--runs", folder.File("runs")).Out.EndsWith("all good\n", StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder.File("runs")));
    }

    [Fact]
    public void The_doctor_finds_a_runs_folder_that_cannot_be_written()
    {
        if (!OperatingSystem.IsLinux())
            return; // the one folder that nobody may write to, root included
        Outcome outcome = CommandLine.Run("doctor", "--runs", "/proc/runs", "--json");
        Assert.Equal(1, outcome.Code);
        Assert.Contains("give another folder with --runs", outcome.Error, StringComparison.Ordinal);
    }
}
