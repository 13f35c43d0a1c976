using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Log-probabilities of given tokens under the softmax of h w^T, with logits that exist only for some rows and some columns at a time (at
/// most 8 MB). d log p(target) / d z = onehot - p; with the entropy E = -sum p log p, dE / dz_j = -p_j (log p_j + E).
/// </summary>
internal static unsafe class VocabularyLoss
{
    private const int LogitFloats = 1 << 21;
    private const int MaxColumns = 4096;
    private const int StateFloats = 4;

    /// <summary>Floats between rows beyond their width: V is often a power of two, and rows so far apart would share cache sets.</summary>
    private const int Gap = 16;

    /// <summary>Floats that the logits of n rows take when they are kept.</summary>
    public static long KeptFloats(int n, int V) => checked((long)n * Tiles.Over(V, ColumnsAtOnce(V)) * (ColumnsAtOnce(V) + Gap));

    /// <summary>
    /// h [n, C] holds only the rows that have a target; w [V, C]; targets, logProbs, logSumExp [n]; entropies (nats) and argMax (lowest index
    /// of the largest logit) are [n], or null when not wanted. Logits become cap tanh(logit / cap) unless cap is 0.
    /// </summary>
    /// <param name="kept">Receives the logits for the backward pass, <see cref="KeptFloats"/>; null when it is to compute them again.</param>
    public static void Forward(WorkerPool pool, int n, int C, int V, float* h, float* w, int* targets, float* logProbs, float* logSumExp, float* entropies,
        int* argMax, float cap = 0, float* kept = null)
    {
        Chunks chunks = new(pool, n, V, kept);
        for (int row = 0; row < n; row += chunks.Rows)
        {
            int rows = Math.Min(chunks.Rows, n - row), rowsPerTile = Tiles.RowsPerTile(chunks.Columns);
            for (int column = 0; column < V; column += chunks.Columns)
            {
                int columns = Math.Min(chunks.Columns, V - column);
                float* logits = chunks.Logits(row, rows, column);
                MatMul.NT(pool, rows, columns, C, h + (nint)row * C, C, w + (nint)column * C, C, logits, chunks.Ld, false);
                SoftCap.Apply(pool, rows, columns, logits, chunks.Ld, cap);
                Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new ForwardJob
                {
                    Logits = logits,
                    State = chunks.State,
                    Targets = targets + row,
                    ArgMax = argMax == null ? null : argMax + row,
                    Ld = chunks.Ld,
                    Rows = rows,
                    RowsPerTile = rowsPerTile,
                    Column = column,
                    Columns = columns,
                });
            }
            for (int i = 0; i < rows; i++)
            {
                RowState state = chunks.State[i];
                float log = MathF.Log(state.Sum), lse = state.Max + log;
                logSumExp[row + i] = lse;
                logProbs[row + i] = state.Target - lse;
                if (entropies != null)
                    entropies[row + i] = log - state.Weighted / state.Sum;
            }
        }
    }

    /// <summary>
    /// Gradient of sum_i coefficients[i] logProb_i + entropyCoefficients[i] entropy_i. dh [n, C] is overwritten, dW [V, C] is added to or null;
    /// entropies (of the forward pass) and entropyCoefficients are both given or both null.
    /// </summary>
    /// <param name="kept">The logits that the forward pass left, overwritten here; null computes them again, with the same bits.</param>
    public static void Backward(WorkerPool pool, int n, int C, int V, float* h, float* w, int* targets, float* logSumExp, float* coefficients, float* entropies,
        float* entropyCoefficients, float* dh, float* dW, float cap = 0, float* kept = null)
    {
        Chunks chunks = new(pool, n, V, kept);
        for (int row = 0; row < n; row += chunks.Rows)
        {
            int rows = Math.Min(chunks.Rows, n - row), rowsPerTile = Tiles.RowsPerTile(chunks.Columns);
            float* hRows = h + (nint)row * C, dhRows = dh + (nint)row * C;
            for (int column = 0; column < V; column += chunks.Columns)
            {
                int columns = Math.Min(chunks.Columns, V - column);
                float* wRows = w + (nint)column * C;
                float* logits = chunks.Logits(row, rows, column);
                if (kept == null)
                {
                    MatMul.NT(pool, rows, columns, C, hRows, C, wRows, C, logits, chunks.Ld, false);
                    SoftCap.Apply(pool, rows, columns, logits, chunks.Ld, cap);
                }
                Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new BackwardJob
                {
                    Logits = logits,
                    LogSumExp = logSumExp + row,
                    Coefficients = coefficients + row,
                    Entropies = entropyCoefficients == null ? null : entropies + row,
                    EntropyCoefficients = entropyCoefficients == null ? null : entropyCoefficients + row,
                    Targets = targets + row,
                    Ld = chunks.Ld,
                    Rows = rows,
                    RowsPerTile = rowsPerTile,
                    Column = column,
                    Columns = columns,
                    Cap = cap,
                });
                MatMul.NN(pool, rows, C, columns, logits, chunks.Ld, wRows, C, dhRows, C, column > 0);
                if (dW != null)
                    MatMul.TN(pool, columns, C, rows, logits, chunks.Ld, hRows, C, dW + (nint)column * C, C, true);
            }
        }
    }

    // columns depend on V alone, because a row's sums are taken chunk by chunk; they are whole registers of every width
    private static int ColumnsAtOnce(int V) => Math.Max(1, Tiles.Over(Tiles.Over(V, Math.Max(1, Tiles.Over(V, MaxColumns))), 32)) * 32;

    private readonly struct Chunks
    {
        public readonly int Rows, Columns, Ld;
        public readonly RowState* State;
        private readonly float* _logits;
        private readonly int _parts;
        private readonly bool _keeps;

        public Chunks(WorkerPool pool, int n, int V, float* kept)
        {
            Columns = ColumnsAtOnce(V);
            Ld = Columns + Gap;
            Rows = Math.Max(1, Math.Min(n, LogitFloats / Columns));
            (_parts, _keeps) = (Tiles.Over(V, Columns), kept != null);
            long state = (StateFloats * (long)Rows + 15) / 16 * 16;
            State = (RowState*)pool.SharedScratch(state + (_keeps ? 0 : (long)Rows * Ld), SharedSlot.Composite);
            _logits = _keeps ? kept : (float*)State + state;
        }

        // kept chunks follow one another: all columns of some rows, then of the next
        public float* Logits(int row, int rows, int column) => _keeps ? _logits + ((long)row * _parts + (long)rows * (column / Columns)) * Ld : _logits;
    }

    /// <summary>Over the columns so far: the largest logit, sum of exp(z - max), sum of exp(z - max) (z - max), the target's logit.</summary>
    private struct RowState
    {
        public float Max, Sum, Weighted, Target;
    }

    private struct ForwardJob : ITileJob
    {
        public float* Logits;
        public RowState* State;
        public int* Targets, ArgMax;
        public int Ld, Rows, RowsPerTile, Column, Columns;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile);
            for (int r = tile * RowsPerTile; r < end; r++)
                Row<V>(r, Logits + (nint)r * Ld, ref State[r]);
        }

        private readonly void Row<V>(int r, float* z, ref RowState state)
            where V : unmanaged, ILanes<V>
        {
            new Span<float>(z + Columns, Ld - Columns).Fill(float.NegativeInfinity);
            int width = Tiles.Over(Columns, V.Count) * V.Count;
            V max = V.Load(z);
            for (int j = V.Count; j < width; j += V.Count)
                max = V.Max(V.Load(z + j), max);
            float here = V.Largest(max), largest = Column == 0 ? here : MathF.Max(state.Max, here);
            if (ArgMax != null && (Column == 0 || here > state.Max))
                ArgMax[r] = Column + Math.Max(0, new ReadOnlySpan<float>(z, Columns).IndexOf(here));
            V shift = V.Broadcast(largest), floor = V.Broadcast(-1e30f), sum = V.Broadcast(0), weighted = sum;
            for (int j = 0; j < width; j += V.Count)
            {
                // the floor keeps 0 * -inf out of the entropy
                V d = V.Max(floor, V.Load(z + j) - shift), p = VectorMath.Exp(d);
                sum += p;
                weighted = V.Fma(p, d, weighted);
            }
            float newSum = V.Sum(sum), newWeighted = V.Sum(weighted);
            if (Column > 0)
            {
                float move = state.Max - largest, shrink = V.Largest(VectorMath.Exp(V.Broadcast(move)));
                newWeighted += shrink == 0 ? 0 : shrink * (state.Weighted + state.Sum * move);
                newSum += shrink * state.Sum;
            }
            (state.Max, state.Sum, state.Weighted) = (largest, newSum, newWeighted);
            int target = Targets[r] - Column;
            if ((uint)target < (uint)Columns)
                state.Target = z[target];
        }
    }

    private struct BackwardJob : ITileJob
    {
        public float* Logits, LogSumExp, Coefficients, Entropies, EntropyCoefficients;
        public int* Targets;
        public int Ld, Rows, RowsPerTile, Column, Columns;
        public float Cap;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), width = Tiles.Over(Columns, V.Count) * V.Count;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* z = Logits + (nint)r * Ld;
                if (Cap > 0)
                {
                    Capped<V>(r, z, width);
                    continue;
                }
                new Span<float>(z + Columns, Ld - Columns).Clear();
                V lse = V.Broadcast(LogSumExp[r]), coefficient = V.Broadcast(-Coefficients[r]);
                if (EntropyCoefficients == null)
                {
                    for (int j = 0; j < width; j += V.Count)
                        V.Store(coefficient * VectorMath.Exp(V.Load(z + j) - lse), z + j);
                }
                else
                {
                    V slope = V.Broadcast(-EntropyCoefficients[r]), entropy = V.Broadcast(Entropies[r]), floor = V.Broadcast(-1e30f);
                    for (int j = 0; j < width; j += V.Count)
                    {
                        V logP = V.Max(floor, V.Load(z + j) - lse);
                        V.Store(VectorMath.Exp(logP) * V.Fma(slope, logP + entropy, coefficient), z + j);
                    }
                }
                int target = Targets[r] - Column;
                if ((uint)target < (uint)Columns)
                    z[target] += Coefficients[r];
            }
        }

        // the same with the derivative of the cap, 1 - (z / cap)^2 of the capped logit
        private readonly void Capped<V>(int r, float* z, int width)
            where V : unmanaged, ILanes<V>
        {
            new Span<float>(z + Columns, Ld - Columns).Clear();
            int target = Targets[r] - Column;
            float ratio = (uint)target < (uint)Columns ? z[target] / Cap : 1;
            V lse = V.Broadcast(LogSumExp[r]), coefficient = V.Broadcast(-Coefficients[r]), one = V.Broadcast(1), inverse = V.Broadcast(1 / Cap);
            V slope = V.Broadcast(EntropyCoefficients == null ? 0 : -EntropyCoefficients[r]), entropy = V.Broadcast(EntropyCoefficients == null ? 0 : Entropies[r]);
            for (int j = 0; j < width; j += V.Count)
            {
                V capped = V.Load(z + j), logP = V.Max(V.Broadcast(-1e30f), capped - lse), share = capped * inverse;
                V.Store(VectorMath.Exp(logP) * V.Fma(slope, logP + entropy, coefficient) * (one - share * share), z + j);
            }
            if ((uint)target < (uint)Columns)
                z[target] += Coefficients[r] * (1 - ratio * ratio);
        }
    }
}
