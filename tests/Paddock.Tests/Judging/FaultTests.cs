using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Paddock.Cli;
using Paddock.Data;
using Paddock.Judging;
using Paddock.Judging.Clients;
using Paddock.Storage;
using Paddock.Studies.Judges;
using Paddock.Tests.Cli;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Judging;

/// <summary>
/// Judging against a server that fails, and through kills: every verdict once, and each the one of a run without faults. The number of verdicts is that of
/// PADDOCK_JUDGE_VERDICTS; docs/judging.md has the command of the large run.
/// </summary>
[Collection(ConsoleTests.Name)]
public sealed class FaultTests
{
    private const int InFlight = 64;

    private static readonly int Verdicts = int.Parse(Environment.GetEnvironmentVariable("PADDOCK_JUDGE_VERDICTS") ?? "400", CultureInfo.InvariantCulture);

    [Fact]
    public async Task With_faults_and_kills_every_verdict_is_there_once_and_is_the_one_without()
    {
        using TemporaryFolder folder = new();
        File.WriteAllLines(folder.File("pairs.jsonl"), Enumerable.Range(0, Verdicts).Select(i => JsonSerializer.Serialize(new { instruction = $"Question {i}?", output_1 = $"Answer {i} {{output_2}}", output_2 = $"Other answer {i}" })));
        await using FaultServer good = new(), bad = new(FaultServer.Share(0.1));
        VerdictRow[] expected = await WithoutFaultsAsync(folder, good);

        // two processes are killed on the way, the third finishes
        File.WriteAllText(folder.File("bad.yaml"), Yaml(bad));
        string output = folder.File("bad.jsonl");
        foreach (int share in new[] { 3, 2 })
        {
            using Process process = Start(folder, output);
            long until = (long)Verdicts * (share == 3 ? 1 : 2) / 3;
            while (!process.HasExited && JsonLines.Count(output) < until)
                await Task.Delay(20);
            process.Kill();
            await process.WaitForExitAsync();
        }
        using (Process last = Start(folder, output))
        {
            await last.WaitForExitAsync();
            Assert.Equal((0, ""), (last.ExitCode, last.ExitCode == 0 ? "" : await last.StandardError.ReadToEndAsync()));
        }

        AssertSame(expected, Read(output));
        Assert.True(bad.Requests > bad.Answered, "no request failed");
        // what was paid for is never paid for again: a kill loses at most what was in flight
        Assert.InRange(bad.Answered, Verdicts, Verdicts + 2 * InFlight);
    }

    [Fact]
    public async Task A_second_run_sends_nothing_and_needs_no_server()
    {
        using TemporaryFolder folder = new();
        string yaml;
        VerdictRow[] expected;
        await using (FaultServer server = new())
        {
            yaml = Yaml(server);
            expected = await JudgeAsync(folder, yaml, "one.jsonl", Pairs(50), CacheMode.Record);
            Assert.Equal(50, server.Requests);
        }
        VerdictRow[] again = await JudgeAsync(folder, yaml, "two.jsonl", Pairs(50), CacheMode.Replay);
        Assert.Equal(File.ReadAllText(folder.File("one.jsonl")), File.ReadAllText(folder.File("two.jsonl")));
        AssertSame(expected, again);
    }

    [Fact]
    public async Task A_file_of_verdicts_is_continued_where_it_still_fits()
    {
        using TemporaryFolder folder = new();
        await using FaultServer server = new();
        string yaml = Yaml(server);
        await JudgeAsync(folder, yaml, "v.jsonl", Pairs(30), CacheMode.Record);
        string whole = File.ReadAllText(folder.File("v.jsonl"));
        // a torn line, a row of another judge in the middle
        string[] lines = whole.Split('\n');
        File.WriteAllText(folder.File("v.jsonl"), string.Join('\n', lines.Take(20)) + "\n" + lines[20][..30]);
        await JudgeAsync(folder, yaml, "v.jsonl", Pairs(30), CacheMode.Record);
        Assert.Equal(whole, File.ReadAllText(folder.File("v.jsonl")));
        await JudgeAsync(folder, yaml + "seed: 5\n", "v.jsonl", Pairs(30), CacheMode.Record);
        VerdictRow[] other = Read(folder.File("v.jsonl"));
        Assert.Equal((30, 1), (other.Length, other.Select(r => r.Version).Distinct().Count()));
    }

