using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Judging.AlpacaEval;
using Paddock.Studies.Judges;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Judging;

/// <summary>Judges from YAML: our own, and AlpacaEval's.</summary>
public sealed class JudgeFileTests
{
    [Fact]
    public void A_judge_is_read_with_all_its_settings()
    {
        JudgeSettings judge = JudgeFile.Parse("""
            name: strict
            model: {name: gpt-4o-mini, temperature: 0.5, max-tokens: 100}
            order: both
            noise: 0.1
            prompt:
              - {role: system, content: Judge.}
              - role: user
                content: "{instruction} | {output_1} | {output_2}"
            parser: {kind: json, path: winner, first: one, second: two, trace: why}
            limits: {in-flight: 4, cap: 1.5}
            """, "judge.yaml");
        Assert.Equal(("strict", "gpt-4o-mini", 0.5, JudgeOrder.Both, 0.1, 2, ParserKind.Json, "why", 1.5),
            (judge.Name, judge.Model!.Name, judge.Model.Temperature, judge.Order, judge.Noise, judge.Prompt!.Count, judge.Parser!.Kind, judge.Parser.Trace, judge.Limits!.Cap!.Value));
        Assert.Equal(JudgeProvider.Openai, judge.Model.Provider);
    }

    [Fact]
    public void A_jury_has_members()
    {
        JudgeSettings jury = JudgeFile.Parse("{name: jury, model: m-1, rule: weighted, weights: [1, 2], members: [{name: a}, {name: b, form: log-prob, model: {name: m-2, provider: anthropic}}]}", "jury.yaml");
        Assert.Equal(("m-1", 2, JuryRule.Weighted, JudgeForm.LogProb), (jury.Model!.Name, jury.Members!.Count, jury.Rule, jury.Members[1].Form));
    }

    [Theory]
    [InlineData("name: j\nmodle: m\n", "judge.yaml:2: modle: unknown key 'modle'; did you mean 'model'?")]
    [InlineData("name: j\nform: pairwize\n", "judge.yaml:2: form: unknown value 'pairwize'; did you mean 'pairwise'?")]
    [InlineData("name: j\nnoise: 0.7\n", "judge.yaml:2: noise: must be at least 0 and at most 0.5, found 0.7")]
    [InlineData("model: m\n", "judge.yaml:1: name: missing key 'name'")]
    public void What_is_wrong_is_told_with_its_line(string yaml, string message) => Assert.Equal(message, Assert.Throws<BadInputException>(() => JudgeFile.Parse(yaml, "judge.yaml")).Message);

