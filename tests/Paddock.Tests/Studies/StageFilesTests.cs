using Paddock.Studies;

namespace Paddock.Tests.Studies;

public sealed class StageFilesTests : IDisposable
{
    private readonly StudyBench _bench = new();

    public StageFilesTests() => Directory.CreateDirectory(_bench.Runs);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_lock_is_held_by_one_and_free_again_after()
    {
        string path = Path.Combine(_bench.Root, "locks", "k");
        using (StageLock first = StageLock.TryAcquire(path)!)
        {
            Assert.NotNull(first);
            Assert.Null(StageLock.TryAcquire(path));
        }
        using StageLock? again = StageLock.TryAcquire(path);
        Assert.NotNull(again);
    }

    [Fact]
    public void A_lock_file_that_a_dead_process_left_is_no_obstacle()
    {
        string path = Path.Combine(_bench.Root, "k");
        File.WriteAllText(path, "");
        File.WriteAllText(path + ".pid", "999999");
        using StageLock? taken = StageLock.TryAcquire(path);
        Assert.NotNull(taken);
        Assert.Equal(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(path + ".pid"));
    }

    [Fact]
    public async Task Waiting_for_a_lock_can_be_given_up()
    {
        string path = Path.Combine(_bench.Root, "k");
        using StageLock? held = StageLock.TryAcquire(path);
        using CancellationTokenSource stop = new();
        int told = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => StageLock.AcquireAsync(path, TimeProvider.System, _ =>
        {
            told++;
            stop.Cancel();
        }, stop.Token));
        Assert.Equal(1, told);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("{}\n{}\n{}\n", 0)]
    [InlineData("{}\n{}\n{}\n{}\n{}", 4)]
    [InlineData("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", 8)]
    [InlineData("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", 8)]
    [InlineData("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", 10)]
    [InlineData("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", 8)]
    public void Only_complete_chunks_are_kept(string there, int done)
    {
        string path = Path.Combine(_bench.Root, "rows.jsonl");
        File.WriteAllText(path, there);
        using ResumableRows rows = ResumableRows.Open(path, chunk: 4, total: 10);
        Assert.Equal((done, Math.Min(4, 10 - done)), (rows.Done, rows.Next));
    }

    [Fact]
    public void A_chunk_of_another_size_is_refused()
    {
        using ResumableRows rows = ResumableRows.Open(Path.Combine(_bench.Root, "rows.jsonl"), chunk: 4, total: 10);
        Assert.Throws<ArgumentException>(() => rows.Append([new FakeRow(0, "a", 0)], FakeJson.Default.FakeRow, default));
    }

    [Fact]
    public async Task The_catalog_lists_studies_and_the_state_of_their_stages()
    {
        using CancellationTokenSource stop = new();
        _bench.Observer.OnEvent = e => { if (e is StageProgress { Name: "dpo", Done: 5 }) stop.Cancel(); };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(stop: stop.Token));
        StudyStatus study = Assert.Single(new StudyCatalog(_bench.Runs).Studies());
        Assert.Equal(("small", 7ul, null), (study.Study, study.Seed, study.Problem));
        Assert.Equal([StageState.Done, StageState.Done, StageState.Half, StageState.Absent], study.Stages.Select(s => s.State));
        Assert.Equal((5, null), (study.Stages[2].Step, study.Stages[2].Seconds));
        Assert.Equal(12.0, study.Stages[1].Seconds);
        Assert.StartsWith("average", study.Stages[1].Summary);
        Assert.True(study.Stages[1].Bytes > 500);
        Assert.Equal(0, study.Stages[3].Bytes);
    }

    [Fact]
    public async Task Clean_takes_what_no_manifest_names_and_nothing_else()
    {
        StudyCatalog catalog = new(_bench.Runs);
        StudyManifest before = await _bench.RunAsync();
        Assert.Empty(catalog.Unused());
        StudyManifest after = await _bench.RunAsync(StudyBench.Recipe.Replace("beta: 0.2", "beta: 0.3", StringComparison.Ordinal));
        IReadOnlyList<UnusedStage> unused = catalog.Unused();
        Assert.Equal(["dpo", "evaluation"], unused.Select(u => u.Name).Order());
        Assert.All(unused, u => Assert.True(u.Done && u.Bytes > 0 && Directory.Exists(u.Folder)));

        string key = before.Stages[2].Key;
        using (StageLock? held = StageLock.TryAcquire(new RunsFolder(_bench.Runs).LockOf(key)))
            Assert.Equal(["evaluation"], catalog.Delete(unused).Select(d => d.Name));
        Assert.True(_bench.Stage(before, "dpo").IsDone);
        Assert.Equal(["dpo"], catalog.Delete(catalog.Unused()).Select(d => d.Name));
        Assert.Empty(catalog.Unused());
        Assert.All(after.Stages, s => Assert.True(_bench.Stage(after, s.Name).IsDone));
    }

    [Fact]
    public async Task A_half_finished_stage_of_a_study_is_not_unused()
    {
        using CancellationTokenSource stop = new();
        _bench.Observer.OnEvent = e => { if (e is StageProgress { Name: "rm", Done: 5 }) stop.Cancel(); };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.RunAsync(stop: stop.Token));
        Assert.Empty(new StudyCatalog(_bench.Runs).Unused());
    }

    [Fact]
    public async Task A_broken_manifest_is_listed_and_stops_clean()
    {
        await _bench.RunAsync();
        StudyFolder folder = new RunsFolder(_bench.Runs).Study("small");
        File.WriteAllText(folder.Manifest, "{\"format\":1,");
        StudyCatalog catalog = new(_bench.Runs);
        StudyStatus study = Assert.Single(catalog.Studies());
        Assert.StartsWith($"{folder.Manifest}: not written by this version of Paddock", study.Problem);
        Assert.Throws<Engine.BadInputException>(catalog.Unused);
    }

    [Fact]
    public async Task A_manifest_cannot_name_a_folder_elsewhere()
    {
        await _bench.RunAsync();
        StudyFolder folder = new RunsFolder(_bench.Runs).Study("small");
        string key = StudyManifest.Read(folder.Manifest)!.Stages[0].Key;
        File.WriteAllText(folder.Manifest, File.ReadAllText(folder.Manifest).Replace(key, "../../secret", StringComparison.Ordinal));
        Assert.Equal("'../../secret' is no key of a stage: 64 hex digits", Assert.Single(new StudyCatalog(_bench.Runs).Studies()).Problem);
    }

    [Fact]
    public void Nothing_to_list_is_no_error()
    {
        StudyCatalog catalog = new(Path.Combine(_bench.Root, "nowhere"));
        Assert.Empty(catalog.Studies());
        Assert.Empty(catalog.Unused());
    }

    [Fact]
    public void The_machine_is_described_without_its_name()
    {
        MachineInfo machine = MachineInfo.Describe(3);
        Assert.Equal(3, machine.Threads);
        Assert.Contains(machine.Tier, new[] { "512-bit", "256-bit", "128-bit", "scalar" });
        Assert.DoesNotContain(Environment.MachineName, System.Text.Json.JsonSerializer.Serialize(machine));
    }
}
