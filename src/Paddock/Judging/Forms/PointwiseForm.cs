namespace Paddock.Judging.Forms;

/// <summary>A mark for one answer alone; with log-probs its expectation, so that two answers seldom tie.</summary>
internal static class PointwiseForm
{
    private const string Question = """
        Someone asked an assistant this:

        <request>
        {instruction}
        </request>

        The assistant answered:

        <answer>
        {output}
        </answer>

        Give the answer a mark from 1 to 10.
        1: useless, wrong or harmful. 4: partly right or partly what was asked. 7: right and useful, with small faults. 10: nothing could be better.
        Reply with the number alone.
        """;

    public static FormDefaults Defaults { get; } = new([new("system", "You mark answers of assistants by a fixed scale."), new("user", Question)],
        new(ParserKind.Score, From: 1, To: 10, Expected: true), MaxTokens: 4, Typical: 2, TopLogProbs: 20);
}
