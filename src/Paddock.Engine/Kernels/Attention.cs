using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Causal softmax attention within each sequence, with grouped key and value heads: query head h reads head h / (H / KV). Blocks of
/// queries and keys with a running maximum and sum (Dao 2022, 2023), so memory is linear in the length.
/// </summary>
internal static unsafe class Attention
{
    /// <param name="offsets">[S + 1] first row of each sequence, then the number of rows N.</param>
    /// <param name="qkv">[N, ldqkv]: queries at column 0, keys at H D, values at (H + KV) D.</param>
    /// <param name="output">[N, H D].</param>
    /// <param name="logSumExp">[N, H]: log of the sum of exp(scaled scores), for the backward pass.</param>
    /// <param name="window">W: a query sees its own key and the W - 1 before it; 0 for all before it.</param>
    /// <param name="cap">Scores become cap tanh(scaled score / cap) (Gemma 2, arXiv 2408.00118); 0 for none.</param>
    public static void Forward(WorkerPool pool, int S, int* offsets, int H, int KV, int D, float* qkv, int ldqkv, float scale, float* output, float* logSumExp,
        int window = 0, float cap = 0)
    {
        int count = AttentionBlocks.Count(S, offsets);
        Tiles.Run(pool, checked(count * H), new ForwardJob { Shape = Plan(pool, count, S, offsets, H, KV, D, qkv, ldqkv, scale, output, logSumExp, window, cap, 0, out _) });
    }

    /// <summary>
    /// dQkv is overwritten: the first (H + 2 KV) D columns of each of the N rows. Two passes, one over blocks of queries and one over blocks of
    /// keys, each recomputing the scores, so that no two tiles add to the same element.
    /// </summary>
    public static void Backward(WorkerPool pool, int S, int* offsets, int H, int KV, int D, float* qkv, int ldqkv, float scale, float* output, float* logSumExp,
        float* dOutput, float* dQkv, int lddqkv, int window = 0, float cap = 0)
    {
        int count = AttentionBlocks.Count(S, offsets);
        long rows = (long)offsets[S] - offsets[0];
        AttentionShape shape = Plan(pool, count, S, offsets, H, KV, D, qkv, ldqkv, scale, output, logSumExp, window, cap, rows * H, out float* delta);
        delta -= (nint)offsets[0] * H;
        Tiles.Run(pool, checked(count * H), new AttentionQueryGradient { Shape = shape, DOutput = dOutput, DQkv = dQkv, Ldd = lddqkv, Delta = delta });
        Tiles.Run(pool, checked(count * KV), new AttentionKeyGradient { Shape = shape, DOutput = dOutput, DQkv = dQkv, Ldd = lddqkv, Delta = delta });
    }

    // scratch: the list of blocks, what the caller wants, then one area for each worker
    private static AttentionShape Plan(WorkerPool pool, int count, int S, int* offsets, int H, int KV, int D, float* qkv, int ldqkv, float scale, float* output,
        float* logSumExp, int window, float cap, long extraFloats, out float* extra)
    {
        const int Rows = AttentionBlocks.Rows, Columns = AttentionBlocks.Columns;
        long list = ((long)count * sizeof(AttentionBlock) / sizeof(float) + 15) / 16 * 16, wanted = (extraFloats + 15) / 16 * 16;
        int padded = AttentionBlocks.Padded(D);
        long stride = 4 * Rows * padded + 4 * Columns * padded + 3 * Rows * Columns + 2 * Rows + 2 * Columns;
        float* scratch = pool.SharedScratch(list + wanted + stride * pool.Threads);
        AttentionBlocks.List(S, offsets, (AttentionBlock*)scratch);
        extra = scratch + list;
        return new AttentionShape
        {
            Kernel = MicroKernel.Current,
            Blocks = (AttentionBlock*)scratch,
            Qkv = qkv,
            Output = output,
            LogSumExp = logSumExp,
            Scratch = extra + wanted,
            ScratchStride = (nint)stride,
            Ld = ldqkv,
            Scale = scale,
            Cap = cap,
            Window = window > 0 ? window : int.MaxValue,
            H = H,
            KV = KV,
            D = D,
        };
    }

