namespace Paddock.Judging.Forms;

/// <summary>Reasons first, then says which of two answers is better; the reasoning is kept as the verdict's trace.</summary>
internal static class ReasonedForm
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

        Say first, in a few sentences, what each answer gets right and wrong. Length and order do not count. Then end with a line of its own:
        Verdict: A
        or
        Verdict: B
        or
        Verdict: tie
        """;

    // the last match counts: the reasoning may quote the question
    public static FormDefaults Defaults { get; } = new([new("system", "You compare answers of assistants, carefully and without favour."), new("user", Question)],
        new(ParserKind.Regex, @"(?i)verdict:\W*A\b", @"(?i)verdict:\W*B\b", @"(?i)verdict:\W*tie\b", Last: true), MaxTokens: 512, Typical: 180);
}
