namespace Paddock.Engine.Kernels;

/// <summary>
/// d queries, a tile per block of queries and head: dS = P (dO V^T - delta) scale, dQ = dS K, with delta = dO . O for each row and head,
/// which is left behind for the pass over keys.
/// </summary>
internal unsafe struct AttentionQueryGradient : ITileJob
{
    public AttentionShape Shape;
    public float* DOutput, DQkv, Delta;
    public nint Ldd;

    public readonly void Tile<V>(int tile, int worker)
        where V : unmanaged, ILanes<V>
    {
        const int Rows = AttentionBlocks.Rows, Columns = AttentionBlocks.Columns;
        AttentionBlock block = Shape.Blocks[tile / Shape.H];
        int head = tile % Shape.H, kv = head / (Shape.H / Shape.KV), D = Shape.D, padded = AttentionBlocks.Padded(D), n = block.End - block.Begin, H = Shape.H;
        MicroKernel kernel = Shape.Kernel;
        float* queries = Shape.Scratch + worker * Shape.ScratchStride, upstream = queries + Rows * padded, gradient = upstream + Rows * padded;
        float* keys = gradient + Rows * padded, values = keys + Columns * padded, scores = values + Columns * padded, dScores = scores + Rows * Columns;
        float* packed = dScores + Rows * Columns;
        long first = (long)block.Begin * H + head;
        AttentionBlocks.PackRows(Shape.Query(block.Begin, head), Shape.Ld, n, kernel.Rows, D, queries);
        AttentionBlocks.PackRows(DOutput + first * D, (nint)H * D, n, kernel.Rows, D, upstream);
        for (int i = 0; i < n; i++)
            Delta[first + (long)i * H] = Dot<V>(DOutput + (first + (long)i * H) * D, Shape.Output + (first + (long)i * H) * D, D);
        V scale = V.Broadcast(Shape.Scale);
        int start = Shape.FirstKey(in block);
        for (int key = start; key < block.End; key += Columns)
        {
            int count = Math.Min(Columns, block.End - key);
            AttentionBlocks.PackRows(Shape.Key(key, kv), Shape.Ld, count, kernel.Columns, D, keys);
            AttentionBlocks.PackRows(Shape.Value(key, kv), Shape.Ld, count, kernel.Columns, D, values);
            AttentionBlocks.Multiply(in kernel, n, count, D, queries, keys, scores, Columns, false);
            AttentionBlocks.Multiply(in kernel, n, count, D, upstream, values, dScores, Columns, false);
            for (int i = 0; i < n; i++)
            {
                float* s = scores + i * Columns, ds = dScores + i * Columns;
                int valid = Math.Clamp(block.Begin + i - key + 1, 0, count), hidden = Math.Min(valid, Shape.Hidden(block.Begin + i, key));
                V lse = V.Broadcast(Shape.LogSumExp[first + (long)i * H]), delta = V.Broadcast(Delta[first + (long)i * H]);
                if (Shape.Cap > 0)
                    for (int j = hidden / V.Count * V.Count; j < valid; j += V.Count)
                        AttentionBlocks.CappedGradient(s + j, ds + j, lse, delta, scale, Shape.Cap);
                else
                    for (int j = hidden / V.Count * V.Count; j < valid; j += V.Count)
                        AttentionBlocks.SoftmaxGradient(s + j, ds + j, lse, delta, scale);
                new Span<float>(ds, hidden).Clear();
                new Span<float>(ds + valid, Columns - valid).Clear();
            }
            AttentionBlocks.PackRows(dScores, Columns, n, kernel.Rows, count, packed);
            AttentionBlocks.PackColumns(Shape.Key(key, kv), Shape.Ld, D, kernel.Columns, count, keys);
            AttentionBlocks.Multiply(in kernel, n, D, count, packed, keys, gradient, padded, key > start);
        }
        for (int i = 0; i < n; i++)
            new Span<float>(gradient + i * padded, D).CopyTo(new(DQkv + (block.Begin + i) * Ldd + head * D, D));
    }

    private static float Dot<V>(float* a, float* b, int n)
        where V : unmanaged, ILanes<V>
    {
        V sum = V.Broadcast(0);
        int i = 0;
        for (; i + V.Count <= n; i += V.Count)
            sum = V.Fma(V.Load(a + i), V.Load(b + i), sum);
        float rest = 0;
        for (; i < n; i++)
            rest += a[i] * b[i];
        return V.Sum(sum) + rest;
    }
}

