using Paddock.Engine.Kernels;
using Paddock.Engine.Kernels.Reference;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Checks of activations, rotary positions, biases, embeddings, vector operations and AdamW.</summary>
internal static unsafe class ElementwiseChecks
{
    public static void SwiGluTwin()
    {
        using WorkerPool pool = new(2);
        foreach (int F in Sizes.BoundaryWidths)
            foreach (int rows in (ReadOnlySpan<int>)[0, 1, 5, 9000 / F])
            {
                string what = $"SwiGlu {rows}x{F}";
                using Arena arena = new(what);
                long n = (long)rows * F;
                float* x = arena.Random(2 * n, 4), dy = arena.Random(n), y = arena.Zeros(n), y2 = arena.Zeros(n), dx = arena.Zeros(2 * n), dx2 = arena.Zeros(2 * n);
                SwiGlu.Forward(pool, rows, F, x, y);
                ReferenceSwiGlu.Forward(rows, F, x, y2);
                Compare.Near(what, y, y2, n, 1e-6);
                SwiGlu.Backward(pool, rows, F, x, dy, dx);
                ReferenceSwiGlu.Backward(rows, F, x, dy, dx2);
                Compare.Near($"{what} backward", dx, dx2, 2 * n, 1e-6);
                SwiGlu.Backward(pool, rows, F, x, dy, x);
                Compare.SameBits($"{what} backward in place", x, dx, 2 * n);
                arena.CheckGuards(what);
            }
    }

    public static void GeluTwin()
    {
        using WorkerPool pool = new(2);
        foreach (int n in Sizes.BoundaryCounts)
        {
            using Arena arena = new($"gelu {n}");
            float* x = arena.Random(n, 3), dy = arena.Random(n), y = arena.Zeros(n), y2 = arena.Zeros(n), dx = arena.Zeros(n), dx2 = arena.Zeros(n);
            Gelu.Forward(pool, n, x, y);
            ReferenceGelu.Forward(n, x, y2);
            Compare.Near($"Gelu {n}", y, y2, n, 1e-6);
            Gelu.Backward(pool, n, x, dy, dx);
            ReferenceGelu.Backward(n, x, dy, dx2);
            Compare.Near($"Gelu {n} backward", dx, dx2, n, 2e-6);
            Gelu.Backward(pool, n, x, dy, dy);
            Compare.SameBits($"Gelu {n} backward in place", dy, dx, n);
            arena.CheckGuards($"Gelu {n}");
        }
    }

    public static void ActivationTwins()
    {
        using WorkerPool pool = new(2);
        Twin<ReluActivation>(pool);
        Twin<ExactGeluActivation>(pool);
        Twin<TanhGeluActivation>(pool);
    }

    private static void Twin<A>(WorkerPool pool)
        where A : struct, IActivation
    {
        foreach (int n in Sizes.BoundaryWidths)
        {
            string what = $"{typeof(A).Name} {n}";
            int rows = 1 + 9000 / n;
            using Arena arena = new(what);
            float* x = arena.Random(2 * rows * n, 4), dy = arena.Random(rows * n), y = arena.Zeros(rows * n), y2 = arena.Zeros(rows * n);
            float* dx = arena.Zeros(2 * rows * n), dx2 = arena.Zeros(2 * rows * n);
            Activation<A>.Forward(pool, rows * n, x, y);
            for (int i = 0; i < rows * n; i++)
                (y2[i], dx2[i]) = ((float)ReferenceActivation.At<A>(x[i]).Value, (float)(ReferenceActivation.At<A>(x[i]).Slope * dy[i]));
            Compare.Near(what, y, y2, rows * n, 1e-6);
            Activation<A>.Backward(pool, rows * n, x, dy, dx);
            Compare.Near($"{what} backward", dx, dx2, rows * n, 2e-6);
            Activation<A>.GatedForward(pool, rows, n, x, y);
            ReferenceActivation.GatedForward<A>(rows, n, x, y2);
            Compare.Near($"{what} gated", y, y2, rows * n, 1e-6);
            Activation<A>.GatedBackward(pool, rows, n, x, dy, dx);
            ReferenceActivation.GatedBackward<A>(rows, n, x, dy, dx2);
            Compare.Near($"{what} gated backward", dx, dx2, 2 * rows * n, 2e-6);
            Activation<A>.GatedBackward(pool, rows, n, x, dy, x);
            Compare.SameBits($"{what} gated backward in place", x, dx, 2 * rows * n);
            arena.CheckGuards(what);
        }
    }

