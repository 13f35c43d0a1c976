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
        Assert.EndsWith("paddock: see 'paddock score --help'\n", outcome.Error, StringComparison.Ordinal);
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
        foreach (string name in new[] { "runtime", "processor", "instructions", "recipes", "runs", "free disk space", "hub cache", "base model", "arithmetic" })
            Assert.Contains(name, checks.Keys);
        Assert.Equal(JsonValueKind.Null, checks["arithmetic"].GetProperty("fix").ValueKind);
        Assert.Equal(JsonValueKind.Null, checks["recipes"].GetProperty("fix").ValueKind);
        bool ok = checks.Values.All(c => c.GetProperty("fix").ValueKind == JsonValueKind.Null);
        Assert.Equal((ok, ok ? 0 : 1), (document.GetProperty("ok").GetBoolean(), outcome.Code));
        Assert.Equal(ok, outcome.Error.EndsWith("all good\n", StringComparison.Ordinal));
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
