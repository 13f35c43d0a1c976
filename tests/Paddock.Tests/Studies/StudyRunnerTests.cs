using System.Text.Json;
using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Tests.Studies;

public sealed class StudyRunnerTests : IDisposable
{
    private const string Probe = "study: p\nseed: 1\nstages:\n  - probe: {name: before}\n  - probe: {name: it, probe: x}\n";
    private readonly StudyBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_study_runs_its_stages_and_explains_itself()
    {
        StudyManifest manifest = await _bench.RunAsync();
        Assert.All(manifest.Stages, s => Assert.NotNull(s.Outputs));
        Assert.Equal(["pairs", "rm", "dpo", "evaluation"], _bench.Observer.Finished.Select(f => f.Name));
        Assert.DoesNotContain(_bench.Observer.Finished, f => f.Reused);
        StageFolder rm = _bench.Stage(manifest, "rm");
        Assert.Equal(["DONE", "metrics.jsonl", "model", "model.uri", "notes.jsonl", "stage.json", "timing.json"], Directory.EnumerateFileSystemEntries(rm.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(12, File.ReadLines(rm.Metrics).Count());
        Assert.StartsWith("{\"step\":0,\"loss\":", File.ReadLines(rm.Metrics).First());
        Assert.EndsWith("\"kl\":null}", File.ReadLines(rm.Metrics).First());
        Assert.Equal(rm.Model, rm.Weights);
        Assert.Equal("train", rm.ReadDescription()!.Kind);
        Assert.Equal(Fingerprint.OfText(string.Join('\n', rm.ReadDescription()!.KeyText)), rm.Key);
        Assert.Equal((120L, 12e6, 12.0), (rm.ReadTiming()!.Tokens, rm.ReadTiming()!.Flops, rm.ReadTiming()!.Seconds));
        Assert.StartsWith("average ", rm.ReadDone()!.Summary);
        StudyFolder folder = new RunsFolder(_bench.Runs).Study("small");
        Assert.Equal(JsonSerializer.Serialize(manifest), JsonSerializer.Serialize(StudyManifest.Read(folder.Manifest)));
        Assert.Equal(StudyBench.Read(StudyBench.Recipe).ToYaml(StudyBench.Table), File.ReadAllText(folder.Recipe));
    }

    [Fact]
    public async Task A_second_run_reuses_everything()
    {
        StudyManifest first = await _bench.RunAsync();
        _bench.Observer = new RecordingObserver();
        _bench.Hook = what => throw new InvalidOperationException($"worked again: {what}");
        StudyManifest second = await _bench.RunAsync();
        Assert.Equal(first.Stages, second.Stages);
        Assert.All(_bench.Observer.Events, e => Assert.True(e is StageFinished { Reused: true, Elapsed.Ticks: 0 }));
    }

    [Fact]
    public async Task A_finished_stage_whose_file_is_gone_or_cut_is_one_clear_error()
    {
        StudyManifest manifest = await _bench.RunAsync();
        StageFolder pairs = _bench.Stage(manifest, "pairs"), rm = _bench.Stage(manifest, "rm");
        string weights = Directory.GetFiles(rm.Model, "*", SearchOption.AllDirectories)[0], rows = await File.ReadAllTextAsync(pairs.Outputs);
        await File.WriteAllTextAsync(pairs.Outputs, rows[..^20]);
        Assert.Equal($"stage 'pairs': {pairs.Outputs}: has {rows.Length - 20} bytes where the finished stage wrote {rows.Length}; remove {pairs.Path} to run the stage again",
            (await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync())).Message);
        await File.WriteAllTextAsync(pairs.Outputs, rows);
        File.Delete(weights);
        Assert.Equal($"stage 'rm': {weights}: is missing from a finished stage; remove {rm.Path} to run the stage again",
            (await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync())).Message);
        // for another study too
        Assert.Equal($"{weights}: is missing from a finished stage; remove {rm.Path} to run the stage again",
            Assert.Throws<BadInputException>(() => FinishedStages.Find(new RunsFolder(_bench.Runs), "small/rm")).Message);

        // and the cure works
        Directory.Delete(rm.Path, recursive: true);
        _bench.Observer = new RecordingObserver();
        StudyManifest again = await _bench.RunAsync();
        Assert.Equal(manifest.Stages, again.Stages);
        Assert.Equal([true, false, true, true], _bench.Observer.Finished.Select(f => f.Reused));
    }

    [Fact]
    public async Task Changing_a_stage_reruns_it_and_what_reads_it()
    {
        await _bench.RunAsync();
        _bench.Observer = new RecordingObserver();
        await _bench.RunAsync(StudyBench.Recipe.Replace("beta: 0.2", "beta: 0.3", StringComparison.Ordinal));
        Assert.Equal([true, true, false, false], _bench.Observer.Finished.Select(f => f.Reused));
    }

    [Fact]
    public async Task Another_study_shares_stages_of_the_same_seed_and_name()
    {
        await _bench.RunAsync();
        _bench.Observer = new RecordingObserver();
        await _bench.RunAsync("study: other\nseed: 7\nworld: tiny\nmodel: base\nstages:\n  - rows: {name: pairs}\n  - train: {name: rm, data: pairs}\n");
        Assert.All(_bench.Observer.Finished, f => Assert.True(f.Reused));
    }

    [Fact]
    public async Task Several_seeds_have_a_folder_each()
    {
        _bench.Options = _bench.Options with { SeedFolder = true };
        await _bench.RunAsync();
        Assert.True(File.Exists(Path.Combine(_bench.Runs, "small", "seed-7", "manifest.json")));
    }

