namespace Paddock.Judging.Forms;

/// <summary>Which of two answers is better, in one word.</summary>
internal static class PairwiseForm
{
    private const string Question = """
        Someone asked an assistant this:

        <request>
        {instruction}
        </request>

        Answer A:

        <answer>
        {output_1}
        </answer>

        Answer B:

        <answer>
        {output_2}
        </answer>

        Which answer serves the person better? Judge what is said, whether it is right and whether it does what was asked. Length and order do not count.
        Reply with one word: A, B, or tie.
        """;

    public static FormDefaults Defaults { get; } = new([new("system", "You compare answers of assistants, carefully and without favour."), new("user", Question)],
        new(ParserKind.Regex, @"\bA\b", @"\bB\b", @"(?i)\btie\b"), MaxTokens: 8, Typical: 2);
}
