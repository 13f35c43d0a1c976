namespace Paddock.Engine.Kernels;

/// <summary>Where one row finds the keys and values it attends to: its own position is the last of <see cref="Length"/> tokens.</summary>
internal unsafe struct CacheRow
{
    /// <summary>One pointer for every 16 tokens.</summary>
    public float** Blocks;

    public int Length;
}

/// <summary>
/// One layer's part of a cache block of 16 tokens. Keys lie transposed, [KV, D, 16], so that one vector holds the same channel of 16
/// tokens and scores need no horizontal sums; values lie as [KV, 16, D rounded up to 16], the padding zero.
/// </summary>
internal readonly struct CacheShape(int KV, int D)
{
    public const int BlockTokens = 16;

    private readonly int _values = KV * D * BlockTokens;

    public int ValueWidth { get; } = (D + 15) & ~15;

    /// <summary>Floats of one layer in one block.</summary>
    public int LayerFloats => _values + KV * BlockTokens * ValueWidth;

    public int KeyOffset(int kv) => kv * D * BlockTokens;

    public int ValueOffset(int kv) => _values + kv * BlockTokens * ValueWidth;
}