/// <summary>
/// d keys and d values, a tile per block of keys and key head, over the query heads that share it: with rows for keys and columns for queries,
/// dV = P^T dO and dK = dS^T Q.
/// </summary>
internal unsafe struct AttentionKeyGradient : ITileJob
{
    public AttentionShape Shape;
    public float* DOutput, DQkv, Delta;
    public nint Ldd;

    public readonly void Tile<V>(int tile, int worker)
        where V : unmanaged, ILanes<V>
    {
        const int Rows = AttentionBlocks.Rows, Columns = AttentionBlocks.Columns;
        AttentionBlock block = Shape.Blocks[tile / Shape.KV];
        int kv = tile % Shape.KV, group = Shape.H / Shape.KV, D = Shape.D, padded = AttentionBlocks.Padded(D), n = block.End - block.Begin, H = Shape.H;
        MicroKernel kernel = Shape.Kernel;
        float* keys = Shape.Scratch + worker * Shape.ScratchStride, values = keys + Rows * padded, dKeys = values + Rows * padded, dValues = dKeys + Rows * padded;
        float* queries = dValues + Rows * padded, upstream = queries + Columns * padded, scores = upstream + Columns * padded;
        float* dScores = scores + Rows * Columns, packed = dScores + Rows * Columns, lse = packed + Rows * Columns, delta = lse + Columns;
        AttentionBlocks.PackRows(Shape.Key(block.Begin, kv), Shape.Ld, n, kernel.Rows, D, keys);
        AttentionBlocks.PackRows(Shape.Value(block.Begin, kv), Shape.Ld, n, kernel.Rows, D, values);
        V scale = V.Broadcast(Shape.Scale);
        bool add = false;
        // the last query whose window reaches the block's last key
        int last = (int)Math.Min(block.Last, block.End - 1L + Shape.Window);
        for (int head = kv * group; head < (kv + 1) * group; head++)
            for (int query = block.Begin; query < last; query += Columns, add = true)
            {
                int count = Math.Min(Columns, last - query);
                long first = (long)query * H + head;
                for (int j = 0; j < Columns; j++)
                {
                    long at = first + (long)Math.Min(j, count - 1) * H;
                    (lse[j], delta[j]) = (Shape.LogSumExp[at], Delta[at]);
                }
                AttentionBlocks.PackRows(Shape.Query(query, head), Shape.Ld, count, kernel.Columns, D, queries);
                AttentionBlocks.PackRows(DOutput + first * D, (nint)H * D, count, kernel.Columns, D, upstream);
                AttentionBlocks.Multiply(in kernel, n, count, D, keys, queries, scores, Columns, false);
                AttentionBlocks.Multiply(in kernel, n, count, D, values, upstream, dScores, Columns, false);
                for (int i = 0; i < n; i++)
                {
                    float* s = scores + i * Columns, ds = dScores + i * Columns;
                    int masked = Math.Clamp(block.Begin + i - query, 0, count), seen = (int)Math.Clamp((long)block.Begin + i + Shape.Window - query, masked, count);
                    if (Shape.Cap > 0)
                        for (int j = masked / V.Count * V.Count; j < seen; j += V.Count)
                            AttentionBlocks.CappedGradient(s + j, ds + j, V.Load(lse + j), V.Load(delta + j), scale, Shape.Cap);
                    else
                        for (int j = masked / V.Count * V.Count; j < seen; j += V.Count)
                            AttentionBlocks.SoftmaxGradient(s + j, ds + j, V.Load(lse + j), V.Load(delta + j), scale);
                    new Span<float>(s, masked).Clear();
                    new Span<float>(ds, masked).Clear();
                    new Span<float>(s + seen, count - seen).Clear();
                    new Span<float>(ds + seen, count - seen).Clear();
                }
                AttentionBlocks.PackRows(scores, Columns, n, kernel.Rows, count, packed);
                AttentionBlocks.PackColumns(DOutput + first * D, (nint)H * D, D, kernel.Columns, count, upstream);
                AttentionBlocks.Multiply(in kernel, n, D, count, packed, upstream, dValues, padded, add);
                AttentionBlocks.PackRows(dScores, Columns, n, kernel.Rows, count, packed);
                AttentionBlocks.PackColumns(Shape.Query(query, head), Shape.Ld, D, kernel.Columns, count, queries);
                AttentionBlocks.Multiply(in kernel, n, D, count, packed, queries, dKeys, padded, add);
            }
        for (int i = 0; i < n; i++)
        {
            float* to = DQkv + (block.Begin + i) * Ldd + (H + kv) * D;
            new Span<float>(dKeys + i * padded, D).CopyTo(new(to, D));
            new Span<float>(dValues + i * padded, D).CopyTo(new(to + Shape.KV * D, D));
        }
    }
}
