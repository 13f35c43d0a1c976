using Paddock.Studies;

namespace Paddock.Tests.Studies.Recipes;

public class RecipeReaderTests
{
    private const string Head = "study: s\nseed: 1\nworld: tiny\nmodel: base\nstages:\n  - rows: {name: pairs}\n";

    private static TrainStage Train(string settings) => (TrainStage)StudyBench.Read(Head + $"  - train: {{name: t, data: pairs, {settings}}}\n").Stages[1];

    [Fact]
    public void A_recipe_binds_with_its_defaults()
    {
        Recipe recipe = StudyBench.Read(StudyBench.Recipe);
        Assert.Equal(("small", 7ul, "tiny", "base", "embedded"), (recipe.Study, recipe.Seed, recipe.World, recipe.Model, recipe.Backend));
        Assert.Equal(["pairs", "rm", "dpo", "evaluation"], recipe.Stages.Select(s => s.Name));
        Assert.Equal(new RowsStage("pairs", "train", 10, 4), recipe.Stages[0]);
        Assert.Equal(new TrainStage("dpo", "pairs", "rm", 0.2), recipe.Stages[2]);
    }

    [Fact]
    public void A_text_stands_for_a_record_whose_only_required_key_is_text()
    {
        TableStage table = (TableStage)StudyBench.Read(StudyBench.Recipe).Stages[3];
        Assert.Equal(["rm", "both"], table.Systems.Keys);
        Assert.Equal(new FakeSystem("rm"), table.Systems["rm"]);
        Assert.Equal(new FakeSystem("dpo", "rm", 16), table.Systems["both"]);
        Assert.Equal(["pool", "gold"], table.Annotators);
    }

    [Fact]
    public void An_inlined_record_takes_its_keys_from_the_stage_and_a_nested_one_its_own()
    {
        TrainStage stage = Train("learning-rate: 1e-5, schedule: constant, limits: {tokens: 7, seconds: 0.5}");
        Assert.Equal(new FakeOptimizer(1e-5, 0.01, FakeSchedule.Constant), stage.Optimizer);
        Assert.Equal(new FakeLimits(7, 0.5f), stage.Limits);
    }

    [Theory]
    [InlineData("steps: 007", 7)]
    [InlineData("steps: '9'", 9)]
    [InlineData("steps: +4", 4)]
    public void Whole_numbers_are_decimal(string settings, int steps) => Assert.Equal(steps, Train(settings).Steps);

    [Theory]
    [InlineData("1e-5", 1e-5)]
    [InlineData(".5", 0.5)]
    [InlineData("3", 3.0)]
    [InlineData("0.30000000000000004", 0.30000000000000004)]
    public void Numbers_are_read_with_a_point(string text, double beta) => Assert.Equal(beta, Train($"beta: {text}").Beta);

    [Theory]
    [InlineData("on", true)]
    [InlineData("no", false)]
    [InlineData("True", true)]
    public void On_and_no_are_flags_where_a_flag_is_wanted(string text, bool fast) => Assert.Equal(fast, Train($"fast: {text}").Fast);

    [Theory]
    [InlineData("[no, on, 007, 1e-5, 2024-01-01]")]
    public void Elsewhere_nothing_is_guessed(string list) => Assert.Equal(["no", "on", "007", "1e-5", "2024-01-01"], Train($"targets: {list}").Targets!);

    [Fact]
    public void Null_is_a_value_where_the_default_is_null() => Assert.Null(Train("targets: null, init: ~").Targets);

    [Fact]
    public void A_default_null_section_is_filled_in() => Assert.Equal(new FakeLimits(), Train("beta: 1").Limits);

    [Fact]
    public void Variables_stand_for_text_anywhere_in_a_value_and_can_be_set()
    {
        string yaml = Head + "  - train: {name: 't-${size}', data: pairs, beta: '${beta}', targets: ['a${size}b$${size}']}\nvariables: {beta: 0.5, size: small}\n";
        TrainStage given = (TrainStage)StudyBench.Read(yaml).Stages[1];
        Assert.Equal(("t-small", 0.5, "asmallb${size}"), (given.Name, given.Beta, given.Targets![0]));
        Recipe set = StudyBench.Read(yaml, new Dictionary<string, string> { ["beta"] = "0.25", ["size"] = "big" });
        Assert.Equal(("t-big", 0.25), (set.Stages[1].Name, ((TrainStage)set.Stages[1]).Beta));
        Assert.Equal("0.25", set.Variables!["beta"]);
    }

