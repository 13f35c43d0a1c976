using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>How the queries and keys of a row are normed: in groups of channels that lie side by side, all queries' groups under one scale, all keys' under another.</summary>
/// <param name="Queries">Groups of queries.</param>
/// <param name="QueryWidth">Channels of one of them.</param>
/// <param name="Keys">Groups of keys, which follow the queries.</param>
internal readonly record struct QueryKeyShape(int Queries, int QueryWidth, int Keys, int KeyWidth)
{
    /// <summary>Groups of a row.</summary>
    public int Groups => Queries + Keys;

    /// <summary>Channels of a row.</summary>
    public int Width => Queries * QueryWidth + Keys * KeyWidth;
}

/// <summary>RMSNorm of queries and keys before they are rotated (Dehghani et al. 2023, arXiv 2302.05442), over each head or over all of them at once.</summary>
internal static unsafe class QueryKeyNorm
{
    /// <summary>Norms x [rows, ldx] in place.</summary>
    /// <param name="raw">[rows, Width] gets what was there before, for the backward pass; or null.</param>
    /// <param name="rstd">[rows, Groups], or null.</param>
    public static void Forward(WorkerPool pool, int rows, QueryKeyShape shape, float* x, int ldx, float* queryScale, float* keyScale, float eps, float* raw, float* rstd)
    {
        int rowsPerTile = Tiles.RowsPerTile(shape.Width);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new ForwardJob
        {
            Shape = shape,
            Rows = rows,
            RowsPerTile = rowsPerTile,
            X = x,
            Ld = ldx,
            QueryScale = queryScale,
            KeyScale = keyScale,
            Eps = eps,
            Raw = raw,
            Rstd = rstd,
        });
    }

    /// <summary>Turns the gradient of the normed values, dx [rows, lddx], into that of the raw ones, in place; those of the scales are added, or are null.</summary>
    public static void Backward(WorkerPool pool, int rows, QueryKeyShape shape, float* dx, int lddx, float* queryScale, float* keyScale, float* raw, float* rstd,
        float* dQueryScale, float* dKeyScale)
    {
        int width = shape.QueryWidth + shape.KeyWidth, rowsPerTile = ColumnSums.RowsPerTile(rows, shape.Width), tiles = Tiles.Over(rows, rowsPerTile);
        float* partials = dQueryScale == null ? null : pool.SharedScratch((long)tiles * width);
        Tiles.Run(pool, tiles, new BackwardJob
        {
            Shape = shape,
            Rows = rows,
            RowsPerTile = rowsPerTile,
            Dx = dx,
            Ld = lddx,
            QueryScale = queryScale,
            KeyScale = keyScale,
            Raw = raw,
            Rstd = rstd,
            Partials = partials,
        });
        if (partials == null)
            return;
        ColumnSums.AddTo(pool, tiles, partials, width, shape.QueryWidth, dQueryScale);
        ColumnSums.AddTo(pool, tiles, partials + shape.QueryWidth, width, shape.KeyWidth, dKeyScale);
    }

    private struct ForwardJob : ITileJob
    {
        public QueryKeyShape Shape;
        public float* X, QueryScale, KeyScale, Raw, Rstd;
        public long Ld;
        public float Eps;
        public int Rows, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile);
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* x = X + r * Ld;
                if (Raw != null)
                    new Span<float>(x, Shape.Width).CopyTo(new(Raw + (long)r * Shape.Width, Shape.Width));
                for (int g = 0; g < Shape.Groups; g++)
                {
                    bool isQuery = g < Shape.Queries;
                    int n = isQuery ? Shape.QueryWidth : Shape.KeyWidth;
                    float s = Norm<V>(x, isQuery ? QueryScale : KeyScale, n);
                    if (Rstd != null)
                        Rstd[(long)r * Shape.Groups + g] = s;
                    x += n;
                }
            }
        }

        private readonly float Norm<V>(float* x, float* w, int n)
            where V : unmanaged, ILanes<V>
        {
            V squares = V.Broadcast(0);
            int i = 0;
            for (; i < n; i += V.Count)
            {
                V a = i + V.Count <= n ? V.Load(x + i) : Tail.Load<V>(x + i, n - i);
                squares = V.Fma(a, a, squares);
            }
            float s = 1 / MathF.Sqrt(V.Sum(squares) / n + Eps);
            V scale = V.Broadcast(s);
            for (i = 0; i + V.Count <= n; i += V.Count)
                V.Store(V.Load(x + i) * scale * V.Load(w + i), x + i);
            for (; i < n; i++)
                x[i] = x[i] * s * w[i];
            return s;
        }
    }

    // with s = rstd: dx = s (w dy) - x s^3 / n sum(w dy x); dw = sum over rows and groups of dy x s
    private struct BackwardJob : ITileJob
    {
        public QueryKeyShape Shape;
        public float* Dx, QueryScale, KeyScale, Raw, Rstd, Partials;
        public long Ld;
        public int Rows, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), width = Shape.QueryWidth + Shape.KeyWidth;
            float* forQueries = Partials == null ? null : Partials + (long)tile * width, forKeys = forQueries == null ? null : forQueries + Shape.QueryWidth;
            if (forQueries != null)
                new Span<float>(forQueries, width).Clear();
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* dx = Dx + r * Ld, x = Raw + (long)r * Shape.Width;
                for (int g = 0; g < Shape.Groups; g++)
                {
                    bool isQuery = g < Shape.Queries;
                    int n = isQuery ? Shape.QueryWidth : Shape.KeyWidth;
                    Group<V>(dx, x, isQuery ? QueryScale : KeyScale, isQuery ? forQueries : forKeys, Rstd[(long)r * Shape.Groups + g], n);
                    dx += n;
                    x += n;
                }
            }
        }

        private static void Group<V>(float* dx, float* x, float* w, float* dw, float s, int n)
            where V : unmanaged, ILanes<V>
        {
            V dot = V.Broadcast(0);
            int i = 0;
            for (; i + V.Count <= n; i += V.Count)
                dot = V.Fma(V.Load(dx + i) * V.Load(w + i), V.Load(x + i), dot);
            if (i < n)
                dot = V.Fma(Tail.Load<V>(dx + i, n - i) * Tail.Load<V>(w + i, n - i), Tail.Load<V>(x + i, n - i), dot);
            float coefficient = -V.Sum(dot) * s * s * s / n;
            V scale = V.Broadcast(s), pull = V.Broadcast(coefficient);
            for (i = 0; i + V.Count <= n; i += V.Count)
            {
                V xi = V.Load(x + i), upstream = V.Load(dx + i) * scale;
                if (dw != null)
                    V.Store(V.Fma(upstream, xi, V.Load(dw + i)), dw + i);
                V.Store(V.Fma(xi, pull, upstream * V.Load(w + i)), dx + i);
            }
            for (; i < n; i++)
            {
                float upstream = dx[i] * s;
                if (dw != null)
                    dw[i] += upstream * x[i];
                dx[i] = x[i] * coefficient + upstream * w[i];
            }
        }
    }
}