    [Fact]
    public async Task A_server_that_is_down_gives_missing_verdicts_which_a_later_run_fills()
    {
        using TemporaryFolder folder = new();
        await using FaultServer server = new(number => number <= 20 ? Fault.ServerError : Fault.None);
        string yaml = Yaml(server).Replace("retries: 12", "retries: 0", StringComparison.Ordinal);
        VerdictRow[] rows = await JudgeAsync(folder, yaml, "v.jsonl", Pairs(10), CacheMode.Record);
        Assert.All(rows, row => Assert.Equal((null, VerdictState.Failed), (row.Preference, row.State)));
        Assert.StartsWith("127.0.0.1: 500", rows[0].Reason, StringComparison.Ordinal);
        await JudgeAsync(folder, yaml, "v.jsonl", Pairs(20), CacheMode.Record);
        Assert.Equal(20, server.Requests);
        VerdictRow[] filled = await JudgeAsync(folder, yaml, "v.jsonl", Pairs(20), CacheMode.Record, retryFailed: true);
        Assert.All(filled, row => Assert.NotNull(row.Preference));
    }

    [Fact]
    public async Task A_cap_stops_the_run_keeps_what_is_paid_and_goes_on_when_it_is_raised()
    {
        using TemporaryFolder folder = new();
        await using FaultServer server = new();
        string yaml = Yaml(server).Replace("model: {", "model: {input-price: 1000, output-price: 0, ", StringComparison.Ordinal);
        // a reply is 100 tokens in, 0.1
        Engine.BadInputException error = await Assert.ThrowsAsync<Engine.BadInputException>(() => JudgeAsync(folder, yaml.Replace("retries: 12", "retries: 12, cap: 2", StringComparison.Ordinal), "v.jsonl", Pairs(100), CacheMode.Record));
        Assert.StartsWith("the cap of 2 is reached", error.Message, StringComparison.Ordinal);
        long paid = server.Requests;
        Assert.InRange(paid, 5, 20);
        Assert.All(Read(folder.File("v.jsonl")), row => Assert.NotNull(row.Preference));
        Assert.Equal(100, (await JudgeAsync(folder, yaml, "v.jsonl", Pairs(100), CacheMode.Record)).Length);
        Assert.Equal(100, server.Requests);
    }

    private static async Task<VerdictRow[]> WithoutFaultsAsync(TemporaryFolder folder, FaultServer server)
    {
        VerdictRow[] rows = await JudgeAsync(folder, Yaml(server), "good.jsonl", ComparisonFiles.Read(folder.File("pairs.jsonl")), CacheMode.Record);
        Assert.Equal(Verdicts, server.Requests);
        return rows;
    }

    private static async Task<VerdictRow[]> JudgeAsync(TemporaryFolder folder, string yaml, string output, IEnumerable<Comparison> pairs, CacheMode mode, bool retryFailed = false)
    {
        using HttpClient http = JudgeServices.NewHttp();
        using ReplyStore store = ReplyStore.Open(folder.File("good.db"));
        using JudgeBuilder builder = new(new JudgeServices(store, mode, PriceTable.Shipped, http, TimeProvider.System));
        JudgeAnnotator judge = builder.BuildAnnotator(JudgeFile.Parse(yaml, "judge.yaml"), "judge.yaml");
        await new JudgeRun(judge, folder.File(output), retryFailed).RunAsync(pairs, null, default);
        return Read(folder.File(output));
    }

    // the same questions, whatever the address of the server
    private static string Yaml(FaultServer server) => $$"""
        name: judge
        model: {name: judge-1, base-url: "{{server.Address}}"}
        tries: 8
        limits: {in-flight: {{InFlight}}, retries: 12, try-seconds: 1.5, call-seconds: 300}

        """;

    private static Process Start(TemporaryFolder folder, string output) => Process.Start(new ProcessStartInfo("dotnet",
        [typeof(ExitCodes).Assembly.Location, "judge", folder.File("pairs.jsonl"), "--annotator", folder.File("bad.yaml"), "--out", output, "--cache", folder.File("bad.db"), "--threads", "1", "--json"])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static IEnumerable<Comparison> Pairs(int n) => Enumerable.Range(0, n).Select(i => Cases.Pair(i));

    private static VerdictRow[] Read(string path) => [.. JsonLines.Read(path, JudgingJson.Compact.VerdictRow)];

    // equal but for the server's address, the clock, and replies that were asked for again
    private static void AssertSame(VerdictRow[] expected, VerdictRow[] actual)
    {
        Assert.Equal(expected.Select(r => r.Id), actual.Select(r => r.Id));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal((expected[i].Preference, expected[i].State, expected[i].Reason, expected[i].Instruction), (actual[i].Preference, actual[i].State, actual[i].Reason, actual[i].Instruction));
            Assert.Equal((expected[i].Calls[0].Reply, expected[i].Calls[0].Shown, expected[i].Calls[0].Finish), (actual[i].Calls[0].Reply, actual[i].Calls[0].Shown, actual[i].Calls[0].Finish));
            Assert.Equal(expected[i].Calls[0].Messages, actual[i].Calls[0].Messages);
        }
    }
}