    [Fact]
    public void The_written_recipe_reads_back_equal()
    {
        string awkward = """
            study: s.2
            seed: 18446744073709551615
            model: "base"
            world: tiny
            backend: tinker+https://host:8000/a?b=c#d
            variables: {x: "a ${b} # c", y: ""}
            stages:
              - rows: {name: pairs, split: "tr: a\tin\n\u2028 '\"\\ é \U0001F600 -"}
              - train: {name: t, data: pairs, beta: 1e-300, targets: ["", " a", "- b", "null", "~", "true", "$${x}", "${x}", "0x1F", "..", "---", "[", "{a", "&a", "*a", "!t", "%", "@", "`", "a: b", "a #b", "\u0085", "\u0001"], learning-rate: 0.1, fast: yes}
              - train: {name: u, data: pairs, targets: []}
              - table: {name: e, systems: {"best: of 16": t, '#': {policy: u}}, annotators: [a]}
            """;
        Recipe recipe = StudyBench.Read(awkward);
        string yaml = recipe.ToYaml(StudyBench.Table);
        Recipe again = StudyBench.Read(yaml);
        Assert.Equal(yaml, again.ToYaml(StudyBench.Table));
        Assert.Equal((recipe.Study, recipe.Seed, recipe.World, recipe.Data, recipe.Model, recipe.Backend), (again.Study, again.Seed, again.World, again.Data, again.Model, again.Backend));
        Assert.Equal(recipe.Variables!, again.Variables!);
        Assert.Equal(recipe.Stages[0], again.Stages[0]);
        TrainStage before = (TrainStage)recipe.Stages[1], after = (TrainStage)again.Stages[1];
        Assert.Equal(before.Targets!, after.Targets!);
        Assert.Equal(before with { Targets = null }, after with { Targets = null });
        Assert.Empty(((TrainStage)again.Stages[2]).Targets!);
        Assert.Equal(((TableStage)recipe.Stages[3]).Systems, ((TableStage)again.Stages[3]).Systems);
    }

    [Fact]
    public void The_written_recipe_shows_every_default()
    {
        string yaml = StudyBench.Read("study: s\nseed: 1\nmodel: m\nworld: tiny\nstages:\n  - rows: {name: pairs}\n  - train: {name: rm, data: pairs}\n").ToYaml(StudyBench.Table);
        Assert.Equal("""
            study: s
            seed: 1
            stages:
              - rows:
                  name: pairs
                  split: train
                  rows: 10
                  chunk: 4
              - train:
                  name: rm
                  data: pairs
                  init: null
                  beta: 0.1
                  steps: 12
                  learning-rate: 0.0003
                  weight-decay: 0.01
                  schedule: linear-decay
                  limits:
                    tokens: 64
                    seconds: null
                  targets: null
                  fast: false
            world: tiny
            data: null
            model: m
            backend: embedded
            variables: null

            """, yaml);
    }

    [Fact]
    public void Keys_of_a_stage_can_be_listed()
    {
        IReadOnlyList<SettingKey> keys = StudyBench.Table.KeysOf("train");
        Assert.Equal(new SettingKey("name", "text", null), keys[0]);
        Assert.Contains(new SettingKey("schedule", "constant | linear-decay", "linear-decay"), keys);
        Assert.Contains(new SettingKey("targets", "list of text", "null"), keys);
        Assert.Contains(new SettingKey("beta", "number", "0.1"), keys);
    }

    [Fact]
    public void A_file_is_read_with_or_without_a_byte_order_mark()
    {
        using StudyBench bench = new();
        string path = Path.Combine(bench.Root, "r.yaml");
        File.WriteAllText(path, StudyBench.Recipe, new System.Text.UTF8Encoding(true));
        Assert.Equal("small", new RecipeReader(StudyBench.Table).ReadFile(path).Study);
    }
}
