using System.Numerics.Tensors;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Attention of single queries over a paged key/value cache, with grouped queries. A row reads its own length and cache only, in an
/// order fixed by its length: the same bits whether it is decoded alone, in a batch or as part of a prompt.
/// </summary>
internal static unsafe class DecodeAttention
{
    private const int BlockTokens = CacheShape.BlockTokens;

    private struct Context
    {
        public CacheRow* Cache;
        public long LayerOffset;
        public CacheShape Shape;
        public int H, KV, D, Window;
        public float* Q, Output, Scratch;
        public nint LdQ, LdO, ScratchStride;
        public float Scale, Cap;
    }

    private struct StoreContext
    {
        public CacheRow* Cache;
        public long LayerOffset;
        public CacheShape Shape;
        public int KV, D, Rows;
        public float* K, V;
        public nint Ld;
    }

    /// <summary>Writes each row's key and value ([rows, KV * D], row stride ld) at its last position.</summary>
    public static void Store(WorkerPool pool, int rows, CacheRow* cache, long layerOffset, int KV, int D, float* k, float* v, int ld)
    {
        StoreContext context = new() { Cache = cache, LayerOffset = layerOffset, Shape = new(KV, D), KV = KV, D = D, Rows = rows, K = k, V = v, Ld = ld };
        pool.Run((rows + 7) / 8, &StoreRows, &context);
    }

    /// <summary>output[r] = softmax(scale q[r] K^T) V over the row's cached tokens, its own included. q and output are [rows, H * D].</summary>
    /// <param name="layerOffset">Floats from a block's start to the layer's part.</param>
    /// <param name="window">Tokens a row sees, its own included; 0 for all.</param>
    /// <param name="cap">Soft-cap of the scaled scores, 0 for none.</param>
    public static void Run(WorkerPool pool, int rows, CacheRow* cache, long layerOffset, int H, int KV, int D, float* q, int ldq, float scale, float* output, int ldo, DecodeTier tier = DecodeTier.Best,
        int window = 0, float cap = 0)
    {
        int longest = 0;
        for (int r = 0; r < rows; r++)
            longest = Math.Max(longest, cache[r].Length);
        CacheShape shape = new(KV, D);
        nint stride = ((longest + BlockTokens - 1) & ~(BlockTokens - 1)) + shape.ValueWidth;
        Context context = new()
        {
            Cache = cache,
            LayerOffset = layerOffset,
            Shape = shape,
            H = H,
            KV = KV,
            D = D,
            Q = q,
            LdQ = ldq,
            Scale = scale,
            Cap = cap,
            Window = window > 0 ? window : int.MaxValue,
            Output = output,
            LdO = ldo,
            Scratch = pool.SharedScratch(stride * pool.Threads),
            ScratchStride = stride,
        };
        pool.Run(rows * KV, (tier == DecodeTier.Best ? DecodeMatMul.BestTier : tier) switch
        {
            DecodeTier.Bits512 => &Tile<DecodeLanes512>,
            DecodeTier.Bits256 => &Tile<DecodeLanes256>,
            _ => &Tile<DecodeLanes128>,
        }, &context);
    }

    private static void StoreRows(void* context, int tile, int worker)
    {
        StoreContext* c = (StoreContext*)context;
        int end = Math.Min(c->Rows, 8 * tile + 8);
        for (int r = 8 * tile; r < end; r++)
        {
            int t = c->Cache[r].Length - 1;
            float* block = c->Cache[r].Blocks[t / BlockTokens] + c->LayerOffset;
            t %= BlockTokens;
            for (int kv = 0; kv < c->KV; kv++)
            {
                float* k = c->K + r * c->Ld + kv * c->D, keys = block + c->Shape.KeyOffset(kv) + t;
                for (int d = 0; d < c->D; d++)
                    keys[d * BlockTokens] = k[d];
                float* values = block + c->Shape.ValueOffset(kv) + t * c->Shape.ValueWidth;
                new ReadOnlySpan<float>(c->V + r * c->Ld + kv * c->D, c->D).CopyTo(new(values, c->D));
                new Span<float>(values + c->D, c->Shape.ValueWidth - c->D).Clear();
            }
        }
    }

