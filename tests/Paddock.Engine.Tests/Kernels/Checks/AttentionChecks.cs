using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Checks of <see cref="Attention"/>.</summary>
internal static unsafe class AttentionChecks
{
    public static void Twin()
    {
        using WorkerPool pool = new(2);
        One(pool, 3, 3, 32, [1, 7, 8, 9, 15, 16, 17]);
        One(pool, 4, 2, 64, [31, 32, 33, 63, 64, 65]);
        One(pool, 3, 1, 16, [47, 48, 49, 1, 130]);
        One(pool, 2, 1, 12, [20]);
        One(pool, 2, 2, 33, [20, 70]);
        One(pool, 2, 1, 128, [66]);
        One(pool, 1, 1, 1, [3]);
        One(pool, 2, 1, 8, []);
        foreach ((int window, float cap) in (ReadOnlySpan<(int, float)>)[(1, 0), (5, 0), (16, 2), (48, 0), (64, 0), (65, 1.5f), (0, 1), (100, 0)])
            One(pool, 2, 1, 16, [1, 20, 64, 65, 210], window, cap);
    }

    private static void One(WorkerPool pool, int H, int KV, int D, int[] lengths, int window = 0, float cap = 0)
    {
        string what = $"attention H {H} KV {KV} D {D} window {window} cap {cap} lengths {string.Join(',', lengths)}";
        using Arena arena = new(what);
        int S = lengths.Length, width = (H + 2 * KV) * D, ld = width + 5, ldd = width + 2;
        int[] ends = new int[S + 1];
        for (int s = 0; s < S; s++)
            ends[s + 1] = ends[s] + lengths[s];
        int N = ends[S];
        int* offsets = arena.Values(ends);
        float scale = 1 / MathF.Sqrt(D);
        float* qkv = arena.Random(N * ld, 1.5f), dO = arena.Random(N * H * D);
        float* o = arena.Zeros(N * H * D), o2 = arena.Zeros(N * H * D), lse = arena.Zeros(N * H), lse2 = arena.Zeros(N * H);
        float* d = arena.Random(N * ldd), d2 = arena.Copy(d, N * ldd);
        Attention.Forward(pool, S, offsets, H, KV, D, qkv, ld, scale, o, lse, window, cap);
        ReferenceAttention.Forward(S, offsets, H, KV, D, qkv, ld, scale, o2, lse2, window, cap);
        Compare.Near($"{what}: output", o, o2, N * H * D, 4e-6);
        Compare.Near($"{what}: log-sum-exp", lse, lse2, N * H, 4e-6);
        Attention.Backward(pool, S, offsets, H, KV, D, qkv, ld, scale, o2, lse2, dO, d, ldd, window, cap);
        ReferenceAttention.Backward(S, offsets, H, KV, D, qkv, ld, scale, o2, lse2, dO, d2, ldd, window, cap);
        Compare.Near($"{what}: gradient", d, d2, N * ldd, 1e-5);
        arena.CheckGuards(what);
    }

    /// <summary>The same bits for any number of threads; a sequence alone, and a prefix of it, have the bits they have in a batch.</summary>
    public static void Invariance()
    {
        const int H = 4, KV = 2, D = 32, Width = (H + 2 * KV) * D, N = 200, First = 37, Prefix = 90;
        using WorkerPool one = new(1), two = new(2), three = new(3);
        using Arena arena = new("attention threads");
        int* offsets = arena.Values(0, First, 170, N), alone = arena.Values(0, 170 - First), prefix = arena.Values(0, Prefix);
        float* qkv = arena.Random(N * Width), dO = arena.Random(N * H * D), o = arena.Zeros(N * H * D), lse = arena.Zeros(N * H), d = arena.Zeros(N * Width);
        Attention.Forward(one, 3, offsets, H, KV, D, qkv, Width, 0.2f, o, lse);
        Attention.Backward(one, 3, offsets, H, KV, D, qkv, Width, 0.2f, o, lse, dO, d, Width);
        foreach (WorkerPool pool in (ReadOnlySpan<WorkerPool>)[two, three])
        {
            float* o2 = arena.Zeros(N * H * D), lse2 = arena.Zeros(N * H), d2 = arena.Zeros(N * Width);
            Attention.Forward(pool, 3, offsets, H, KV, D, qkv, Width, 0.2f, o2, lse2);
            Attention.Backward(pool, 3, offsets, H, KV, D, qkv, Width, 0.2f, o2, lse2, dO, d2, Width);
            Compare.SameBits($"attention with {pool.Threads} threads", o2, o, N * H * D);
            Compare.SameBits($"attention log-sum-exp with {pool.Threads} threads", lse2, lse, N * H);
            Compare.SameBits($"attention gradient with {pool.Threads} threads", d2, d, N * Width);
        }
        float* o3 = arena.Zeros(N * H * D), lse3 = arena.Zeros(N * H), d3 = arena.Zeros(N * Width);
        Attention.Forward(two, 1, alone, H, KV, D, qkv + First * Width, Width, 0.2f, o3, lse3);
        Attention.Backward(two, 1, alone, H, KV, D, qkv + First * Width, Width, 0.2f, o3, lse3, dO + First * H * D, d3, Width);
        Compare.SameBits("attention of a sequence alone", o3, o + First * H * D, (170 - First) * H * D);
        Compare.SameBits("attention gradient of a sequence alone", d3, d + First * Width, (170 - First) * Width);
        Attention.Forward(two, 1, prefix, H, KV, D, qkv + First * Width, Width, 0.2f, o3, lse3);
        Compare.SameBits("attention of a prefix", o3, o + First * H * D, Prefix * H * D);
    }

    public static void NotFinite()
    {
        const int H = 2, KV = 1, D = 16, Width = 64, N = 100;
        using WorkerPool pool = new(2);
        using Arena arena = new("attention nan");
        int* offsets = arena.Values(0, 50, N);
        float* qkv = arena.Random(N * Width), o = arena.Zeros(N * H * D), lse = arena.Zeros(N * H);
        qkv[20 * Width + H * D] = float.NaN; // a key of the first sequence
        Attention.Forward(pool, 2, offsets, H, KV, D, qkv, Width, 0.25f, o, lse);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < H * D; j++)
                if (float.IsNaN(o[i * H * D + j]) != (i is >= 20 and < 50))
                    throw new MismatchException($"a NaN key at row 20 of a sequence of 50: output {j} of row {i} is {o[i * H * D + j]}");
    }
}
