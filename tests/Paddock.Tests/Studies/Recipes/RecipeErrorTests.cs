using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Tests.Studies.Recipes;

/// <summary>Reads the message of every mistake a recipe can have.</summary>
public class RecipeErrorTests
{
    // line 7 is the stage under test
    private const string Head = "study: s\nseed: 1\nworld: tiny\nmodel: base\nstages:\n  - rows: {name: pairs}\n";

    private static string ErrorOf(string yaml, RecipeNames? names = null, IReadOnlyDictionary<string, string>? set = null) =>
        Assert.Throws<BadInputException>(() => new RecipeReader(StudyBench.Table, names).Read(yaml, "r.yaml", set)).Message;

    [Theory]
    [InlineData("train: {name: t, data: pairs, betta: 1}", "r.yaml:7: stages[1].train.betta: unknown key 'betta'; did you mean 'beta'?")]
    [InlineData("train: {name: t, data: pairs, learning_rate: 1}", "r.yaml:7: stages[1].train.learning_rate: unknown key 'learning_rate'; did you mean 'learning-rate'?")]
    [InlineData("train: {name: t, data: pairs, LearningRate: 1}", "r.yaml:7: stages[1].train.LearningRate: unknown key 'LearningRate'; did you mean 'learning-rate'?")]
    [InlineData("rows: {name: t, zebra: 1}", "r.yaml:7: stages[1].rows.zebra: unknown key 'zebra'; keys: split, rows, chunk")]
    [InlineData("train: {name: t, dta: pairs}", "r.yaml:7: stages[1].train.dta: unknown key 'dta'; did you mean 'data'?")]
    [InlineData("train: {name: t}", "r.yaml:7: stages[1].train.data: missing key 'data'")]
    [InlineData("train: {data: pairs}", "r.yaml:7: stages[1].train.name: missing key 'name'")]
    [InlineData("train: {name: t, data: pairs, beta: 1, beta: 2}", "r.yaml:7: stages[1].train.beta: key 'beta' is already given on line 7; keep one of them")]
    [InlineData("train: {name: t, data: pairs, beta: }", "r.yaml:7: stages[1].train.beta: needs a value")]
    [InlineData("train: {name: t, data: ~}", "r.yaml:7: stages[1].train.data: needs a value (put it in quotes if it is meant as text)")]
    [InlineData("train: {name: t, data: pairs, beta: much}", "r.yaml:7: stages[1].train.beta: expected a finite number such as 0.1 or 1e-5, found 'much'")]
    [InlineData("train: {name: t, data: pairs, beta: '0,5'}", "r.yaml:7: stages[1].train.beta: expected a finite number such as 0.1 or 1e-5, found '0,5'")]
    [InlineData("train: {name: t, data: pairs, beta: 1e999}", "r.yaml:7: stages[1].train.beta: expected a finite number such as 0.1 or 1e-5, found '1e999'")]
    [InlineData("train: {name: t, data: pairs, beta: NaN}", "r.yaml:7: stages[1].train.beta: expected a finite number such as 0.1 or 1e-5, found 'NaN'")]
    [InlineData("train: {name: t, data: pairs, limits: {seconds: 1e39}}", "r.yaml:7: stages[1].train.limits.seconds: expected a finite number such as 0.1 or 1e-5, found '1e39'")]
    [InlineData("train: {name: t, data: pairs, steps: 1.5}", "r.yaml:7: stages[1].train.steps: expected a whole number up to 2147483647, found '1.5'")]
    [InlineData("train: {name: t, data: pairs, steps: 99999999999}", "r.yaml:7: stages[1].train.steps: expected a whole number up to 2147483647, found '99999999999'")]
    [InlineData("train: {name: t, data: pairs, fast: maybe}", "r.yaml:7: stages[1].train.fast: expected true or false, found 'maybe'")]
    [InlineData("train: {name: t, data: pairs, beta: [1]}", "r.yaml:7: stages[1].train.beta: expected number, found a list")]
    [InlineData("train: {name: t, data: {a: b}}", "r.yaml:7: stages[1].train.data: expected text, found a map of keys")]
    [InlineData("train: {name: t, data: pairs, targets: q}", "r.yaml:7: stages[1].train.targets: expected a list, found 'q'")]
    [InlineData("train: {name: t, data: pairs, limits: 5}", "r.yaml:7: stages[1].train.limits: expected keys below it, found '5'")]
    [InlineData("train: {name: t, data: pairs, schedule: linear}", "r.yaml:7: stages[1].train.schedule: unknown value 'linear'; values: constant, linear-decay")]
    [InlineData("train: {name: t, data: pairs, schedule: linear-decoy}", "r.yaml:7: stages[1].train.schedule: unknown value 'linear-decoy'; did you mean 'linear-decay'?")]
    [InlineData("train: {name: t, data: pairs, beta: 0}", "r.yaml:7: stages[1].train.beta: must be above 0, found 0")]
    [InlineData("train: {name: t, data: pairs, weight-decay: 1.5}", "r.yaml:7: stages[1].train.weight-decay: must be at least 0 and at most 1, found 1.5")]
    [InlineData("train: {name: t, data: pairs, limits: {tokens: 0}}", "r.yaml:7: stages[1].train.limits.tokens: must be at least 1, found 0")]
    [InlineData("train: {name: t, data: pairs, steps: 0}", "r.yaml:7: stages[1].train.steps: must be at least 1")]
    [InlineData("trian: {name: t, data: pairs}", "r.yaml:7: stages[1].trian: unknown stage 'trian'; did you mean 'train'?")]
    [InlineData("quantum: {name: t}", "r.yaml:7: stages[1].quantum: unknown stage 'quantum'; stages: rows, train, table, probe")]
    [InlineData("rows: {name: pairs}", "r.yaml:7: stages[1].rows.name: the name 'pairs' is already that of stages[0].rows; names are unique")]
    [InlineData("rows: {name: ../x}", "r.yaml:7: stages[1].rows.name: '../x' cannot be a name: a name has letters, digits, '-', '_' and '.' only")]
    [InlineData("rows: {name: .x}", "r.yaml:7: stages[1].rows.name: '.x' cannot be a name: a name begins with a letter or digit and does not end in '.'")]
    [InlineData("train: {name: t, data: pears}", "r.yaml:7: stages[1].train.data: no earlier stage is named 'pears'; did you mean 'pairs'?")]
    [InlineData("train: {name: t, data: t}", "r.yaml:7: stages[1].train.data: no earlier stage is named 't'; earlier stages: pairs")]
    [InlineData("train: {name: t, data: pairs, init: pars}", "r.yaml:7: stages[1].train.init: 'pars' is neither an earlier stage nor a model; did you mean 'pairs'?")]
    [InlineData("table: {name: t, annotators: [a], systems: {x: {policy: base, rerank: rm}}}", "r.yaml:7: stages[1].table.systems.x.rerank: no earlier stage is named 'rm'; earlier stages: pairs")]
    [InlineData("table: {name: t, annotators: [a], systems: {x: nothing-known}}", "r.yaml:7: stages[1].table.systems.x.policy: 'nothing-known' is neither an earlier stage nor a model; earlier stages: pairs")]
    [InlineData("table: {name: t, annotators: [a], systems: [x]}", "r.yaml:7: stages[1].table.systems: expected a map, found a list")]
    [InlineData("table: {name: t, annotators: [a], systems: {x: [y]}}", "r.yaml:7: stages[1].table.systems.x: expected keys below it, found a list (or one text)")]
    [InlineData("table: {name: t, annotators: [null], systems: {x: base}}", "r.yaml:7: stages[1].table.annotators[0]: needs a value (put it in quotes if it is meant as text)")]
    [InlineData("rows", "r.yaml:7: stages[1]: a stage is 'kind: {name: ..., ...}', found 'rows'")]
    [InlineData("{rows: {name: a}, train: {name: b}}", "r.yaml:7: stages[1]: a stage is one kind with its settings below it, found 2 keys: rows, train")]
    [InlineData("rows: ", "r.yaml:7: stages[1].rows: needs a value")]
    [InlineData("rows: t", null)]
    [InlineData("train: {name: t, data: pairs, beta: '${bta}'}", "r.yaml:7: stages[1].train.beta: unknown variable 'bta'; there are no variables")]
    [InlineData("train: {name: t, data: pairs, init: '${x'}", "r.yaml:7: stages[1].train.init: '${' without its '}'; write '$${' for the characters themselves")]
    public void A_mistake_in_a_stage_is_named(string stage, string? message)
    {
        RecipeNames names = new(IsModel: name => name == "base");
        if (message != null)
            Assert.Equal(message, ErrorOf(Head + $"  - {stage}\n", names));
        else
            Assert.Equal("t", new RecipeReader(StudyBench.Table, names).Read(Head + $"  - {stage}\n", "r.yaml").Stages[1].Name);
    }