    /// <summary>Large arguments saturate, NaN stays NaN.</summary>
    public static void ActivationLimits()
    {
        using WorkerPool pool = new(1);
        using Arena arena = new("limits");
        float* x = arena.Zeros(20), y = arena.Zeros(10), dy = arena.Zeros(10), dx = arena.Zeros(20);
        ReadOnlySpan<float> gates = [float.NaN, 200, -200, 90, -90, 1e30f, -1e30f, 0, float.PositiveInfinity, 5];
        for (int i = 0; i < 10; i++)
            (x[i], x[10 + i], dy[i]) = (gates[i], 1, 1);
        SwiGlu.Forward(pool, 1, 10, x, y);
        ReadOnlySpan<float> expected = [float.NaN, 200, 0, 90, 0, 1e30f, 0, 0, float.PositiveInfinity, 4.9665354f];
        for (int i = 0; i < 10; i++)
            Expect("silu", gates[i], y[i], expected[i]);
        SwiGlu.Backward(pool, 1, 10, x, dy, dx);
        Expect("silu'", float.NaN, dx[0], float.NaN);
        Expect("silu'", 200, dx[1], 1);
        Expect("silu'", -200, dx[2], 0);
        Gelu.Forward(pool, 8, x, y);
        for (int i = 0; i < 8; i++)
            Expect("gelu", gates[i], y[i], expected[i]);
        Gelu.Backward(pool, 5, x, dy, dx);
        Expect("gelu'", float.NaN, dx[0], float.NaN);
        Expect("gelu'", 200, dx[1], 1);
        Expect("gelu'", -200, dx[2], 0);

        static void Expect(string what, float x, float actual, float expected)
        {
            if (!actual.Equals(expected) && !(Math.Abs(actual - expected) <= 1e-6f * Math.Max(1, Math.Abs(expected))))
                throw new MismatchException($"{what}({x}) is {actual:R}, expected {expected:R}");
        }
    }

    /// <summary>exp against double precision: three units in the last place anywhere in its range.</summary>
    public static void ExpAccuracy()
    {
        Tiles.Run(Pool, 1, new ExpJob());
    }

    private static readonly WorkerPool Pool = new(1);

