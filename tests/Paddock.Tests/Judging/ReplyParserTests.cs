using System.Text.Json;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Judging;

public sealed class ReplyParserTests
{
    private static readonly ParserSettings Letters = new(ParserKind.Regex, @"\(a\)", @"\(b\)", "tie");

    [Theory]
    [InlineData("Output (a), not (b)", 1.0)]
    [InlineData("Output (b), not (a)", 2.0)]
    [InlineData("a tie", 1.5)]
    [InlineData("neither", null)]
    public void The_earliest_match_counts(string reply, double? expected) => Assert.Equal(expected, Parse(Letters, reply).Value);

    [Fact]
    public void With_last_the_last_match_counts_and_what_stands_before_it_is_the_trace()
    {
        ParsedReply parsed = Parse(Letters with { Last = true }, "(a) is short. So: (b)");
        Assert.Equal((2.0, "(a) is short. So:"), (parsed.Value, parsed.Trace));
    }

    [Fact]
    public void Strict_takes_one_match_only()
    {
        Assert.Equal(2, Parse(Letters with { Strict = true }, "Output (b)").Value);
        Assert.Equal("2 verdicts in the reply", Parse(Letters with { Strict = true }, "Output (b) (a)").Problem);
    }

    [Fact]
    public void A_pattern_that_takes_for_ever_is_a_problem_of_the_reply() =>
        Assert.Equal("a pattern took too long on this reply", Parse(new(ParserKind.Regex, "(x+x+)+y", "b"), new string('x', 40)).Problem);

    [Theory]
    [InlineData("""Well: ```json {"why": "short", "verdict": {"best": ["B"]}} ```""", 2.0)]
    [InlineData("""{"verdict": {"best": ["a"]}}""", 1.0)]
    [InlineData("""{"verdict": {"best": []}}""", null)]
    [InlineData("{ no json [", null)]
    [InlineData("""{"verdict": {"best": ["C"]}}""", null)]
    public void Json_is_read_at_its_path(string reply, double? expected) => Assert.Equal(expected, Parse(new(ParserKind.Json, "A", "B", Path: "$.verdict.best[0]"), reply).Value);

    [Theory]
    [InlineData("B > A", 2.0)]
    [InlineData("So I say: A > B.", 1.0)]
    [InlineData("""["B", "A"]""", 2.0)]
    [InlineData("A = B", 1.5)]
    [InlineData("A", null)]
    [InlineData("A > A", null)]
    public void Letters_are_a_ranking(string reply, double? expected) => Assert.Equal(expected, Parse(new(ParserKind.Ranking), reply).Value);

    [Fact]
    public void Many_answers_are_ranked_with_ties()
    {
        Assert.Equal([2, 1, 4, 2], RankingReply.Ranks("Thinking. B > A = D > C", 4, out _)!);
        Assert.Null(RankingReply.Ranks("B > A > D", 4, out string? problem));
        Assert.Equal("3 of 4 answers are ranked", problem);
    }

    [Theory]
    [InlineData("[{'model': 'model_1', 'rank': 2}, {'model': 'model_2', 'rank': 1}]", 2.0)]
    [InlineData("""[{"model": "model_2", "rank": 2}, {"model": "model_1", "rank": 1}]""", 1.0)]
    [InlineData("[{'model': 'model_1', 'rank': 3}]", null)]
    public void AlpacaEvals_list_of_ranks_is_read(string reply, double? expected) => Assert.Equal(expected, Parse(new(ParserKind.Ranking, "model_1"), reply).Value);

    // the worked row of AlpacaEval: p(m) = 0.999992472
    [Fact]
    public void Two_tokens_are_a_soft_preference()
    {
        ParserSettings weighted = new(ParserKind.LogProb, "m", "M");
        Assert.Equal(1.000007528, Value(weighted, ("m", -8.7763e-06), ("M", -11.796884), ("The", -13.9)), 9);
        Assert.Equal(1.5, Value(weighted, ("m", -1), ("M", -1)), 12);
        Assert.Equal(2, Value(weighted, ("M", -0.1), ("x", -3)));
        Assert.Equal(1, Value(weighted with { Binary = true }, ("m", -0.5), ("M", -0.9)));
        Assert.Equal(1, Value(weighted, (" m", -0.5), ("x", -0.9)));
        Assert.Null(Parse(weighted with { Strict = true }, new JudgeReply(" m", [new(" m", -0.5, [new(" m", -0.5)])])).Value);
        Assert.StartsWith("neither 'm' nor 'M'", Parse(weighted, new JudgeReply("x", [new("x", -0.5, [new("x", -0.5)])])).Problem, StringComparison.Ordinal);
        Assert.Equal("the server returned no log-probs", Parse(weighted, "m").Problem);
    }

    [Fact]
    public void A_score_is_its_mean_under_the_log_probs_where_there_are_any()
    {
        ParserSettings score = new(ParserKind.Score, Expected: true);
        TokenLogProb token = new("8", Math.Log(0.5), [new("8", Math.Log(0.5)), new("7", Math.Log(0.25)), new("x", Math.Log(0.2)), new("10", Math.Log(0.05))]);
        Assert.Equal((8 * 0.5 + 7 * 0.25 + 10 * 0.05) / 0.8, Parse(score, new JudgeReply("8", [token])).Value!.Value, 12);
        Assert.Equal(8, Parse(score, "I give it 3 for style. 8").Value);
        Assert.Equal("11 is outside 1 to 10", Parse(score, "11").Problem);
        Assert.Equal("no number in the reply", Parse(score, "good").Problem);
        Assert.Equal(3, Parse(score with { Pattern = @"style: (\d+)" }, "style: 3, rest: 8").Value);
    }

    [Fact]
    public void What_a_parser_needs_is_checked_when_it_is_made()
    {
        Assert.Equal("j: a parser of kind regex needs first and second, the patterns of the two verdicts", Assert.Throws<BadInputException>(() => new ReplyParser(new(ParserKind.Regex, "a"), "j")).Message);
        Assert.StartsWith("j.first: not a regular expression", Assert.Throws<BadInputException>(() => new ReplyParser(new(ParserKind.Regex, "(", "b"), "j")).Message, StringComparison.Ordinal);
    }

    [SharedFact]
    public void Published_log_probs_give_the_published_preferences()
    {
        ReplyParser parser = new(new(ParserKind.LogProb, "m", "M", Strict: true), "alpaca");
        JsonElement rows = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("golden", "alpaca_golden.json"))).RootElement.GetProperty("order_and_logprob_examples");
        foreach (JsonElement row in rows.EnumerateArray())
        {
            TokenAlternative[] top = [.. row.GetProperty("top_logprobs").EnumerateObject().Select(p => new TokenAlternative(p.Name, p.Value.GetDouble()))];
            double shown = parser.Parse(new("", [new(top[0].Token, top[0].LogProb, top)])).Value!.Value;
            Assert.InRange((row.GetProperty("switched").GetBoolean() ? 3 - shown : shown) - row.GetProperty("preference").GetDouble(), -1e-9, 1e-9);
        }
    }

    private static double Value(ParserSettings settings, params (string Token, double LogProb)[] top) =>
        Parse(settings, new JudgeReply(top[0].Token, [new(top[0].Token, top[0].LogProb, [.. top.Select(t => new TokenAlternative(t.Token, t.LogProb))])])).Value!.Value;

    private static ParsedReply Parse(ParserSettings settings, string reply) => Parse(settings, new JudgeReply(reply));

    private static ParsedReply Parse(ParserSettings settings, JudgeReply reply) => new ReplyParser(settings, "parser").Parse(reply);
}
