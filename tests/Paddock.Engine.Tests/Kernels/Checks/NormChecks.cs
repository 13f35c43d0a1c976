using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Checks of <see cref="RmsNorm"/> and <see cref="LayerNorm"/>.</summary>
internal static unsafe class NormChecks
{
    private const float Eps = 1e-5f;

    public static void Twin()
    {
        using WorkerPool pool = new(2);
        foreach (int C in Sizes.BoundaryWidths)
            foreach (int rows in (ReadOnlySpan<int>)[0, 1, 3, 9000 / C])
                One(pool, rows, C);
        One(pool, 5, 9001);
    }

    private static void One(WorkerPool pool, int rows, int C)
    {
        string what = $"norm of {rows} rows of {C}";
        using Arena arena = new(what);
        long n = (long)rows * C;
        float* x = arena.Random(n), w = arena.Random(C), b = arena.Random(C), dy = arena.Random(n), start = arena.Random(n), gradient = arena.Random(C);
        float* y = arena.Zeros(n), y2 = arena.Zeros(n), mean = arena.Zeros(rows), mean2 = arena.Zeros(rows), rstd = arena.Zeros(rows), rstd2 = arena.Zeros(rows);
        RmsNorm.Forward(pool, rows, C, x, w, Eps, y, rstd);
        ReferenceRmsNorm.Forward(rows, C, x, w, Eps, y2, rstd2);
        Compare.Near($"RMS {what}: y", y, y2, n, 2e-6);
        Compare.Near($"RMS {what}: rstd", rstd, rstd2, rows, 2e-6);
        foreach (bool accumulate in (ReadOnlySpan<bool>)[false, true])
        {
            float* dx = arena.Copy(start, n), dx2 = arena.Copy(start, n), dw = arena.Copy(gradient, C), dw2 = arena.Copy(gradient, C), none = arena.Copy(start, n);
            RmsNorm.Backward(pool, rows, C, dy, x, w, rstd2, dx, accumulate, dw);
            RmsNorm.Backward(pool, rows, C, dy, x, w, rstd2, none, accumulate, null);
            ReferenceRmsNorm.Backward(rows, C, dy, x, w, rstd2, dx2, accumulate, dw2);
            Compare.Near($"RMS {what}: dx", dx, dx2, n, 4e-6);
            Compare.SameBits($"RMS {what}: dx without dWeight", none, dx, n);
            Compare.Near($"RMS {what}: dWeight", dw, dw2, C, 1e-5);
        }
        LayerNorm.Forward(pool, rows, C, x, w, b, Eps, y, mean, rstd);
        ReferenceLayerNorm.Forward(rows, C, x, w, b, Eps, y2, mean2, rstd2);
        // a row of one element has no variance: rounding of x - mean is scaled by 1 / sqrt(eps), about 316
        double tolerance = C == 1 ? 1e-4 : 4e-6;
        Compare.Near($"layer {what}: y", y, y2, n, tolerance);
        Compare.Near($"layer {what}: mean", mean, mean2, rows, 2e-6);
        Compare.Near($"layer {what}: rstd", rstd, rstd2, rows, 4e-6);
        foreach (bool accumulate in (ReadOnlySpan<bool>)[false, true])
        {
            float* dx = arena.Copy(start, n), dx2 = arena.Copy(start, n), none = arena.Copy(start, n);
            float* dw = arena.Copy(gradient, C), dw2 = arena.Copy(gradient, C), db = arena.Copy(gradient, C), db2 = arena.Copy(gradient, C), only = arena.Copy(gradient, C);
            LayerNorm.Backward(pool, rows, C, dy, x, w, mean2, rstd2, dx, accumulate, dw, db);
            LayerNorm.Backward(pool, rows, C, dy, x, w, mean2, rstd2, none, accumulate, null, only);
            ReferenceLayerNorm.Backward(rows, C, dy, x, w, mean2, rstd2, dx2, accumulate, dw2, db2);
            Compare.Near($"layer {what}: dx", dx, dx2, n, C == 1 ? 1e-3 : 8e-6);
            Compare.SameBits($"layer {what}: dx without dWeight", none, dx, n);
            Compare.Near($"layer {what}: dWeight", dw, dw2, C, 1e-5);
            Compare.Near($"layer {what}: dBias", db, db2, C, 1e-5);
            Compare.SameBits($"layer {what}: dBias alone", only, db, C);
        }
        arena.CheckGuards(what);
    }

