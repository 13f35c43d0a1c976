namespace Paddock.Judging.Forms;

/// <summary>Orders any number of answers from best to worst.</summary>
internal static class RankingForm
{
    private const string Question = """
        Someone asked an assistant this:

        <request>
        {instruction}
        </request>

        These are answers to it, each with a letter:

        {answers}

        Order all answers from best to worst by how well they serve the person. Length and order do not count. Reply with the letters alone, such as B > A > C; write = between
        letters of equal worth.
        """;

    public static FormDefaults Defaults { get; } = new([new("system", "You rank answers of assistants, carefully and without favour."), new("user", Question)],
        new(ParserKind.Ranking), MaxTokens: 64, Typical: 8);

    /// <summary>The value of <c>{answers}</c>.</summary>
    public static string Answers(IReadOnlyList<string> shown) => string.Join("\n\n", shown.Select((text, i) => $"Answer {(char)('A' + i)}:\n\n<answer>\n{text}\n</answer>"));
}