    private struct ExpJob : ITileJob
    {
        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            float* x = stackalloc float[16], y = stackalloc float[16];
            for (int i = 0; i < 200_000; i += V.Count)
            {
                for (int j = 0; j < V.Count; j++)
                    x[j] = -87.2f + (i + j) * (175.2f / 200_000);
                V.Store(VectorMath.Exp(V.Load(x)), y);
                for (int j = 0; j < V.Count; j++)
                {
                    double exact = Math.Exp(x[j]);
                    if (!(Math.Abs(y[j] - exact) <= 3.0 / (1 << 24) * exact))
                        throw new MismatchException($"exp({x[j]:R}) is {y[j]:R}, expected {exact:R}");
                }
            }
            V.Store(VectorMath.Exp(V.Broadcast(float.NegativeInfinity)), x);
            V.Store(VectorMath.Exp(V.Broadcast(float.NaN)), y);
            if (x[0] != 0 || !float.IsNaN(y[0]))
                throw new MismatchException($"exp(-inf) is {x[0]}, exp(NaN) is {y[0]}");
        }
    }

    public static void RopeTwin()
    {
        using WorkerPool pool = new(2);
        foreach (int half in Sizes.BoundaryWidths)
        {
            int D = 2 * half, heads = 3, rows = 40, ld = heads * D + 7, positions = 50;
            string what = $"Rope D {D}";
            using Arena arena = new(what);
            float* x = arena.Random(rows * ld), x2 = arena.Copy(x, rows * ld), original = arena.Copy(x, rows * ld);
            float* cos = arena.Zeros(positions * half), sin = arena.Zeros(positions * half), angle = arena.Random(positions * half);
            for (int i = 0; i < positions * half; i++)
                (cos[i], sin[i]) = (MathF.Cos(angle[i]), MathF.Sin(angle[i]));
            int* at = arena.Integers(rows, positions);
            Rope.Apply(pool, rows, heads, D, x, ld, at, cos, sin, false);
            ReferenceRope.Apply(rows, heads, D, x2, ld, at, cos, sin, false);
            Compare.Near(what, x, x2, rows * ld, 1e-6);
            Rope.Apply(pool, rows, heads, D, x, ld, at, cos, sin, true);
            Compare.Near($"{what} and back", x, original, rows * ld, 1e-6);
            // the same rotation of the leading channels of wider heads
            int wide = D + 3;
            float* partial = arena.Random(rows * (heads * wide)), partial2 = arena.Copy(partial, rows * heads * wide);
            Rope.Apply(pool, rows, heads, wide, D, partial, heads * wide, at, cos, sin, false);
            ReferenceRope.Apply(rows, heads, wide, D, partial2, heads * wide, at, cos, sin, false);
            Compare.Near($"{what} of {wide}", partial, partial2, rows * heads * wide, 1e-6);
            arena.CheckGuards(what);
        }
    }

    public static void BiasAndEmbeddingTwin()
    {
        using WorkerPool pool = new(2);
        foreach (int n in Sizes.BoundaryWidths)
            foreach (int rows in (ReadOnlySpan<int>)[0, 1, 6, 20_000 / n])
            {
                string what = $"rows {rows}x{n}";
                using Arena arena = new(what);
                int ld = n + 3, vocabulary = 11;
                float* x = arena.Random(rows * ld), x2 = arena.Copy(x, rows * ld), bias = arena.Random(n), db = arena.Random(n), db2 = arena.Copy(db, n);
                Bias.Add(pool, rows, n, x, ld, bias);
                ReferenceBias.Add(rows, n, x2, ld, bias);
                Compare.SameBits($"Bias.Add {what}", x, x2, rows * ld);
                Bias.Backward(pool, rows, n, x, ld, db);
                ReferenceBias.Backward(rows, n, x, ld, db2);
                Compare.Near($"Bias.Backward {what}", db, db2, n, 2e-6);
                float* table = arena.Random(vocabulary * n), y = arena.Zeros(rows * n), y2 = arena.Zeros(rows * n), dt = arena.Copy(table, vocabulary * n), dt2 = arena.Copy(table, vocabulary * n);
                int* tokens = arena.Integers(rows, vocabulary);
                Embedding.Forward(pool, rows, n, tokens, table, y);
                ReferenceEmbedding.Forward(rows, n, tokens, table, y2);
                Compare.SameBits($"Embedding.Forward {what}", y, y2, rows * n);
                Embedding.Backward(pool, rows, n, tokens, y, dt);
                ReferenceEmbedding.Backward(rows, n, tokens, y, dt2);
                Compare.SameBits($"Embedding.Backward {what}", dt, dt2, vocabulary * n);
                arena.CheckGuards(what);
            }
    }

    public static void VectorsTwin()
    {
        using WorkerPool one = new(1), two = new(2), three = new(3);
        foreach (int n in Sizes.BoundaryCounts)
        {
            using Arena arena = new($"vectors {n}");
            float* x = arena.Random(n), y = arena.Random(n), y2 = arena.Copy(y, n);
            Vectors.Add(two, n, x, y);
            ReferenceVectors.Add(n, x, y2);
            Compare.SameBits($"Vectors.Add {n}", y, y2, n);
            double sum = Vectors.SumOfSquares(two, n, x), exact = ReferenceVectors.SumOfSquares(n, x);
            if (!(Math.Abs(sum - exact) <= 1e-6 * exact) || sum != Vectors.SumOfSquares(one, n, x) || sum != Vectors.SumOfSquares(three, n, x))
                throw new MismatchException($"sum of squares of {n} is {sum:R}, expected {exact:R} and the same for any number of threads");
            if (n == 0)
                continue;
            x[n - 1] = float.NaN;
            if (!double.IsNaN(Vectors.SumOfSquares(two, n, x)))
                throw new MismatchException($"sum of squares of {n} loses a NaN");
        }
    }

    public static void AdamWTwin()
    {
        using WorkerPool one = new(1), two = new(2);
        foreach (int n in Sizes.BoundaryCounts)
        {
            using Arena arena = new($"adam {n}");
            float* p = arena.Random(n), m = arena.Random(n, 0.1f), v = arena.Random(n), g = arena.Random(n);
            for (int i = 0; i < n; i++)
                v[i] *= v[i];
            float* p2 = arena.Copy(p, n), m2 = arena.Copy(m, n), v2 = arena.Copy(v, n), p3 = arena.Copy(p, n), m3 = arena.Copy(m, n), v3 = arena.Copy(v, n);
            for (int t = 1; t <= 3; t++)
            {
                AdamWStep step = new(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 1 - MathF.Pow(0.9f, t), 1 - MathF.Pow(0.95f, t), 0.5f);
                float* g2 = arena.Copy(g, n), g3 = arena.Copy(g, n), kept = arena.Copy(g, n);
                AdamW.Step(two, n, p, g, m, v, step);
                AdamW.Step(one, n, p3, g3, m3, v3, step);
                ReferenceAdamW.Step(n, p2, g2, m2, v2, step);
                Compare.SameBits($"AdamW {n} clears g", g, g2, n);
                for (int i = 0; i < n; i++)
                    g[i] = -kept[i];
            }
            Compare.Near($"AdamW {n}: p", p, p2, n, 2e-6);
            Compare.Near($"AdamW {n}: m", m, m2, n, 1e-6);
            Compare.Near($"AdamW {n}: v", v, v2, n, 1e-6);
            Compare.SameBits($"AdamW {n} with one thread", p3, p, n);
            arena.CheckGuards($"AdamW {n}");
        }
    }
}