    [Fact]
    public void A_file_that_is_not_there_is_an_error() =>
        Assert.StartsWith("nowhere.yaml: there is no such judge", Assert.Throws<BadInputException>(() => JudgeFile.Read("nowhere.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_configuration_of_AlpacaEval_gives_its_prompts_orders_and_verdicts()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder.File("my_judge"));
        File.WriteAllText(folder.File("my_judge/prompt.txt"), "<|im_start|>system\nYou judge { \"json\": 1 }.\n<|im_end|>\n<|im_start|>user\n{instruction}\n(m) {output_1}\n(M) {output_2}\n<|im_end|>\n");
        File.WriteAllText(folder.File("my_judge/configs.yaml"), """
            my_judge:
              prompt_template: "my_judge/prompt.txt"
              fn_completions: "openai_completions"
              completions_kwargs:
                model_name: "gpt-4-1106-preview"
                max_tokens: 1
                temperature: 1
                logprobs: true
                top_logprobs: 5
              fn_completion_parser: "logprob_parser"
              completion_parser_kwargs:
                numerator_token: "m"
                denominator_tokens: ["m", "M"]
                is_binarize: false
              completion_key: "completions_all"
              batch_size: 1
            """);
        JudgeSettings settings = JudgeFile.Read(folder.File("my_judge"));
        Assert.Equal(("my_judge", true, JudgeOrder.Seeded, 1, 5, 1.0), (settings.Name, settings.AlpacaEval, settings.Order, settings.Model!.MaxTokens!.Value, settings.Model.TopLogProbs!.Value, settings.Model.Temperature));
        TokenLogProb token = new("m", Math.Log(0.9), [new("m", Math.Log(0.9)), new("M", Math.Log(0.1))]);
        ChatJudge judge = Cases.Judge(settings, new FakeChat((_, _) => FakeChat.Reply("m", logProbs: [token])));
        int switched = 0;
        for (int i = 0; i < 20; i++)
        {
            Comparison pair = Cases.Pair(i, "first {output_2}", "second ");
            bool turned = SeededDraws.IsSwitched($"Question {i}?", 0);
            switched += turned ? 1 : 0;
            Assert.Equal("""You judge { "json": 1 }.""", judge.Prompts(pair)[0][0].Content);
            Assert.Equal(turned ? $"Question {i}?\n(m) second \n(M) first {{output_2}}" : $"Question {i}?\n(m) first {{output_2}}\n(M) second", judge.Prompts(pair)[0][1].Content);
            Assert.Equal(turned ? 1.9 : 1.1, (await judge.JudgeAsync(pair, default)).Preference!.Value, 12);
        }
        Assert.InRange(switched, 1, 19);
    }

    [Fact]
    public async Task A_pool_of_AlpacaEval_chooses_as_it_does()
    {
        string[] names = [.. Enumerable.Range(0, 13).Select(i => $"a_{i}")];
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("p.txt"), "{instruction} {output_1} {output_2}");
        File.WriteAllText(folder.File("configs.yaml"), string.Concat(names.Select(n => $"{n}:\n  prompt_template: \"p.txt\"\n  fn_completions: openai_completions\n  completions_kwargs: {{model_name: m}}\n  fn_completion_parser: regex_parser\n  completion_parser_kwargs: {{outputs_to_match: {{1: '(?:^|\\n) ?Output \\(a\\)', 2: '(?:^|\\n) ?Output \\(b\\)'}}}}\n")));
        JudgeSettings settings = JudgeFile.Read(folder.Path);
        Assert.Equal(JuryRule.Pool, settings.Rule);
        Jury pool = new(settings, [.. settings.Members!.Select(m => Cases.Judge(m, new FakeChat(_ => "Output (a)")))], "p");
        foreach ((string instruction, int index) in new[] { ("Hello", 0), ("World", 6), ("Paddock", 0) })
        {
            JudgeVerdict verdict = await pool.JudgeAsync(new("1", Prompt.FromInstruction("1", instruction), new("x"), new("y")), default);
            Assert.Equal((names[index], 1.0), (verdict.Calls.Single().Judge, verdict.Preference));
        }
    }

    [Theory]
    [InlineData("batch_size: 5", "5 pairs in one prompt are not supported")]
    [InlineData("fn_completions: cohere_completions", "'cohere_completions' is not supported")]
    [InlineData("fn_completion_parser: lmsys_parser", "'lmsys_parser' is not supported")]
    [InlineData("prompt_template: nowhere.txt", "no file 'nowhere.txt'")]
    public void What_is_not_supported_is_refused_by_name(string line, string message)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("p.txt"), "{instruction} {output_1} {output_2}");
        string key = line.Split(':')[0];
        string[] lines = ["prompt_template: p.txt", "fn_completions: openai_completions", "completions_kwargs: {model_name: m}", "fn_completion_parser: ranking_parser"];
        string path = folder.Write("configs.yaml", $"x:\n{string.Concat(lines.Where(l => !l.StartsWith(key, StringComparison.Ordinal)).Append(line).Select(l => $"  {l}\n"))}");
        Assert.Contains(message, Assert.Throws<BadInputException>(() => JudgeFile.Read(path)).Message, StringComparison.Ordinal);
    }
}
