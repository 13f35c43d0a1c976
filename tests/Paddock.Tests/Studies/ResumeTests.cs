using Paddock.Studies;

namespace Paddock.Tests.Studies;

/// <summary>A killed study, run again, ends with the bytes of one that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly StudyBench _bench = new();
    private readonly string _expected;

    public ResumeTests()
    {
        string runs = Path.Combine(_bench.Root, "whole");
        StudyManifest manifest = _bench.RunAsync(runs: runs).GetAwaiter().GetResult();
        _expected = Bytes(runs, manifest);
        _bench.Observer = new RecordingObserver();
    }

    public void Dispose() => _bench.Dispose();

    // work, and name and bytes of every output of every stage; not the clock, nor warnings about how it came to be
    private string Bytes(string runs, StudyManifest manifest)
    {
        List<string> lines = [];
        foreach (ManifestStage stage in manifest.Stages)
        {
            string folder = _bench.Stage(manifest, stage.Name, runs).Path;
            StageTiming timing = _bench.Stage(manifest, stage.Name, runs).ReadTiming()!;
            lines.Add($"{stage.Name}: {timing.Tokens} tokens, {timing.Flops} operations");
            foreach (string file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Order(StringComparer.Ordinal))
                if (Path.GetFileName(file) is not ("timing.json" or "warnings.jsonl"))
                    lines.Add($"{stage.Name}/{Path.GetRelativePath(folder, file)} {Convert.ToHexString(File.ReadAllBytes(file))}");
        }
        return string.Join('\n', lines);
    }

    // names and bytes of everything, hidden folders included
    private static string State(string runs) => string.Join('\n', Directory.EnumerateFileSystemEntries(runs, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .Where(path => !path.Contains(".locks", StringComparison.Ordinal))
        .Select(path => Directory.Exists(path) ? path : $"{path} {Convert.ToHexString(File.ReadAllBytes(path))}"));

    private async Task<string> FinishAsync(string runs)
    {
        _bench.Hook = _ => { };
        _bench.Time.OnRead = () => { };
        _bench.Observer = new RecordingObserver();
        return Bytes(runs, await _bench.RunAsync(runs: runs));
    }

    private sealed class Killed : Exception;

    [Fact]
    public async Task An_exception_anywhere_in_a_backend_loses_nothing()
    {
        for (int at = 1; ; at++)
        {
            string runs = Path.Combine(_bench.Root, $"fault-{at}");
            int calls = 0;
            _bench.Hook = _ => { if (++calls == at) throw new Killed(); };
            bool killed = await Record.ExceptionAsync(() => _bench.RunAsync(runs: runs)) is Killed;
            Assert.Equal(_expected, await FinishAsync(runs));
            if (!killed)
            {
                Assert.True(at > 50, "the fault never struck");
                return;
            }
        }
    }

    [Fact]
    public async Task A_kill_at_any_moment_loses_nothing()
    {
        // a kill leaves the files as they are at that moment, and runs no cleanup: so copy them at every moment one can look in
        List<string> moments = [];
        HashSet<string> seen = [];
        string runs = Path.Combine(_bench.Root, "watched");
        void Snapshot()
        {
            if (!seen.Add(State(runs)))
                return;
            string copy = Path.Combine(_bench.Root, $"moment-{moments.Count}");
            StudyBench.CopyFolder(runs, copy);
            moments.Add(copy);
        }
        _bench.Hook = _ => Snapshot();
        _bench.Observer.OnEvent = _ => Snapshot();
        _bench.Time.OnRead = () => { if (Directory.Exists(runs)) Snapshot(); };
        await _bench.RunAsync(runs: runs);
        Assert.True(moments.Count > 100, $"only {moments.Count} moments seen");
        _bench.Options = _bench.Options with { CheckpointSeconds = 5 };
        foreach (string copy in moments)
            Assert.Equal(_expected, await FinishAsync(copy));
    }

    [Fact]
    public async Task Stopping_after_every_step_gives_the_same_bytes()
    {
        string runs = Path.Combine(_bench.Root, "stopped");
        int attempts = 0;
        bool stopped = true;
        HashSet<int?> resumed = [];
        while (stopped)
        {
            attempts++;
            using CancellationTokenSource stop = new();
            _bench.Observer = new RecordingObserver { OnEvent = e => { if (e is StageProgress) stop.Cancel(); } };
            stopped = await Record.ExceptionAsync(() => _bench.RunAsync(runs: runs, stop: stop.Token)) switch
            {
                null => false,
                OperationCanceledException => true,
                Exception e => throw e,
            };
            resumed.UnionWith(_bench.Observer.Events.OfType<StageStarted>().Select(s => s.ResumedFromStep));
        }
        Assert.InRange(attempts, 27, 29); // 2 chunks of 3, 12 steps each of two models
        Assert.Equal(12, resumed.Max());
        Assert.Equal(_expected, await FinishAsync(runs));
    }

    [Fact]
    public async Task A_stage_that_does_not_reach_a_checkpoint_is_ended_after_the_grace()
    {
        using CancellationTokenSource stop = new();
        _bench.Options = _bench.Options with { StopSeconds = 0.01 };
        _bench.Time.Probe = async (_, cancellation) =>
        {
            stop.Cancel();
            await Task.Delay(Timeout.Infinite, cancellation);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync("study: p\nseed: 1\nstages: [probe: {name: a}]", stop: stop.Token));
    }

    [Fact]
    public async Task Aborting_ends_at_once_and_the_last_checkpoint_counts()
    {
        string runs = Path.Combine(_bench.Root, "aborted");
        using CancellationTokenSource abort = new();
        _bench.Observer = new RecordingObserver { OnEvent = e => { if (e is StageProgress { Name: "dpo", Done: 8 }) abort.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(runs: runs, abort: abort.Token));
        Assert.Equal(_expected, await FinishAsync(runs));
    }

    [Fact]
    public async Task Torn_and_stray_files_of_a_power_cut_are_cleared_away()
    {
        string runs = await StoppedAtAsync(8);
        string stage = HalfStage(runs);
        await File.AppendAllTextAsync(Path.Combine(stage, "metrics.jsonl"), "{\"step\":99,\"lo");
        await File.AppendAllTextAsync(Path.Combine(stage, "notes.jsonl"), "{\"step\":8}\n{\"step\":9}\n");
        await File.WriteAllTextAsync(Path.Combine(stage, ".stage.json.1-1.partial"), "{");
        Directory.CreateDirectory(Path.Combine(stage, "checkpoints", "0099", "policy.partial"));
        Directory.CreateDirectory(Path.Combine(stage, "model"));
        Assert.Equal(_expected, await FinishAsync(runs));
    }

    [Fact]
    public async Task A_checkpoint_whose_files_are_gone_starts_the_stage_over_and_says_so()
    {
        string runs = await StoppedAtAsync(8);
        string stage = HalfStage(runs);
        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(stage, "checkpoints")))
            Directory.Delete(Path.Combine(folder, "policy"), recursive: true);
        Assert.Equal(_expected, await FinishAsync(runs));
        Assert.Contains(_bench.Observer.Warnings, w => w.StartsWith("starts over: model 'policy' of the checkpoint is not at checkpoints/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_that_a_checkpoint_counts_but_the_disk_lost_start_the_stage_over()
    {
        string runs = await StoppedAtAsync(8);
        await File.WriteAllTextAsync(Path.Combine(HalfStage(runs), "metrics.jsonl"), "{}\n");
        Assert.Equal(_expected, await FinishAsync(runs));
        Assert.Contains("starts over: metrics.jsonl has 1 rows and its checkpoint 8", _bench.Observer.Warnings);
    }

    [Fact]
    public async Task Resuming_on_another_tier_is_said_and_kept()
    {
        string runs = await StoppedAtAsync(8);
        _bench.Tier = "256-bit";
        _bench.Observer = new RecordingObserver();
        StudyManifest manifest = await _bench.RunAsync(runs: runs);
        Assert.Equal(["continues on 256-bit instructions what was begun on 512-bit: results may differ in the last digits from those of one machine"], _bench.Observer.Warnings);
        Assert.Equal(["512-bit", "256-bit"], _bench.Stage(manifest, "dpo", runs).ReadDone()!.Tiers);
        Assert.Contains("256-bit", File.ReadAllText(_bench.Stage(manifest, "dpo", runs).Warnings));
    }

    [Fact]
    public async Task Time_and_work_of_all_attempts_add_up()
    {
        string runs = await StoppedAtAsync(8);
        StudyManifest manifest = await _bench.RunAsync(runs: runs);
        StageTiming timing = _bench.Stage(manifest, "dpo", runs).ReadTiming()!;
        Assert.Equal((12.0, 120L, 12e6), (timing.Seconds, timing.Tokens, timing.Flops));
    }

    [Fact]
    public async Task Time_and_work_of_rows_add_up_too_and_the_tier_is_kept()
    {
        string runs = Path.Combine(_bench.Root, "rows");
        using CancellationTokenSource stop = new();
        _bench.Observer = new RecordingObserver { OnEvent = e => { if (e is StageProgress { Name: "pairs" }) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(runs: runs, stop: stop.Token));
        string half = Directory.EnumerateDirectories(Path.Combine(runs, ".stages")).Single(s => File.Exists(Path.Combine(s, "account.json")));
        Assert.Equal(8, File.ReadLines(Path.Combine(half, "outputs.jsonl")).Count());
        _bench.Observer = new RecordingObserver();
        _bench.Tier = "256-bit";
        StudyManifest manifest = await _bench.RunAsync(runs: runs);
        StageTiming timing = _bench.Stage(manifest, "pairs", runs).ReadTiming()!;
        Assert.Equal((2.0, 10L, 1e4), (timing.Seconds, timing.Tokens, timing.Flops)); // a second before the second chunk, one after the third
        Assert.Equal(["512-bit", "256-bit"], _bench.Stage(manifest, "pairs", runs).ReadDone()!.Tiers);
        Assert.Contains("continues on 256-bit instructions what was begun on 512-bit: results may differ in the last digits from those of one machine", _bench.Observer.Warnings);
        Assert.False(File.Exists(Path.Combine(half, "account.json")));
    }

    [Fact]
    public async Task Rows_that_the_account_counts_but_the_disk_lost_are_all_made_again()
    {
        string runs = Path.Combine(_bench.Root, "lost");
        using CancellationTokenSource stop = new();
        _bench.Observer = new RecordingObserver { OnEvent = e => { if (e is StageProgress { Name: "pairs" }) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(runs: runs, stop: stop.Token));
        string rows = Path.Combine(Directory.EnumerateDirectories(Path.Combine(runs, ".stages")).Single(s => File.Exists(Path.Combine(s, "account.json"))), "outputs.jsonl");
        await File.WriteAllLinesAsync(rows, File.ReadLines(rows).Take(5).ToArray());
        Assert.Equal(_expected, await FinishAsync(runs));
        Assert.Contains("starts over: outputs.jsonl has 5 rows and its account 8", _bench.Observer.Warnings);
    }

    [Fact]
    public async Task A_checkpoint_of_another_version_says_what_to_do()
    {
        string runs = await StoppedAtAsync(8);
        string pointer = Path.Combine(HalfStage(runs), "checkpoints", "current.json");
        await File.WriteAllTextAsync(pointer, (await File.ReadAllTextAsync(pointer)).Replace("\"average\"", "\"mean\"", StringComparison.Ordinal));
        Exception error = await Assert.ThrowsAsync<Engine.BadInputException>(() => _bench.RunAsync(runs: runs));
        Assert.Contains("made by another version of this stage", error.Message);
        Assert.EndsWith($"delete {HalfStage(runs)} to start it over", error.Message);
    }

    // stage 'dpo' stopped with a checkpoint after these steps
    private async Task<string> StoppedAtAsync(int step)
    {
        string runs = Path.Combine(_bench.Root, "half");
        using CancellationTokenSource stop = new();
        _bench.Observer = new RecordingObserver { OnEvent = e => { if (e is StageProgress { Name: "dpo" } p && p.Done == step) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(runs: runs, stop: stop.Token));
        _bench.Observer = new RecordingObserver();
        return runs;
    }

    private static string HalfStage(string runs) => Directory.EnumerateDirectories(Path.Combine(runs, ".stages")).Single(s => Directory.Exists(Path.Combine(s, "checkpoints")));
}