    /// <summary>The same bits with one, two and three threads; a row alone has the bits it has among others.</summary>
    public static void Invariance()
    {
        const int Rows = 301, C = 77, N = Rows * C;
        using WorkerPool one = new(1), two = new(2), three = new(3);
        using Arena arena = new("norm threads");
        float* x = arena.Random(N), w = arena.Random(C), b = arena.Random(C), dy = arena.Random(N), mean = arena.Zeros(Rows), rstd = arena.Zeros(Rows);
        float* first = null;
        foreach (WorkerPool pool in (ReadOnlySpan<WorkerPool>)[one, two, three])
        {
            float* all = arena.Zeros(4 * N + 3 * C);
            RmsNorm.Forward(pool, Rows, C, x, w, Eps, all, rstd);
            RmsNorm.Backward(pool, Rows, C, dy, x, w, rstd, all + N, false, all + 4 * N);
            if (first != null)
                for (int r = 0; r < Rows; r += 50)
                {
                    float* alone = arena.Zeros(2 * C);
                    RmsNorm.Backward(pool, 1, C, dy + r * C, x + r * C, w, rstd + r, alone + C, false, null);
                    RmsNorm.Forward(pool, 1, C, x + r * C, w, Eps, alone, rstd + r);
                    Compare.SameBits("RMS norm of a row alone", alone, first + r * C, C);
                    Compare.SameBits("RMS norm backward of a row alone", alone + C, first + N + r * C, C);
                }
            LayerNorm.Forward(pool, Rows, C, x, w, b, Eps, all + 2 * N, mean, rstd);
            LayerNorm.Backward(pool, Rows, C, dy, x, w, mean, rstd, all + 3 * N, false, all + 4 * N + C, all + 4 * N + 2 * C);
            if (first != null)
                Compare.SameBits($"norms with {pool.Threads} threads", all, first, 4 * N + 3 * C);
            first = all;
        }
    }

    public static void NotFinite()
    {
        using WorkerPool pool = new(1);
        using Arena arena = new("nan");
        const int C = 37;
        float* x = arena.Random(2 * C), w = arena.Random(C), b = arena.Random(C), y = arena.Zeros(2 * C), s = arena.Zeros(4);
        x[C + 36] = float.NaN;
        RmsNorm.Forward(pool, 2, C, x, w, Eps, y, s);
        Expect(y, C);
        LayerNorm.Forward(pool, 2, C, x, w, b, Eps, y, s, s + 2);
        Expect(y, C);

        static void Expect(float* y, int C)
        {
            for (int i = 0; i < 2 * C; i++)
                if (float.IsNaN(y[i]) != (i >= C))
                    throw new MismatchException($"NaN in the second row: element {i} of the norm is {y[i]}");
        }
    }

    /// <summary>Norms of queries and keys, each head alone and all at once.</summary>
    public static void QueryKeyTwin()
    {
        using WorkerPool pool = new(2);
        foreach (int D in Sizes.BoundaryWidths)
            foreach (QueryKeyShape shape in (ReadOnlySpan<QueryKeyShape>)[new(3, D, 2, D), new(1, 3 * D, 1, D)])
            {
                string what = $"query and key norm {shape}";
                const int Rows = 40;
                int W = shape.Width, ld = W + D + 3;
                using Arena arena = new(what);
                float* x = arena.Random(Rows * ld), x2 = arena.Copy(x, Rows * ld), raw = arena.Zeros(Rows * W), rstd = arena.Zeros(Rows * shape.Groups);
                float* q = arena.Random(shape.QueryWidth), k = arena.Random(shape.KeyWidth), dq = arena.Zeros(shape.QueryWidth), dk = arena.Zeros(shape.KeyWidth);
                QueryKeyNorm.Forward(pool, Rows, shape, x, ld, q, k, 1e-5f, raw, rstd);
                ReferenceQueryKeyNorm.Forward(Rows, shape, x2, ld, q, k, 1e-5f);
                Compare.Near(what, x, x2, Rows * ld, 2e-6);
                float* d = arena.Random(Rows * ld), d2 = arena.Copy(d, Rows * ld), frozen = arena.Copy(d, Rows * ld), dq2 = arena.Zeros(shape.QueryWidth), dk2 = arena.Zeros(shape.KeyWidth);
                double[] forQueries = new double[shape.QueryWidth], forKeys = new double[shape.KeyWidth];
                QueryKeyNorm.Backward(pool, Rows, shape, d, ld, q, k, raw, rstd, dq, dk);
                QueryKeyNorm.Backward(pool, Rows, shape, frozen, ld, q, k, raw, rstd, null, null);
                ReferenceQueryKeyNorm.Backward(Rows, shape, d2, ld, q, k, raw, 1e-5f, forQueries, forKeys);
                for (int i = 0; i < forQueries.Length; i++)
                    dq2[i] = (float)forQueries[i];
                for (int i = 0; i < forKeys.Length; i++)
                    dk2[i] = (float)forKeys[i];
                Compare.Near($"{what}: gradient", d, d2, Rows * ld, 1e-5);
                Compare.SameBits($"{what}: gradient with frozen scales", frozen, d, Rows * ld);
                Compare.Near($"{what}: gradient of the queries' scale", dq, dq2, shape.QueryWidth, 1e-5);
                Compare.Near($"{what}: gradient of the keys' scale", dk, dk2, shape.KeyWidth, 1e-5);
                arena.CheckGuards(what);
            }
    }
}
