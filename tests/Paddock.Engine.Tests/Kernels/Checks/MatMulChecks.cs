using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels.Checks;

internal enum Form { NT, NN, TN }

/// <summary>Checks of <see cref="MatMul"/> against its twin and itself.</summary>
internal static unsafe class MatMulChecks
{
    private static readonly int[] Lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65];

    /// <summary>Every form at boundary sizes in each dimension, padded leading dimensions, overwriting and accumulating.</summary>
    public static void Twin()
    {
        using WorkerPool pool = new(2);
        foreach (Form form in Enum.GetValues<Form>())
        {
            foreach (int n in Lengths)
            {
                One(pool, form, n, 33, 18);
                One(pool, form, 13, n, 19);
                One(pool, form, 14, 35, n);
            }
            One(pool, form, 130, 97, 300);
            One(pool, form, 25, 70, 2100);
            One(pool, form, 1300, 40, 1025);
        }
        // more of the shorter side than a worker packs at once
        One(pool, Form.NT, 700, 703, 770);
    }

    private static void One(WorkerPool pool, Form form, int M, int N, int K)
    {
        foreach (bool accumulate in (ReadOnlySpan<bool>)[false, true])
        {
            using Arena arena = new($"{form}/{M}/{N}/{K}");
            int lda = (form == Form.TN ? M : K) + 3, ldb = (form == Form.NT ? K : N) + 5, ldc = N + 2;
            float* a = arena.Random((long)lda * (form == Form.TN ? K : M)), b = arena.Random((long)ldb * (form == Form.NT ? N : K));
            float* c = arena.Random((long)ldc * M), expected = arena.Copy(c, (long)ldc * M);
            Call(pool, form, M, N, K, a, lda, b, ldb, c, ldc, accumulate);
            switch (form)
            {
                case Form.NT:
                    ReferenceMatMul.NT(M, N, K, a, lda, b, ldb, expected, ldc, accumulate);
                    break;
                case Form.NN:
                    ReferenceMatMul.NN(M, N, K, a, lda, b, ldb, expected, ldc, accumulate);
                    break;
                default:
                    ReferenceMatMul.TN(M, N, K, a, lda, b, ldb, expected, ldc, accumulate);
                    break;
            }
            string what = $"MatMul.{form} {M}x{N}x{K} accumulate {accumulate}";
            Compare.Near(what, c, expected, (long)ldc * M, 4e-6);
            arena.CheckGuards(what);
        }
    }

    /// <summary>The same bits with one, two and three threads.</summary>
    public static void Threads()
    {
        using WorkerPool one = new(1), two = new(2), three = new(3);
        foreach (Form form in Enum.GetValues<Form>())
        {
            const int M = 205, N = 333, K = 700;
            using Arena arena = new("threads");
            int lda = form == Form.TN ? M : K, ldb = form == Form.NT ? K : N;
            float* a = arena.Random(M * K), b = arena.Random(N * K), c1 = arena.Zeros(M * N), c = arena.Zeros(M * N);
            Call(one, form, M, N, K, a, lda, b, ldb, c1, N, false);
            foreach (WorkerPool pool in (ReadOnlySpan<WorkerPool>)[two, three])
            {
                Call(pool, form, M, N, K, a, lda, b, ldb, c, N, false);
                Compare.SameBits($"MatMul.{form} with {pool.Threads} threads", c, c1, M * N);
            }
        }
    }

    /// <summary>Row i of a product of 37 rows is, bit for bit, that row multiplied alone.</summary>
    public static void RowAlone()
    {
        using WorkerPool pool = new(2);
        const int M = 37, N = 75, K = 530;
        foreach (Form form in Enum.GetValues<Form>())
        {
            using Arena arena = new("alone");
            int lda = form == Form.TN ? M : K, ldb = form == Form.NT ? K : N;
            float* a = arena.Random(M * K), b = arena.Random(N * K), c = arena.Random(M * N), row = arena.Copy(c, M * N);
            Call(pool, form, M, N, K, a, lda, b, ldb, c, N, true);
            for (int i = 0; i < M; i++)
            {
                Call(pool, form, 1, N, K, a + (form == Form.TN ? i : i * K), lda, b, ldb, row + i * N, N, true);
                Compare.SameBits($"MatMul.{form} row {i} alone", row + i * N, c + i * N, N);
            }
        }
    }

    /// <summary>A NaN or an infinity in one row of A reaches that row of C and no other.</summary>
    public static void NotFinite()
    {
        using WorkerPool pool = new(2);
        const int M = 20, N = 40, K = 35;
        foreach (float bad in (ReadOnlySpan<float>)[float.NaN, float.PositiveInfinity])
        {
            using Arena arena = new("nan");
            float* a = arena.Random(M * K), b = arena.Random(N * K), c = arena.Zeros(M * N);
            a[13 * K + 34] = bad;
            MatMul.NT(pool, M, N, K, a, K, b, K, c, N, false);
            for (int i = 0; i < M * N; i++)
                if (float.IsFinite(c[i]) == (i / N == 13))
                    throw new MismatchException($"MatMul.NT with {bad} in row 13: element {i / N},{i % N} is {c[i]}");
        }
    }

    private static void Call(WorkerPool pool, Form form, int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate)
    {
        switch (form)
        {
            case Form.NT:
                MatMul.NT(pool, M, N, K, a, lda, b, ldb, c, ldc, accumulate);
                break;
            case Form.NN:
                MatMul.NN(pool, M, N, K, a, lda, b, ldb, c, ldc, accumulate);
                break;
            default:
                MatMul.TN(pool, M, N, K, a, lda, b, ldb, c, ldc, accumulate);
                break;
        }
    }
}