    private static void Tile<L>(void* context, int tile, int worker) where L : unmanaged, IDecodeLanes<L>
    {
        Context* c = (Context*)context;
        int r = tile / c->KV, kv = tile % c->KV, group = c->H / c->KV, T = c->Cache[r].Length;
        // whole blocks before the window are passed over, the rest of what is before it is masked
        int hidden = Math.Max(0, T - c->Window), passed = hidden / BlockTokens;
        float** blocks = c->Cache[r].Blocks + passed;
        (T, hidden) = (T - passed * BlockTokens, hidden - passed * BlockTokens);
        float* scores = c->Scratch + worker * c->ScratchStride;
        float* wide = scores + c->ScratchStride - c->Shape.ValueWidth;
        for (int g = 0; g < group; g++)
        {
            int h = kv * group + g;
            float* q = c->Q + r * c->LdQ + h * c->D;
            for (int b = 0; b * BlockTokens < T; b++)
                for (int lane = 0; lane < BlockTokens; lane += L.Count)
                    Scores<L>(c->D, q, c->Scale, blocks[b] + c->LayerOffset + c->Shape.KeyOffset(kv) + lane, scores + b * BlockTokens + lane);
            Span<float> weights = new(scores, T);
            if (c->Cap > 0)
                SoftCap.Values(weights, c->Cap);
            weights[..hidden].Fill(float.NegativeInfinity);
            TensorPrimitives.Subtract(weights, TensorPrimitives.Max<float>(weights), weights);
            TensorPrimitives.Exp<float>(weights, weights);
            float inverse = 1f / TensorPrimitives.Sum<float>(weights);
            for (int lane = 0; lane < c->Shape.ValueWidth; lane += L.Count)
                Values<L>(T, scores, inverse, blocks, c->LayerOffset + c->Shape.ValueOffset(kv) + lane, c->Shape.ValueWidth, wide + lane);
            new ReadOnlySpan<float>(wide, c->D).CopyTo(new(c->Output + r * c->LdO + h * c->D, c->D));
        }
    }

    // q · k for a register of tokens of a block; four chains over the channels
    private static void Scores<L>(int D, float* q, float scale, float* keys, float* scores) where L : unmanaged, IDecodeLanes<L>
    {
        L a = default, b = default, e = default, f = default;
        int d = 0;
        for (; d + 4 <= D; d += 4, keys += 4 * BlockTokens)
        {
            a = L.Fma(L.Broadcast(q[d]), L.Load(keys), a);
            b = L.Fma(L.Broadcast(q[d + 1]), L.Load(keys + BlockTokens), b);
            e = L.Fma(L.Broadcast(q[d + 2]), L.Load(keys + 2 * BlockTokens), e);
            f = L.Fma(L.Broadcast(q[d + 3]), L.Load(keys + 3 * BlockTokens), f);
        }
        for (; d < D; d++, keys += BlockTokens)
            a = L.Fma(L.Broadcast(q[d]), L.Load(keys), a);
        L.Store(L.Multiply(L.Add(L.Add(a, b), L.Add(e, f)), L.Broadcast(scale)), scores);
    }

    // sum over the tokens of weight * value for a register of channels; four chains over the tokens
    private static void Values<L>(int T, float* weights, float inverse, float** blocks, long offset, int width, float* output) where L : unmanaged, IDecodeLanes<L>
    {
        L a = default, b = default, e = default, f = default;
        for (int start = 0; start < T; start += BlockTokens)
        {
            float* v = *blocks++ + offset;
            int count = Math.Min(BlockTokens, T - start), t = 0;
            for (; t + 4 <= count; t += 4, v += 4 * width, weights += 4)
            {
                a = L.Fma(L.Broadcast(weights[0]), L.Load(v), a);
                b = L.Fma(L.Broadcast(weights[1]), L.Load(v + width), b);
                e = L.Fma(L.Broadcast(weights[2]), L.Load(v + 2 * width), e);
                f = L.Fma(L.Broadcast(weights[3]), L.Load(v + 3 * width), f);
            }
            for (; t < count; t++, v += width, weights++)
                a = L.Fma(L.Broadcast(*weights), L.Load(v), a);
        }
        L.Store(L.Multiply(L.Add(L.Add(a, b), L.Add(e, f)), L.Broadcast(inverse)), output);
    }
}
