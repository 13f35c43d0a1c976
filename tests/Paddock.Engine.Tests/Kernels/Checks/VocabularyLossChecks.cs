using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Checks of <see cref="VocabularyLoss"/>.</summary>
internal static unsafe class VocabularyLossChecks
{
    public static void Twin()
    {
        using WorkerPool pool = new(2);
        foreach (int V in Sizes.BoundaryWidths)
            One(pool, 5, 9, V);
        One(pool, 0, 9, 20);
        One(pool, 1, 33, 1024);
        One(pool, 12, 20, 9001);
        One(pool, 530, 3, 4100);
        One(pool, 5, 9, 33, 1.5f);
        One(pool, 12, 20, 9001, 4);
    }

    private static void One(WorkerPool pool, int n, int C, int V, float cap = 0)
    {
        string what = $"vocabulary loss n {n} C {C} V {V} cap {cap}";
        using Arena arena = new(what);
        float* h = arena.Random(n * C), w = arena.Random(V * C), lp = arena.Zeros(n), lp2 = arena.Zeros(n), lse = arena.Zeros(n), lse2 = arena.Zeros(n);
        float* e = arena.Zeros(n), e2 = arena.Zeros(n), c = arena.Random(n), ec = arena.Random(n);
        int* targets = arena.Integers(n, V), best = arena.Integers(n, 1), best2 = arena.Integers(n, 1);
        VocabularyLoss.Forward(pool, n, C, V, h, w, targets, lp, lse, e, best, cap);
        ReferenceVocabularyLoss.Forward(n, C, V, h, w, targets, lp2, lse2, e2, best2, cap);
        Compare.Near($"{what}: log-probs", lp, lp2, n, 2e-6);
        Compare.Near($"{what}: log-sum-exp", lse, lse2, n, 2e-6);
        Compare.Near($"{what}: entropies", e, e2, n, 4e-6);
        for (int i = 0; i < n; i++)
            if (best[i] != best2[i])
                throw new MismatchException($"{what}: arg max of row {i} is {best[i]}, expected {best2[i]}");
        VocabularyLoss.Forward(pool, n, C, V, h, w, targets, e, lse, null, null, cap);
        Compare.SameBits($"{what}: log-probs alone", e, lp, n);
        foreach (bool entropy in (ReadOnlySpan<bool>)[false, true])
        {
            float* dh = arena.Random(n * C), dh2 = arena.Zeros(n * C), only = arena.Zeros(n * C), dW = arena.Random(V * C), dW2 = arena.Copy(dW, V * C);
            float* entropies = entropy ? e2 : null, slopes = entropy ? ec : null;
            VocabularyLoss.Backward(pool, n, C, V, h, w, targets, lse2, c, entropies, slopes, dh, dW, cap);
            VocabularyLoss.Backward(pool, n, C, V, h, w, targets, lse2, c, entropies, slopes, only, null, cap);
            ReferenceVocabularyLoss.Backward(n, C, V, h, w, targets, lse2, c, entropies, slopes, dh2, dW2, cap);
            Compare.Near($"{what} entropy {entropy}: dh", dh, dh2, n * C, 1e-5);
            Compare.SameBits($"{what} entropy {entropy}: dh without dW", only, dh, n * C);
            float* kept = arena.Zeros(VocabularyLoss.KeptFloats(n, V)), keptW = arena.Zeros(V * C);
            VocabularyLoss.Forward(pool, n, C, V, h, w, targets, e, lse, null, null, cap, kept);
            Compare.SameBits($"{what}: log-probs with kept logits", e, lp, n);
            VocabularyLoss.Backward(pool, n, C, V, h, w, targets, lse2, c, entropies, slopes, only, keptW, cap, kept);
            Compare.SameBits($"{what} entropy {entropy}: dh from kept logits", only, dh, n * C);
            Compare.Near($"{what} entropy {entropy}: dW", dW, dW2, V * C, 1e-5);
        }
        arena.CheckGuards(what);
    }

    /// <summary>The same bits for any number of threads; a row alone has the bits it has among others.</summary>
    public static void Invariance()
    {
        const int N = 37, C = 24, V = 5000;
        using WorkerPool one = new(1), two = new(2), three = new(3);
        using Arena arena = new("loss threads");
        float* h = arena.Random(N * C), w = arena.Random(V * C), c = arena.Random(N), ec = arena.Random(N);
        int* targets = arena.Integers(N, V);
        float* first = null;
        const int Total = 3 * N + N * C + V * C;
        foreach (WorkerPool pool in (ReadOnlySpan<WorkerPool>)[one, two, three])
        {
            float* all = arena.Zeros(Total), lp = all, lse = all + N, e = all + 2 * N, dh = all + 3 * N, dW = dh + N * C;
            VocabularyLoss.Forward(pool, N, C, V, h, w, targets, lp, lse, e, null);
            VocabularyLoss.Backward(pool, N, C, V, h, w, targets, lse, c, e, ec, dh, dW);
            if (first != null)
                Compare.SameBits($"vocabulary loss with {pool.Threads} threads", all, first, Total);
            first = all;
        }
        float* single = arena.Zeros(3 + C);
        for (int i = 0; i < N; i++)
        {
            VocabularyLoss.Forward(two, 1, C, V, h + i * C, w, targets + i, single, single + 1, single + 2, null);
            VocabularyLoss.Backward(two, 1, C, V, h + i * C, w, targets + i, single + 1, c + i, single + 2, ec + i, single + 3, null);
            for (int part = 0; part < 3; part++)
                Compare.SameBits($"vocabulary loss of row {i} alone", single + part, first + part * N + i, 1);
            Compare.SameBits($"dh of row {i} alone", single + 3, first + 3 * N + i * C, C);
        }
    }

    /// <summary>Ties go to the lowest index; NaN stays in its row; an infinite logit is not a number, as in PyTorch.</summary>
    public static void TiesAndNotFinite()
    {
        const int N = 3, C = 2, V = 9000;
        using WorkerPool pool = new(2);
        using Arena arena = new("loss nan");
        float* h = arena.Zeros(N * C), w = arena.Zeros(V * C), lp = arena.Zeros(N), lse = arena.Zeros(N), e = arena.Zeros(N);
        int* targets = arena.Integers(N, V), best = arena.Integers(N, 1);
        for (int i = 0; i < C * N; i++)
            h[i] = 1;
        (w[C * 700], w[C * 701], w[C * 8000]) = (5, 5, 5);
        h[C] = float.NaN;
        VocabularyLoss.Forward(pool, N, C, V, h, w, targets, lp, lse, e, best);
        if (best[0] != 700 || best[2] != 700 || !float.IsNaN(lp[1]) || !float.IsNaN(e[1]) || float.IsNaN(lp[0]) || float.IsNaN(lp[2]))
            throw new MismatchException($"arg max {best[0]}, {best[2]} expected 700; log-probs {lp[0]}, {lp[1]}, {lp[2]} expected NaN in the middle only");
        h[C] = 1;
        w[C * 8500] = float.PositiveInfinity;
        VocabularyLoss.Forward(pool, N, C, V, h, w, targets, lp, lse, e, best);
        if (!float.IsNaN(lp[0]) || !float.IsNaN(lse[0]))
            throw new MismatchException($"an infinite logit gives log-prob {lp[0]} and log-sum-exp {lse[0]}, expected NaN");
    }
}