    [Fact]
    public async Task Rates_and_time_left_leave_out_the_work_of_earlier_attempts()
    {
        await _bench.RunAsync();
        StageProgress[] progress = [.. _bench.Observer.Events.OfType<StageProgress>().Where(p => p.Name == "rm")];
        Assert.Equal((1L, (double?)null), (progress[0].Done, progress[0].PerSecond));
        Assert.Equal(1.0, progress[5].PerSecond);
        Assert.Equal(TimeSpan.FromSeconds(6), progress[5].Left);
    }

    [Fact]
    public async Task A_failed_stage_keeps_what_was_done_before_it()
    {
        _bench.Time.Probe = (run, _) => run.Name == "it" ? throw new BadInputException("no such judge") : Task.CompletedTask;
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync(Probe));
        Assert.Equal("stage 'it': no such judge", error.Message);
        _bench.Time.Probe = (_, _) => Task.CompletedTask;
        _bench.Observer = new RecordingObserver();
        await _bench.RunAsync(Probe);
        Assert.Equal([true, false], _bench.Observer.Finished.Select(f => f.Reused));
    }

    [Fact]
    public async Task A_full_disk_is_one_clear_error()
    {
        _bench.Time.Probe = (_, _) => throw new IOException("No space left on device : '/runs/x/metrics.jsonl'", 28);
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync(Probe));
        Assert.Equal("stage 'before': No space left on device : '/runs/x/metrics.jsonl'; free some space, or give another folder for the runs; what is finished is kept", error.Message);
    }

    [Fact]
    public async Task A_forbidden_folder_is_one_clear_error()
    {
        _bench.Time.Probe = (_, _) => throw new UnauthorizedAccessException("Access to the path '/runs/x' is denied.");
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync(Probe));
        Assert.Equal("stage 'before': Access to the path '/runs/x' is denied; make it writable, or give another folder for the runs", error.Message);
    }

    [Fact]
    public async Task A_file_in_place_of_the_runs_is_one_clear_error()
    {
        File.WriteAllText(_bench.Runs, "");
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync(Probe));
        Assert.StartsWith("study 'p': ", error.Message);
        Assert.Contains(_bench.Runs, error.Message);
    }

    [Fact]
    public async Task Taking_a_model_from_a_stage_of_rows_is_one_clear_error()
    {
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() =>
            _bench.RunAsync("study: s\nseed: 1\nworld: tiny\nmodel: base\nstages:\n  - rows: {name: pairs}\n  - train: {name: t, data: pairs, init: pairs}\n"));
        Assert.Equal("stage 't': 'pairs' is a stage that makes no model (rows), so no model can be taken from it", error.Message);
    }

    [Fact]
    public async Task Taking_rows_from_a_stage_that_trains_is_one_clear_error()
    {
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() =>
            _bench.RunAsync(StudyBench.Recipe.Replace("{name: dpo, data: pairs, init: rm,", "{name: dpo, data: rm,", StringComparison.Ordinal)));
        Assert.Equal("stage 'dpo': 'rm' is a stage that makes no rows (train), so no data can be taken from it", error.Message);
    }

    [Fact]
    public async Task An_unknown_backend_is_one_clear_error()
    {
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _bench.RunAsync(StudyBench.Recipe + "\nbackend: tinker+https://x:1"));
        Assert.Equal("stage 'rm': unknown backend 'tinker+https'; backends: embedded", error.Message);
    }

    [Fact]
    public async Task Infinities_and_missing_numbers_are_told_apart_in_the_metrics()
    {
        _bench.Time.Probe = (run, _) =>
        {
            run.Log(3, new Dictionary<string, double> { ["a/b"] = 0.1, ["nan"] = double.NaN, ["inf"] = double.PositiveInfinity });
            return Task.CompletedTask;
        };
        StudyManifest manifest = await _bench.RunAsync(Probe);
        Assert.Equal("{\"step\":3,\"a/b\":0.1,\"nan\":null,\"inf\":\"Infinity\"}\n", File.ReadAllText(_bench.Stage(manifest, "it").Metrics));
    }

    [Fact]
    public async Task Warnings_are_shown_and_kept()
    {
        _bench.Time.Probe = (run, _) =>
        {
            run.Warn("a \"judge\" was slow");
            return Task.CompletedTask;
        };
        StudyManifest manifest = await _bench.RunAsync(Probe);
        Assert.Contains("a \"judge\" was slow", _bench.Observer.Warnings);
        Assert.Contains("slow", File.ReadAllText(_bench.Stage(manifest, "it").Warnings));
    }

    [Fact]
    public async Task Two_runners_at_once_make_one_result()
    {
        int runs = 0;
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously), go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Time.Probe = async (run, _) =>
        {
            Interlocked.Increment(ref runs);
            started.TrySetResult();
            await go.Task;
            run.Log(0, new Dictionary<string, double> { ["x"] = 1 });
        };
        Task<StudyManifest> first = Task.Run(() => _bench.RunAsync(Probe));
        await started.Task;
        RecordingObserver other = new();
        TaskCompletionSource waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
        other.OnEvent = e => { if (e is StageWarning) waits.TrySetResult(); };
        Task<StudyManifest> second = Task.Run(() => new StudyRunner(_bench.Services, _bench.Options with { Runs = _bench.Runs }, other).RunAsync(StudyBench.Read(Probe), default));
        await waits.Task;
        go.SetResult();
        Assert.Equal((await first).Stages, (await second).Stages);
        Assert.Equal(2, runs); // two stages, each once
        Assert.Contains($"another process ({Environment.ProcessId}) is running this stage; waiting for its result", other.Warnings);
        Assert.True(other.Finished.First().Reused);
    }
}
