namespace Paddock.Engine.Models;

/// <summary>
/// Sequences of different lengths laid end to end without padding. N = all tokens, S = sequences. Reused from step to step, so that
/// a training step allocates nothing.
/// </summary>
public sealed class RaggedBatch
{
    /// <summary>A target that is not wanted: no output is computed there and its coefficient is ignored.</summary>
    public const int NoTarget = -1;

    private int[] _tokens = new int[256];
    private int[] _targets = new int[256];
    private int[] _offsets = new int[17];

    /// <summary>N.</summary>
    public int TokenCount { get; private set; }

    /// <summary>S.</summary>
    public int SequenceCount { get; private set; }

    public int MaxLength { get; private set; }

    /// <summary>[N] input ids.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);

    /// <summary>[N] the id to be predicted from the inputs up to and including this position, or <see cref="NoTarget"/>.</summary>
    public ReadOnlySpan<int> Targets => _targets.AsSpan(0, TokenCount);

    /// <summary>[S + 1] first row of each sequence, then N.</summary>
    public ReadOnlySpan<int> Offsets => _offsets.AsSpan(0, SequenceCount + 1);

    public void Clear() => (TokenCount, SequenceCount, MaxLength) = (0, 0, 0);

    /// <summary>Appends one sequence; both spans have its length, which is at least one.</summary>
    public void Add(ReadOnlySpan<int> input, ReadOnlySpan<int> targets)
    {
        if (input.Length != targets.Length || input.IsEmpty)
            throw new ArgumentException($"a sequence needs as many targets as inputs and at least one, got {targets.Length} and {input.Length}");
        int end = checked(TokenCount + input.Length);
        if (end > _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Max(end, 2 * _tokens.Length));
            Array.Resize(ref _targets, _tokens.Length);
        }
        if (SequenceCount + 2 > _offsets.Length)
            Array.Resize(ref _offsets, 2 * _offsets.Length);
        input.CopyTo(_tokens.AsSpan(TokenCount));
        targets.CopyTo(_targets.AsSpan(TokenCount));
        TokenCount = _offsets[++SequenceCount] = end;
        MaxLength = Math.Max(MaxLength, input.Length);
    }
}
