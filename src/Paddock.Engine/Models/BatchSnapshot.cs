namespace Paddock.Engine.Models;

/// <summary>A copy of a batch, to tell whether a backward pass is asked for the batch of the last forward pass.</summary>
internal sealed class BatchSnapshot
{
    private int[] _tokens = [], _targets = [], _offsets = [];
    private int _tokenCount, _offsetCount;

    public void Take(RaggedBatch batch)
    {
        Copy(batch.Tokens, ref _tokens);
        Copy(batch.Targets, ref _targets);
        Copy(batch.Offsets, ref _offsets);
        (_tokenCount, _offsetCount) = (batch.TokenCount, batch.SequenceCount + 1);
    }

    public bool Matches(RaggedBatch batch) => batch.Tokens.SequenceEqual(_tokens.AsSpan(0, _tokenCount))
        && batch.Targets.SequenceEqual(_targets.AsSpan(0, _tokenCount)) && batch.Offsets.SequenceEqual(_offsets.AsSpan(0, _offsetCount));

    private static void Copy(ReadOnlySpan<int> from, ref int[] to)
    {
        if (to.Length < from.Length)
            to = new int[Math.Max(from.Length, 2 * to.Length)];
        from.CopyTo(to);
    }
}
