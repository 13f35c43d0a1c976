using System.Runtime.CompilerServices;

namespace Paddock.Engine.Kernels;

/// <summary>
/// What the attention kernels share: the sizes of a block, the list of blocks of a ragged batch, and a matrix product of two packed blocks
/// that fit the first-level caches. Blocks are counted from the start of their sequence, so a sequence's results do not depend on its
/// neighbours.
/// </summary>
internal static unsafe class AttentionBlocks
{
    /// <summary>Rows of the left side of a product: a multiple of every micro-kernel's rows.</summary>
    public const int Rows = 48;

    /// <summary>Columns of the right side: a multiple of every micro-kernel's columns.</summary>
    public const int Columns = 64;

    /// <summary>D rounded up to whole panels of every micro-kernel.</summary>
    public static int Padded(int D) => (D + 31) / 32 * 32;

    /// <summary>Number of blocks of <see cref="Rows"/> rows in all sequences.</summary>
    public static int Count(int S, int* offsets)
    {
        int count = 0;
        for (int s = 0; s < S; s++)
            count += Tiles.Over(offsets[s + 1] - offsets[s], Rows);
        return count;
    }

    public static void List(int S, int* offsets, AttentionBlock* blocks)
    {
        for (int s = 0; s < S; s++)
            for (int row = offsets[s]; row < offsets[s + 1]; row += Rows)
                *blocks++ = new AttentionBlock(offsets[s], offsets[s + 1], row, Math.Min(row + Rows, offsets[s + 1]));
    }

    /// <summary>Panels whose lanes are rows of a matrix: the left side of a product that runs over its columns, or the right side transposed.</summary>
    public static void PackRows(float* source, nint ld, int rows, int width, int depth, float* packed)
    {
        for (int r = 0; r < rows; r += width)
            PanelPacking.Transposed(source + r * ld, ld, Math.Min(width, rows - r), width, depth, packed + (nint)r * depth);
    }

    /// <summary>Panels whose lanes are columns: the right side of a product that runs over the rows.</summary>
    public static void PackColumns(float* source, nint ld, int columns, int width, int depth, float* packed)
    {
        for (int c = 0; c < columns; c += width)
            PanelPacking.Straight(source + c, ld, Math.Min(width, columns - c), width, depth, packed + (nint)c * depth);
    }

    /// <summary>c (+)= a b for packed panels that cover rows and columns; c has room for whole panels.</summary>
    public static void Multiply(in MicroKernel kernel, int rows, int columns, int depth, float* a, float* b, float* c, int ldc, bool add)
    {
        for (int n = 0; n < columns; n += kernel.Columns)
            for (int m = 0; m < rows; m += kernel.Rows)
                kernel.Multiply(depth, a + (nint)m * depth, b + (nint)n * depth, c + (nint)m * ldc + n, ldc, add);
    }

    /// <summary>dS = P (dP - delta) scale with P = exp(S scale - lse), in place of S and dP: S becomes P. Whole registers only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SoftmaxGradient<V>(float* s, float* dp, V logSumExp, V delta, V scale)
        where V : unmanaged, ILanes<V>
    {
        V p = VectorMath.Exp(V.Fma(V.Load(s), scale, V.Broadcast(0) - logSumExp));
        V.Store(p, s);
        V.Store(p * (V.Load(dp) - delta) * scale, dp);
    }

    /// <summary>As <see cref="SoftmaxGradient"/> under a cap: with t = tanh(S scale / cap), P = exp(cap t - lse) and dS has the factor 1 - t^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CappedGradient<V>(float* s, float* dp, V logSumExp, V delta, V scale, float cap)
        where V : unmanaged, ILanes<V>
    {
        V t = VectorMath.Tanh(V.Load(s) * scale * V.Broadcast(1 / cap)), p = VectorMath.Exp(V.Fma(t, V.Broadcast(cap), V.Broadcast(0) - logSumExp));
        V.Store(p, s);
        V.Store(p * (V.Load(dp) - delta) * scale * (V.Broadcast(1) - t * t), dp);
    }
}

/// <summary>Rows Begin .. End - 1 of the sequence First .. Last - 1.</summary>
internal readonly record struct AttentionBlock(int First, int Last, int Begin, int End);

/// <summary>The arguments both passes of attention share.</summary>
internal unsafe struct AttentionShape
{
    public MicroKernel Kernel;
    public AttentionBlock* Blocks;
    public float* Qkv, Output, LogSumExp, Scratch;
    public nint Ld, ScratchStride;
    public float Scale, Cap;
    public int H, KV, D, Window;

    /// <summary>Where the blocks of keys begin that a block of queries sees, counted in whole blocks from the start of the sequence.</summary>
    public readonly int FirstKey(in AttentionBlock block) =>
        block.First + Math.Max(0, block.Begin - block.First - Window + 1) / AttentionBlocks.Columns * AttentionBlocks.Columns;

    /// <summary>How many of the keys from <paramref name="key"/> on lie before a query's window.</summary>
    public readonly int Hidden(int query, int key) => Math.Clamp(query - Window + 1 - key, 0, AttentionBlocks.Columns);

    public readonly float* Query(int row, int head) => Qkv + row * Ld + head * D;

    public readonly float* Key(int row, int kvHead) => Qkv + row * Ld + (H + kvHead) * D;

    public readonly float* Value(int row, int kvHead) => Qkv + row * Ld + (H + KV + kvHead) * D;
}