    [Theory]
    [InlineData("study: a/b\nseed: 1\nworld: tiny\nstages: [rows: {name: a}]", "r.yaml:1: study: 'a/b' cannot be a name: a name has letters, digits, '-', '_' and '.' only")]
    [InlineData("study: s\nseed: -1\nworld: tiny\nstages: [rows: {name: a}]", "r.yaml:2: seed: expected a whole number from 0 to 18446744073709551615, found '-1'")]
    [InlineData("study: s\nseed: 1\nworld: tinny\nstages: [rows: {name: a}]", "r.yaml:3: world: unknown world 'tinny'; did you mean 'tiny'?")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nmodel: nope\nstages: [rows: {name: a}]", "r.yaml:4: model: no model 'nope': give a folder, a GGUF file, a hub id or a built-in name")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nbackend: embeded\nstages: [rows: {name: a}]", "r.yaml:4: backend: unknown backend 'embeded'; did you mean 'embedded'?")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nbackend: tinker+ftp://x\nstages: [rows: {name: a}]", "r.yaml:4: backend: unknown backend 'tinker+ftp'; backends: embedded")]
    [InlineData("study: s\nseed: 1\nstages: [rows: {name: a}]", "r.yaml:1: world: missing key 'world' (or 'data'): stage 'a' reads it")]
    [InlineData("study: s\nseed: 1\nworld: tiny\ndata: {train: x}\nstages: [rows: {name: a}]", "r.yaml:4: data: give either 'world' or 'data', not both")]
    [InlineData("study: s\nseed: 1\ndata: {trian: x}\nstages: [rows: {name: a}]", "r.yaml:3: data.trian: unknown key 'trian'; did you mean 'train'?")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nstages:\n- rows: {name: a}\n- train: {name: b, data: a}", "r.yaml:1: model: missing key 'model': stage 'b' starts from it")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nstages: []", "r.yaml:4: stages: a study has at least one stage")]
    [InlineData("seed: 1\nworld: tiny\nstages: [rows: {name: a}]", "r.yaml:1: study: missing key 'study'")]
    [InlineData("study: s\nseed: 1\nworld: tiny\nvariables: {a: [b]}\nstages: [rows: {name: a}]", "r.yaml:4: variables.a: expected text, found a list")]
    [InlineData("study: s\nseed: 1\nsede: 2\nworld: tiny\nstages: [rows: {name: a}]", "r.yaml:3: sede: unknown key 'sede'; keys: data, model, backend, variables")]
    public void A_mistake_in_the_header_is_named(string yaml, string message) =>
        Assert.Equal(message, ErrorOf(yaml, new RecipeNames(["tiny"], ["embedded"], name => name == "base")));

    [Fact]
    public void Setting_a_variable_that_the_recipe_does_not_declare_is_an_error() =>
        Assert.Equal("r.yaml: variables: no variable 'betta' to set; did you mean 'beta'?",
            ErrorOf(Head + "variables: {beta: 1}\n", set: new Dictionary<string, string> { ["betta"] = "2" }));

    [Fact]
    public void All_mistakes_are_told_together_in_order_of_lines()
    {
        string yaml = """
            study: s
            seed: x
            world: tiny
            stages:
              - rows: {nam: pairs, rows: 0}
              - train:
                  name: rm
                  data: pares
                  beta: -1
              - train: {name: rm, data: rm, beta: 1, beta: 2}
              - tabel: {name: t}
            """;
        Assert.Equal("""
            7 things are wrong with r.yaml:
            r.yaml:2: seed: expected a whole number from 0 to 18446744073709551615, found 'x'
            r.yaml:5: stages[0].rows.nam: unknown key 'nam'; did you mean 'name'?
            r.yaml:5: stages[0].rows.rows: must be at least 1 and at most 1000, found 0
            r.yaml:9: stages[1].train.beta: must be above 0, found -1
            r.yaml:10: stages[2].train.beta: key 'beta' is already given on line 10; keep one of them
            r.yaml:10: stages[2].train.name: the name 'rm' is already that of stages[1].train; names are unique
            r.yaml:11: stages[3].tabel: unknown stage 'tabel'; did you mean 'table'?
            """, ErrorOf(yaml));
    }
}
