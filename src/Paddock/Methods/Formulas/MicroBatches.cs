namespace Paddock.Methods.Formulas;

/// <summary>
/// Cuts a step's rows into runs that fit in memory. Gradients add up over the runs and the loss is reduced over the whole step, so
/// the cut changes memory and speed, not the method.
/// </summary>
public static class MicroBatches
{
    /// <summary>Ranges [start, end) in order, each with at most <paramref name="maxTokens"/> tokens unless one row alone has more.</summary>
    public static IEnumerable<(int Start, int End)> Split(IReadOnlyList<int> tokensPerRow, int maxTokens)
    {
        int start = 0, tokens = 0;
        for (int row = 0; row < tokensPerRow.Count; row++)
        {
            if (row > start && tokens + tokensPerRow[row] > maxTokens)
            {
                yield return (start, row);
                (start, tokens) = (row, 0);
            }
            tokens += tokensPerRow[row];
        }
        if (start < tokensPerRow.Count)
            yield return (start, tokensPerRow.Count);
    }
}
