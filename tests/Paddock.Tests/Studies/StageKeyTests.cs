using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Tests.Studies;

public sealed class StageKeyTests : IDisposable
{
    private readonly StudyBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private Dictionary<string, string> Keys(string yaml = StudyBench.Recipe) =>
        StudyPlan.For(StudyBench.Read(yaml), _bench.Services).Stages.ToDictionary(s => s.Stage.Name, s => s.Key.Value);

    private string[] Changed(string from, string to)
    {
        Assert.Contains(from, StudyBench.Recipe);
        return Changed(Keys(StudyBench.Recipe.Replace(from, to, StringComparison.Ordinal)));
    }

    private string[] Changed(Dictionary<string, string> after, Dictionary<string, string>? before = null) =>
        [.. (before ?? Keys()).Where(k => after[k.Key] != k.Value).Select(k => k.Key)];

    [Fact]
    public void The_key_is_the_hash_of_a_text_that_anyone_can_read()
    {
        PlannedStage stage = StudyPlan.For(StudyBench.Read(StudyBench.Recipe), _bench.Services).Stages[1];
        string pairs = Keys()["pairs"], model = Fingerprint.OfPath(_bench.ModelFolder);
        Assert.Equal([
            "paddock stage 1",
            "kind train",
            "version 1",
            $"numerics {NumericsVersion.Current}",
            $"seed {StageKey.SeedOf(7, "rm")}",
            "backend embedded",
            """settings {"beta":0.1,"data":@,"fast":false,"init":@,"learning-rate":0.0003,"limits":{"seconds":null,"tokens":64},"schedule":linear-decay,"steps":12,"targets":null,"weight-decay":0.01}""",
            $"input data stage {pairs}",
            $"input init content {model}",
        ], stage.Key.Text);
        Assert.Equal(Fingerprint.OfText(string.Join('\n', stage.Key.Text)), stage.Key.Value);
    }

    [Fact]
    public void The_seed_of_a_stage_is_pinned() => Assert.Equal(new Engine.Numerics.RandomStream(7, "stage/rm").AsSeed(), StageKey.SeedOf(7, "rm"));

    [Fact]
    public void A_setting_changes_its_stage_and_those_after() => Assert.Equal(["rm", "dpo", "evaluation"], Changed("steps: 12", "steps: 13"));

    [Fact]
    public void Writing_a_default_out_changes_nothing() => Assert.Empty(Changed("rows: 10", "rows: 10, chunk: 4, split: train"));

    [Fact]
    public void The_order_of_keys_changes_nothing() => Assert.Empty(Changed("{policy: dpo, rerank: rm, n: 16}", "{n: 16, rerank: rm, policy: dpo}"));

    [Fact]
    public void The_order_of_a_map_counts() => Assert.Equal(["evaluation"], Changed("{rm: rm, both: {policy: dpo, rerank: rm, n: 16}}", "{both: {policy: dpo, rerank: rm, n: 16}, rm: rm}"));

    [Fact]
    public void The_spelling_of_a_number_changes_nothing() => Assert.Empty(Changed("beta: 0.2", "beta: 2e-1"));

    [Fact]
    public void The_name_of_the_study_changes_nothing() => Assert.Empty(Changed("study: small", "study: other"));

    [Fact]
    public void The_seed_changes_everything() => Assert.Equal(4, Changed("seed: 7", "seed: 8").Length);

    [Fact]
    public void The_backend_changes_what_uses_it() => Assert.Equal(["rm", "dpo", "evaluation"], Changed("seed: 7", "seed: 7\nbackend: other"));

    [Fact]
    public void The_world_changes_what_reads_it_and_what_follows()
    {
        Dictionary<string, string> before = Keys();
        _bench.WorldFingerprint = "world-2";
        Assert.Equal(4, Changed(Keys(), before).Length);
    }

    [Fact]
    public void The_content_of_a_model_counts_and_not_its_place()
    {
        Dictionary<string, string> before = Keys();
        File.SetLastWriteTimeUtc(Path.Combine(_bench.ModelFolder, FakeModel.File), DateTime.UnixEpoch);
        Assert.Empty(Changed(Keys(), before));
        File.WriteAllBytes(Path.Combine(_bench.ModelFolder, FakeModel.File), BitConverter.GetBytes(0.5));
        Assert.Equal(["rm", "dpo", "evaluation"], Changed(Keys(), before));
    }

    [Fact]
    public void Text_cannot_pass_for_a_number()
    {
        const string Text = "study: s\nseed: 1\nmodel: base\nworld: tiny\nstages:\n  - rows: {name: p}\n  - train: {name: t, data: p, targets: [TARGETS]}\n";
        string[] keys = [.. new[] { "'null'", "'a', 'b'", "'a,b'", "'a\",\"b'" }.Select(t => Keys(Text.Replace("TARGETS", t, StringComparison.Ordinal))["t"])];
        Assert.Distinct(keys);
    }

    [Fact]
    public void Fingerprints_of_folders_see_names_and_bytes_only()
    {
        string a = Path.Combine(_bench.Root, "a"), b = Path.Combine(_bench.Root, "b");
        Directory.CreateDirectory(Path.Combine(a, "x"));
        File.WriteAllText(Path.Combine(a, "x", "1"), "one");
        StudyBench.CopyFolder(a, b);
        File.WriteAllText(Path.Combine(b, ".hidden"), "two");
        Assert.Equal(Fingerprint.OfPath(a), Fingerprint.OfPath(b));
        File.Move(Path.Combine(b, "x", "1"), Path.Combine(b, "x", "2"));
        Assert.NotEqual(Fingerprint.OfPath(a), Fingerprint.OfPath(b));
    }

    [Fact]
    public void A_plan_refuses_an_input_that_is_nothing() =>
        Assert.Equal("stage 't', init: 'bas' is no earlier stage and no model; did you mean 'pairs'?".Replace("; did you mean 'pairs'?", "; earlier stages: pairs", StringComparison.Ordinal),
            Assert.Throws<BadInputException>(() => Keys("study: s\nseed: 1\nworld: tiny\nmodel: base\nstages:\n  - rows: {name: pairs}\n  - train: {name: t, data: pairs, init: bas}\n")).Message);
}
