namespace Paddock.Judging.Forms;

/// <summary>One token, m or M, whose probability is the preference (the scheme of AlpacaEval 2's weighted judge, in our own words).</summary>
internal static class LogProbForm
{
    private const string Question = """
        Two models, m and M, answered the same request. Say which answer people would prefer.

        <request>
        {instruction}
        </request>

        <answer model="m">
        {output_1}
        </answer>

        <answer model="M">
        {output_2}
        </answer>

        Reply with the name of the better model alone: m or M.
        """;

    public static FormDefaults Defaults { get; } = new([new("system", "You compare answers of models. You reply with one token."), new("user", Question)],
        new(ParserKind.LogProb, "m", "M"), MaxTokens: 1, Typical: 1, TopLogProbs: 20);
}
