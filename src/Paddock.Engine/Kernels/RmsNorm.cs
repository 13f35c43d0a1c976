using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>y = x / sqrt(mean(x^2) + eps) * weight, row by row (Zhang and Sennrich 2019).</summary>
internal static unsafe class RmsNorm
{
    /// <summary>x, y [rows, C]; rstd [rows] is kept for the backward pass.</summary>
    public static void Forward(WorkerPool pool, int rows, int C, float* x, float* weight, float eps, float* y, float* rstd)
    {
        int rowsPerTile = Tiles.RowsPerTile(C);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new ForwardJob { Rows = rows, C = C, RowsPerTile = rowsPerTile, X = x, Weight = weight, Eps = eps, Y = y, Rstd = rstd });
    }

    /// <summary>dx is overwritten or added to; dWeight [C] is added to and may be null when not wanted.</summary>
    public static void Backward(WorkerPool pool, int rows, int C, float* dy, float* x, float* weight, float* rstd, float* dx, bool accumulateDx, float* dWeight)
    {
        int rowsPerTile = ColumnSums.RowsPerTile(rows, C), tiles = Tiles.Over(rows, rowsPerTile);
        float* partials = dWeight == null ? null : pool.SharedScratch((long)tiles * C);
        Tiles.Run(pool, tiles, new BackwardJob
        {
            Rows = rows,
            C = C,
            RowsPerTile = rowsPerTile,
            Dy = dy,
            X = x,
            Weight = weight,
            Rstd = rstd,
            Dx = dx,
            Accumulate = accumulateDx,
            Partials = partials,
        });
        if (dWeight != null)
            ColumnSums.AddTo(pool, tiles, partials, C, C, dWeight);
    }

    private struct ForwardJob : ITileJob
    {
        public float* X, Weight, Y, Rstd;
        public float Eps;
        public int Rows, C, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = C;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + (long)r * n, y = Y + (long)r * n, w = Weight;
                V even = V.Broadcast(0), odd = even;
                int i = 0;
                for (; i + 2 * V.Count <= n; i += 2 * V.Count)
                {
                    V a = V.Load(x + i), b = V.Load(x + i + V.Count);
                    even = V.Fma(a, a, even);
                    odd = V.Fma(b, b, odd);
                }
                for (; i < n; i += V.Count)
                {
                    V a = i + V.Count <= n ? V.Load(x + i) : Tail.Load<V>(x + i, n - i);
                    even = V.Fma(a, a, even);
                }
                float s = 1 / MathF.Sqrt(V.Sum(even + odd) / n + Eps);
                Rstd[r] = s;
                V scale = V.Broadcast(s);
                for (i = 0; i + V.Count <= n; i += V.Count)
                    V.Store(V.Load(x + i) * scale * V.Load(w + i), y + i);
                for (; i < n; i++)
                    y[i] = x[i] * s * w[i];
            }
        }
    }

    // with s = rstd: dx = s (w dy) - x s^3 / C sum(w dy x); dw = sum over rows of dy x s
    private struct BackwardJob : ITileJob
    {
        public float* Dy, X, Weight, Rstd, Dx, Partials;
        public int Rows, C, RowsPerTile;
        public bool Accumulate;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = C;
            float* partial = Partials == null ? null : Partials + (long)tile * n;
            if (partial != null)
                new Span<float>(partial, n).Clear();
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + (long)r * n, dy = Dy + (long)r * n, dx = Dx + (long)r * n, w = Weight;
                V even = V.Broadcast(0), odd = even;
                int i = 0;
                for (; i + 2 * V.Count <= n; i += 2 * V.Count)
                {
                    even = V.Fma(V.Load(dy + i) * V.Load(w + i), V.Load(x + i), even);
                    odd = V.Fma(V.Load(dy + i + V.Count) * V.Load(w + i + V.Count), V.Load(x + i + V.Count), odd);
                }
                for (; i + V.Count <= n; i += V.Count)
                    even = V.Fma(V.Load(dy + i) * V.Load(w + i), V.Load(x + i), even);
                if (i < n)
                    odd = V.Fma(Tail.Load<V>(dy + i, n - i) * Tail.Load<V>(w + i, n - i), Tail.Load<V>(x + i, n - i), odd);
                float s = Rstd[r], coefficient = -V.Sum(even + odd) * s * s * s / n;
                V scale = V.Broadcast(s), pull = V.Broadcast(coefficient);
                for (i = 0; i + V.Count <= n; i += V.Count)
                {
                    V xi = V.Load(x + i), upstream = V.Load(dy + i) * scale;
                    V gradient = V.Fma(xi, pull, upstream * V.Load(w + i));
                    if (partial != null)
                        V.Store(V.Fma(upstream, xi, V.Load(partial + i)), partial + i);
                    V.Store(Accumulate ? V.Load(dx + i) + gradient : gradient, dx + i);
                }
                for (; i < n; i++)
                {
                    float upstream = dy[i] * s, gradient = x[i] * coefficient + upstream * w[i];
                    if (partial != null)
                        partial[i] += upstream * x[i];
                    dx[i] = Accumulate ? dx[i] + gradient : gradient;
                }
            }
        }
    }
}
