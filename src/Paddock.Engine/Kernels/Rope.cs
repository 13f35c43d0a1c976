using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>Rotary positions, "halves" convention: channel j of a head pairs with j + D/2 (Su et al. 2021).</summary>
internal static unsafe class Rope
{
    /// <summary>
    /// Rotates in place the first heads * D columns of each row of x; cos, sin [positions, D/2]. The inverse rotation is the backward pass.
    /// </summary>
    public static void Apply(WorkerPool pool, int rows, int heads, int D, float* x, int ldx, int* positions, float* cos, float* sin, bool inverse) =>
        Apply(pool, rows, heads, D, D, x, ldx, positions, cos, sin, inverse);

    /// <summary>The same for the first R channels of each head, channel j paired with j + R/2; the others stay. cos, sin [positions, R/2].</summary>
    public static void Apply(WorkerPool pool, int rows, int heads, int D, int R, float* x, int ldx, int* positions, float* cos, float* sin, bool inverse)
    {
        int rowsPerTile = Tiles.RowsPerTile(heads * D);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new Job
        {
            Rows = rows,
            Heads = heads,
            D = D,
            R = R,
            RowsPerTile = rowsPerTile,
            X = x,
            Ldx = ldx,
            Positions = positions,
            Cos = cos,
            Sin = sin,
            Sign = inverse ? -1 : 1,
        });
    }

    private struct Job : ITileJob
    {
        public float* X, Cos, Sin;
        public int* Positions;
        public long Ldx;
        public float Sign;
        public int Rows, Heads, D, R, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            float* buffer = stackalloc float[4 * Tail.Floats];
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), half = R / 2;
            V sign = V.Broadcast(Sign);
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* cos = Cos + (long)Positions[r] * half, sin = Sin + (long)Positions[r] * half;
                for (int h = 0; h < Heads; h++)
                {
                    float* low = X + r * Ldx + (long)h * D, high = low + half;
                    int j = 0;
                    for (; j + V.Count <= half; j += V.Count)
                        Step(low + j, high + j, cos + j, sin + j, sign);
                    if (j == half)
                        continue;
                    int rest = half - j;
                    Tail.Copy(low + j, buffer, rest);
                    Tail.Copy(high + j, buffer + Tail.Floats, rest);
                    Tail.Copy(cos + j, buffer + 2 * Tail.Floats, rest);
                    Tail.Copy(sin + j, buffer + 3 * Tail.Floats, rest);
                    Step(buffer, buffer + Tail.Floats, buffer + 2 * Tail.Floats, buffer + 3 * Tail.Floats, sign);
                    Tail.Copy(buffer, low + j, rest);
                    Tail.Copy(buffer + Tail.Floats, high + j, rest);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step<V>(float* low, float* high, float* cos, float* sin, V sign)
            where V : unmanaged, ILanes<V>
        {
            V a = V.Load(low), b = V.Load(high), c = V.Load(cos), s = V.Load(sin) * sign;
            V.Store(a * c - b * s, low);
            V.Store(V.Fma(a, s, b * c), high);
        }
    }
}
