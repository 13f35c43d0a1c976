using System.Runtime.CompilerServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>y = silu(gate) * up with silu(x) = x / (1 + exp(-x)) (Shazeer 2020). A row of gateUp [rows, 2F] holds F gates, then F ups.</summary>
internal static unsafe class SwiGlu
{
    public static void Forward(WorkerPool pool, int rows, int F, float* gateUp, float* y)
    {
        int rowsPerTile = Tiles.RowsPerTile(2 * F);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new ForwardJob { Rows = rows, F = F, RowsPerTile = rowsPerTile, GateUp = gateUp, Y = y });
    }

    /// <summary>dGateUp [rows, 2F] is overwritten and may be gateUp itself.</summary>
    public static void Backward(WorkerPool pool, int rows, int F, float* gateUp, float* dy, float* dGateUp)
    {
        int rowsPerTile = Tiles.RowsPerTile(2 * F);
        Tiles.Run(pool, Tiles.Over(rows, rowsPerTile), new BackwardJob { Rows = rows, F = F, RowsPerTile = rowsPerTile, GateUp = gateUp, Dy = dy, DGateUp = dGateUp });
    }

    private struct ForwardJob : ITileJob
    {
        public float* GateUp, Y;
        public int Rows, F, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            float* buffer = stackalloc float[3 * Tail.Floats];
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = F;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* gate = GateUp + 2L * r * n, up = gate + n, y = Y + (long)r * n;
                int i = 0;
                for (; i + V.Count <= n; i += V.Count)
                    Step<V>(gate + i, up + i, y + i);
                if (i == n)
                    continue;
                Tail.Copy(gate + i, buffer, n - i);
                Tail.Copy(up + i, buffer + Tail.Floats, n - i);
                Step<V>(buffer, buffer + Tail.Floats, buffer);
                Tail.Copy(buffer, y + i, n - i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step<V>(float* gate, float* up, float* y)
            where V : unmanaged, ILanes<V>
        {
            V x = V.Load(gate), one = V.Broadcast(1);
            V.Store(x / (one + VectorMath.Exp(V.Broadcast(0) - x)) * V.Load(up), y);
        }
    }

    private struct BackwardJob : ITileJob
    {
        public float* GateUp, Dy, DGateUp;
        public int Rows, F, RowsPerTile;

        public readonly void Tile<V>(int tile, int worker)
            where V : unmanaged, ILanes<V>
        {
            float* buffer = stackalloc float[3 * Tail.Floats];
            int end = Math.Min(Rows, (tile + 1) * RowsPerTile), n = F;
            for (int r = tile * RowsPerTile; r < end; r++)
            {
                float* gate = GateUp + 2L * r * n, up = gate + n, dy = Dy + (long)r * n, dGate = DGateUp + 2L * r * n, dUp = dGate + n;
                int i = 0;
                for (; i + V.Count <= n; i += V.Count)
                    Step<V>(gate + i, up + i, dy + i, dGate + i, dUp + i);
                if (i == n)
                    continue;
                float* second = buffer + Tail.Floats, third = second + Tail.Floats;
                Tail.Copy(gate + i, buffer, n - i);
                Tail.Copy(up + i, second, n - i);
                Tail.Copy(dy + i, third, n - i);
                Step<V>(buffer, second, third, buffer, second);
                Tail.Copy(buffer, dGate + i, n - i);
                Tail.Copy(second, dUp + i, n - i);
            }
        }

        // with e = exp(-gate), s = 1 / (1 + e): d gate = dy up s (1 + gate (1 - s)), d up = dy gate s; e s is 1 - s without its cancellation
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step<V>(float* gate, float* up, float* dy, float* dGate, float* dUp)
            where V : unmanaged, ILanes<V>
        {
            V x = V.Load(gate), one = V.Broadcast(1), e = VectorMath.Exp(V.Broadcast(0) - x), s = one / (one + e), scaled = V.Load(dy) * s;
            V forGate = scaled * V.Load(up) * V.Fma(x, e * s, one);
            V.Store(scaled * x, dUp);
            V.Store(forGate, dGate);
        }
    }
}
