using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Memory;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Sampling;

public unsafe class DecodeAttentionTests
{
    [Theory]
    [InlineData(6, 2, 8, 0, 0)]
    [InlineData(3, 1, 64, 0, 0)]
    [InlineData(4, 4, 18, 0, 0)]
    [InlineData(9, 3, 16, 0, 0)]
    [InlineData(4, 2, 8, 1, 0)]
    [InlineData(4, 2, 8, 16, 0)]
    [InlineData(4, 2, 8, 20, 2)]
    [InlineData(4, 2, 8, 0, 1.5)]
    public void Cached_attention_agrees_with_its_twin_alone_and_in_a_batch(int H, int KV, int D, int window, float cap)
    {
        int[] lengths = [1, 2, 15, 16, 17, 33, 70];
        int rows = lengths.Length, width = (H + 2 * KV) * D;
        RandomStream stream = new(1, "attention");
        using WorkerPool one = new(1), two = new(2);
        using KeyValueCache cache = new(2, new(KV, D), 1 << 26);
        CachedSequence[] sequences = [.. lengths.Select(length => new CachedSequence(cache, length))];
        CacheRow* table = stackalloc CacheRow[rows];
        long offset = cache.Shape.LayerFloats;
        using NativeBuffer qkv = new(rows * width), output = new(rows * H * D), alone = new(H * D), expected = new(rows * H * D);
        for (int t = 0; t < lengths[^1]; t++)
            for (int r = 0; r < rows; r++)
            {
                if (t >= lengths[r])
                    continue;
                table[r] = sequences[r].Extend();
                foreach (ref float value in qkv.Slice(r * width, width))
                    value = (float)stream.NextGaussian();
                DecodeAttention.Store(one, 1, table + r, offset, KV, D, qkv.Pointer + r * width + H * D, qkv.Pointer + r * width + (H + KV) * D, width);
            }
        float scale = 1f / MathF.Sqrt(D);
        ReferenceDecode.Attention(rows, table, offset, H, KV, D, qkv.Pointer, width, scale, expected.Pointer, H * D, window, cap);
        foreach (DecodeTier tier in DecodeMatMulTests.Tiers())
        {
            DecodeAttention.Run(two, rows, table, offset, H, KV, D, qkv.Pointer, width, scale, output.Pointer, H * D, tier, window, cap);
            for (int i = 0; i < output.Length; i++)
                Assert.Equal(expected.Span[i], output.Span[i], 1e-5f);
            for (int r = 0; r < rows; r++)
            {
                DecodeAttention.Run(one, 1, table + r, offset, H, KV, D, qkv.Pointer + r * width, width, scale, alone.Pointer, H * D, tier, window, cap);
                Assert.True(alone.Span.SequenceEqual(output.Slice(r * H * D, H * D)), $"{tier}, row {r}");
            }
        }
        int used = cache.InUse;
        using (CachedSequence fork = sequences[5].Fork(40))
            Assert.Equal(used + 1, cache.InUse); // 33 tokens: two whole blocks shared, the third copied
        foreach (CachedSequence sequence in sequences)
            sequence.Dispose();
        Assert.Equal(0, cache.InUse);
    }
}
