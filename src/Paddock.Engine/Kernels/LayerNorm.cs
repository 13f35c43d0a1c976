using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>y = (x - mean) / sqrt(variance + eps) * weight + bias, row by row (Ba et al. 2016).</summary>
internal static unsafe class LayerNorm
{
    /// <summary>x, y [rows, C]; mean, rstd [rows] are kept for the backward pass.</summary>
    public static void Forward(WorkerPool pool, int rows, int C, float* x, float* weight, float* bias, float eps, float* y, float* mean, float* rstd)
    {
        int rowsPerTile = Tiles.RowsPerTile(C);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new ForwardJob
        {
            Rows = rows,
            C = C,
            RowsPerTile = rowsPerTile,
            X = x,
            Weight = weight,
            Bias = bias,
            Eps = eps,
            Y = y,
            Mean = mean,
            Rstd = rstd,
        });
    }

    /// <summary>dx is overwritten or added to; dWeight, dBias [C] are added to and may be null when not wanted.</summary>
    public static void Backward(WorkerPool pool, int rows, int C, float* dy, float* x, float* weight, float* mean, float* rstd, float* dx, bool accumulateDx,
        float* dWeight, float* dBias)
    {
        int rowsPerTile = ColumnSums.RowsPerTile(rows, C), tiles = Tiles.Over(rows, rowsPerTile);
        float* partials = dWeight == null && dBias == null ? null : pool.SharedScratch(2L * tiles * C);
        Tiles.Run(pool, tiles, new BackwardJob
        {
            Rows = rows,
            C = C,
            RowsPerTile = rowsPerTile,
            Dy = dy,
            X = x,
            Weight = weight,
            Mean = mean,
            Rstd = rstd,
            Dx = dx,
            Accumulate = accumulateDx,
            Partials = partials,
        });
        if (dWeight != null)
            ColumnSums.AddTo(pool, tiles, partials, 2L * C, C, dWeight);
        if (dBias != null)
            ColumnSums.AddTo(pool, tiles, partials + C, 2L * C, C, dBias);
    }

    private struct ForwardJob : ITileJob
    {
        public float* X, Weight, Bias, Y, Mean, Rstd;
        public float Eps;
        public int Rows, C, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = C;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + (long)r * n, y = Y + (long)r * n;
                V sum = V.Broadcast(0), squares = sum;
                int i = 0;
                for (; i + V.Count <= n; i += V.Count)
                    sum += V.Load(x + i);
                if (i < n)
                    sum += Tail.Load<V>(x + i, n - i);
                float average = V.Sum(sum) / n;
                V centre = V.Broadcast(average);
                for (i = 0; i + V.Count <= n; i += V.Count)
                {
                    V d = V.Load(x + i) - centre;
                    squares = V.Fma(d, d, squares);
                }
                if (i < n)
                {
                    V d = Tail.Load<V>(x + i, n - i, average) - centre;
                    squares = V.Fma(d, d, squares);
                }
                float s = 1 / MathF.Sqrt(V.Sum(squares) / n + Eps);
                Mean[r] = average;
                Rstd[r] = s;
                V scale = V.Broadcast(s);
                for (i = 0; i + V.Count <= n; i += V.Count)
                    V.Store(V.Fma((V.Load(x + i) - centre) * scale, V.Load(Weight + i), V.Load(Bias + i)), y + i);
                for (; i < n; i++)
                    y[i] = (x[i] - average) * s * Weight[i] + Bias[i];
            }
        }
    }

    // with s = rstd, z = (x - mean) s, g = w dy: dx = s (g - mean(g) - z mean(g z)); dw = sum of dy z; db = sum of dy
    private struct BackwardJob : ITileJob
    {
        public float* Dy, X, Weight, Mean, Rstd, Dx, Partials;
        public int Rows, C, RowsPerTile;
        public bool Accumulate;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = C;
            float* dw = Partials == null ? null : Partials + 2L * tile * n, db = dw + n;
            if (dw != null)
                new Span<float>(dw, 2 * n).Clear();
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + (long)r * n, dy = Dy + (long)r * n, dx = Dx + (long)r * n;
                float average = Mean[r], s = Rstd[r];
                V sum = V.Broadcast(0), dot = sum, centre = V.Broadcast(average), scale = V.Broadcast(s);
                int i = 0;
                for (; i < n; i += V.Count)
                {
                    bool whole = i + V.Count <= n;
                    V g = whole ? V.Load(dy + i) * V.Load(Weight + i) : Tail.Load<V>(dy + i, n - i) * Tail.Load<V>(Weight + i, n - i);
                    V z = ((whole ? V.Load(x + i) : Tail.Load<V>(x + i, n - i, average)) - centre) * scale;
                    sum += g;
                    dot = V.Fma(g, z, dot);
                }
                float shift = V.Sum(sum) / n, pull = V.Sum(dot) / n;
                V shifts = V.Broadcast(shift), pulls = V.Broadcast(pull);
                for (i = 0; i + V.Count <= n; i += V.Count)
                {
                    V z = (V.Load(x + i) - centre) * scale, upstream = V.Load(dy + i);
                    V gradient = scale * (upstream * V.Load(Weight + i) - shifts - z * pulls);
                    if (dw != null)
                    {
                        V.Store(V.Fma(upstream, z, V.Load(dw + i)), dw + i);
                        V.Store(V.Load(db + i) + upstream, db + i);
                    }
                    V.Store(Accumulate ? V.Load(dx + i) + gradient : gradient, dx + i);
                }
                for (; i < n; i++)
                {
                    float z = (x[i] - average) * s, upstream = dy[i], gradient = s * (upstream * Weight[i] - shift - z * pull);
                    if (dw != null)
                    {
                        dw[i] += upstream * z;
                        db[i] += upstream;
                    }
                    dx[i] = Accumulate ? dx[i] + gradient : gradient;
                }
            }
        }
    }
}