    /// <summary>A tile is one block of queries of one head.</summary>
    private struct ForwardJob : ITileJob
    {
        public AttentionShape Shape;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            const int Rows = AttentionBlocks.Rows, Columns = AttentionBlocks.Columns;
            AttentionBlock block = Shape.Blocks[tile / Shape.H];
            int head = tile % Shape.H, kv = head / (Shape.H / Shape.KV), D = Shape.D, padded = AttentionBlocks.Padded(D), n = block.End - block.Begin;
            MicroKernel kernel = Shape.Kernel;
            float* queries = Shape.Scratch + worker * Shape.ScratchStride, keys = queries + Rows * padded, values = keys + Columns * padded;
            float* mixed = values + Columns * padded, scores = mixed + Rows * padded, weights = scores + Rows * Columns;
            float* largest = weights + Rows * Columns, sums = largest + Rows;
            AttentionBlocks.PackRows(Shape.Query(block.Begin, head), Shape.Ld, n, kernel.Rows, D, queries);
            new Span<float>(mixed, Rows * padded).Clear();
            new Span<float>(largest, Rows).Fill(float.NegativeInfinity);
            new Span<float>(sums, Rows).Clear();
            for (int key = Shape.FirstKey(in block); key < block.End; key += Columns)
            {
                int count = Math.Min(Columns, block.End - key);
                AttentionBlocks.PackRows(Shape.Key(key, kv), Shape.Ld, count, kernel.Columns, D, keys);
                AttentionBlocks.Multiply(in kernel, n, count, D, queries, keys, scores, Columns, false);
                for (int i = 0; i < n; i++)
                    Weigh<V>(scores + i * Columns, Shape.Hidden(block.Begin + i, key), Math.Min(count, block.Begin + i - key + 1), ref largest[i], ref sums[i], mixed + i * padded, padded);
                AttentionBlocks.PackRows(scores, Columns, n, kernel.Rows, count, weights);
                AttentionBlocks.PackColumns(Shape.Value(key, kv), Shape.Ld, D, kernel.Columns, count, values);
                AttentionBlocks.Multiply(in kernel, n, D, count, weights, values, mixed, padded, true);
            }
            for (int i = 0; i < n; i++)
            {
                long row = (long)(block.Begin + i) * Shape.H + head;
                float* output = Shape.Output + row * D, from = mixed + i * padded;
                float inverse = 1 / sums[i];
                // the padded columns hold whole registers, so they can be scaled in place
                for (int d = 0; d < D; d += V.Count)
                    V.Store(V.Load(from + d) * V.Broadcast(inverse), from + d);
                new Span<float>(from, D).CopyTo(new(output, D));
                Shape.LogSumExp[row] = largest[i] + MathF.Log(sums[i]);
            }
        }

        // turns a row of scores into exp(score - largest so far) and brings what was summed before to the same scale
        private readonly void Weigh<V>(float* scores, int hidden, int valid, ref float largest, ref float sum, float* mixed, int padded)
            where V : unmanaged, ILanes<V>
        {
            const int Columns = AttentionBlocks.Columns;
            if (valid <= hidden)
            {
                new Span<float>(scores, Columns).Clear();
                return;
            }
            float factor = Shape.Scale;
            if (Shape.Cap > 0)
            {
                SoftCap.Scores<V>(scores, Columns, factor, Shape.Cap);
                factor = 1;
            }
            if (hidden > 0)
                new Span<float>(scores, hidden).Fill(float.NegativeInfinity);
            new Span<float>(scores + valid, Columns - valid).Fill(float.NegativeInfinity);
            V max = V.Load(scores), scale = V.Broadcast(factor);
            for (int j = V.Count; j < Columns; j += V.Count)
                max = V.Max(V.Load(scores + j), max);
            float before = largest;
            largest = MathF.Max(before, V.Largest(max) * factor);
            V shift = V.Broadcast(-largest), total = V.Broadcast(0);
            for (int j = 0; j < Columns; j += V.Count)
            {
                V p = VectorMath.Exp(V.Fma(V.Load(scores + j), scale, shift));
                total += p;
                V.Store(p, scores + j);
            }
            if (before == largest)
            {
                sum += V.Sum(total);
                return;
            }
            V shrink = VectorMath.Exp(V.Broadcast(before - largest));
            sum = sum * V.Largest(shrink) + V.Sum(total);
            for (int d = 0; d < padded; d += V.Count)
                V.Store(V.Load(mixed + d) * shrink, mixed + d);
        }
    }
}
