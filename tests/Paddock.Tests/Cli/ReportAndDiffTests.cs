using System.Text.Json;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

/// <summary>Two tiny studies that differ in one setting.</summary>
public sealed class TwoStudies : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TwoStudies()
    {
        string model = TinyMeadow.Write(_folder.File("model"));
        foreach ((string name, string temperature) in new[] { ("cool", "0.7"), ("warm", "0.9") })
            Codes.Add(CommandLine.Run("run", _folder.Write($"{name}.yaml", $$"""
                study: {{name}}
                seed: 3
                world: meadow
                model: "{{model}}"
                stages:
                  - sft: {name: sft, limit: 16, epochs: 1}
                  - win-rate: {name: evaluation, systems: {sft: sft}, annotators: [gold], limit: 6, max-tokens: 4, temperature: {{temperature}}}
                """), "--runs", Runs));
    }

    public string Runs => _folder.File("runs");

    internal List<Outcome> Codes { get; } = [];

    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();
}

[Collection(ConsoleTests.Name)]
public sealed class ReportAndDiffTests(TwoStudies studies) : IClassFixture<TwoStudies>
{
    [Fact]
    public void Report_shows_what_the_run_showed()
    {
        Assert.All(studies.Codes, run => Assert.True(run.Code == 0, run.Error));
        Outcome report = CommandLine.Run("report", "cool", "--runs", studies.Runs);
        Assert.Equal(0, report.Code);
        Assert.Equal(studies.Codes[0].Out, report.Out);
        string html = studies.File("again.html");
        Outcome json = CommandLine.Run("report", "cool", "--runs", studies.Runs, "--json", "--html", html);
        Assert.Equal("cool", Assert.Single(json.Rows).GetProperty("study").GetString());
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(html), StringComparison.Ordinal);
        Outcome markdown = CommandLine.Run("report", Path.Combine(studies.Runs, "cool"), "--runs", studies.Runs, "--markdown");
        Assert.StartsWith("# cool\n", markdown.Out, StringComparison.Ordinal);
        Assert.Contains("| sft |", markdown.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_names_the_setting_and_the_stage_that_differ()
    {
        Outcome outcome = CommandLine.Run("diff", "cool", "warm", "--runs", studies.Runs, "--json");
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement diff = Assert.Single(outcome.Rows);
        Assert.Equal(["study", "stages.evaluation.temperature"], diff.GetProperty("settings").EnumerateArray().Select(s => s.GetProperty("path").GetString()));
        Assert.Equal(["same", "other"], diff.GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("state").GetString()));
        Assert.Equal("answers were sampled at temperature 0.7 and 0.9", diff.GetProperty("notComparable").GetString());
        Assert.Contains("stages.evaluation.temperature", CommandLine.Run("diff", "cool", "warm", "--runs", studies.Runs).Out, StringComparison.Ordinal);
        Assert.Contains("All numbers are equal.", CommandLine.Run("diff", "cool", "cool", "--runs", studies.Runs).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_told()
    {
        Outcome absent = CommandLine.Run("report", "hot", "--runs", studies.Runs);
        Assert.Equal(2, absent.Code);
        Assert.Contains("there is no study 'hot'", absent.Error, StringComparison.Ordinal);
        Assert.Contains("there is cool, warm", absent.Error, StringComparison.Ordinal);
        Assert.Contains("give one of them", CommandLine.Run("report", "cool", "--runs", studies.Runs, "--json", "--markdown").Error, StringComparison.Ordinal);
        Assert.Contains("needs SECOND", CommandLine.Run("diff", "cool").Error, StringComparison.Ordinal);
    }
}
