using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Register tiles of <see cref="DecodeMatMul"/>: some rows of x times two or four registers of columns of a panel, accumulators in registers,
/// K rising; weights are widened in registers on the way. Written out row by row because accumulators live in registers only as named
/// locals, and in quads of K because the loop itself would cost as much as the multiply-adds.
/// </summary>
internal static unsafe partial class DecodeTiles<V, F> where V : unmanaged, IDecodeLanes<V> where F : struct, IDecodeFormat
{
    // the last quad of nibbles has the sign bit and goes its own way
    private static int Quads => F.Nibbled ? 7 : 8;

    public static void FourByTwo(int K, byte* w, nint column, int ahead, float* x, nint ldx, float* sums, nint lds, float* y, nint ldy, bool add)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, w0, w1, v;
        if (add && !F.Blocked)
        {
            a0 = V.Load(y);
            b0 = V.Load(y + V.Count);
            a1 = V.Load(y + ldy);
            b1 = V.Load(y + ldy + V.Count);
            a2 = V.Load(y + 2 * ldy);
            b2 = V.Load(y + 2 * ldy + V.Count);
            a3 = V.Load(y + 3 * ldy);
            b3 = V.Load(y + 3 * ldy + V.Count);
        }
        float* x0 = x, x3 = x + 3 * ldx;
        nint second = column + V.Count, twice = 2 * ldx;
        for (; K > 0; K -= DecodeFormats.BlockK)
        {
            byte* header = w;
            w += F.HeaderBytes;
            V mask = V.LowNibble;
            int quads = Math.Min(K / 4, Quads), rest = F.Nibbled ? 4 : K < DecodeFormats.BlockK ? K % 4 : 0;
            for (int quad = 0; quad < quads; quad++, w += F.QuadBytes)
            {
                if (ahead != 0)
                    Prefetch(w, quad, ahead);
                byte* pair = w;
                for (int i = 0; i < 2; i++, pair += F.PairBytes, x0 += 2, x3 += 2)
                {
                    w0 = F.Value(pair, 0, column, mask);
                    w1 = F.Value(pair, 0, second, mask);
                    v = V.Broadcast(*x0);
                    a0 = V.Fma(v, w0, a0);
                    b0 = V.Fma(v, w1, b0);
                    v = V.Broadcast(x0[ldx]);
                    a1 = V.Fma(v, w0, a1);
                    b1 = V.Fma(v, w1, b1);
                    v = V.Broadcast(x0[twice]);
                    a2 = V.Fma(v, w0, a2);
                    b2 = V.Fma(v, w1, b2);
                    v = V.Broadcast(*x3);
                    a3 = V.Fma(v, w0, a3);
                    b3 = V.Fma(v, w1, b3);
                    w0 = F.Value(pair, 1, column, mask);
                    w1 = F.Value(pair, 1, second, mask);
                    v = V.Broadcast(x0[1]);
                    a0 = V.Fma(v, w0, a0);
                    b0 = V.Fma(v, w1, b0);
                    v = V.Broadcast(x0[ldx + 1]);
                    a1 = V.Fma(v, w0, a1);
                    b1 = V.Fma(v, w1, b1);
                    v = V.Broadcast(x0[twice + 1]);
                    a2 = V.Fma(v, w0, a2);
                    b2 = V.Fma(v, w1, b2);
                    v = V.Broadcast(x3[1]);
                    a3 = V.Fma(v, w0, a3);
                    b3 = V.Fma(v, w1, b3);
                }
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x0++, x3++)
            {
                w0 = F.Last<V>(w, i, column);
                w1 = F.Last<V>(w, i, second);
                v = V.Broadcast(*x0);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
                v = V.Broadcast(x0[twice]);
                a2 = V.Fma(v, w0, a2);
                b2 = V.Fma(v, w1, b2);
                v = V.Broadcast(*x3);
                a3 = V.Fma(v, w0, a3);
                b3 = V.Fma(v, w1, b3);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            V d0 = F.Scale<V>(header, column), d1 = F.Scale<V>(header, second), m0 = F.Shift<V>(header, column), m1 = F.Shift<V>(header, second);
            End(y, a0, b0, d0, d1, m0, m1, sums, add);
            End(y + ldy, a1, b1, d0, d1, m0, m1, sums + lds, add);
            End(y + 2 * ldy, a2, b2, d0, d1, m0, m1, sums + 2 * lds, add);
            End(y + 3 * ldy, a3, b3, d0, d1, m0, m1, sums + 3 * lds, add);
            a0 = b0 = a1 = b1 = a2 = b2 = a3 = b3 = default;
            sums++;
            add = true;
        }
        if (F.Blocked)
            return;
        V.Store(a0, y);
        V.Store(b0, y + V.Count);
        V.Store(a1, y + ldy);
        V.Store(b1, y + ldy + V.Count);
        V.Store(a2, y + 2 * ldy);
        V.Store(b2, y + 2 * ldy + V.Count);
        V.Store(a3, y + 3 * ldy);
        V.Store(b3, y + 3 * ldy + V.Count);
    }

    public static void TwoByTwo(int K, byte* w, nint column, int ahead, float* x, nint ldx, float* sums, nint lds, float* y, nint ldy, bool add)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, w0, w1, v;
        if (add && !F.Blocked)
        {
            a0 = V.Load(y);
            b0 = V.Load(y + V.Count);
            a1 = V.Load(y + ldy);
            b1 = V.Load(y + ldy + V.Count);
        }
        float* x0 = x;
        nint second = column + V.Count;
        for (; K > 0; K -= DecodeFormats.BlockK)
        {
            byte* header = w;
            w += F.HeaderBytes;
            V mask = V.LowNibble;
            int quads = Math.Min(K / 4, Quads), rest = F.Nibbled ? 4 : K < DecodeFormats.BlockK ? K % 4 : 0;
            for (int quad = 0; quad < quads; quad++, w += F.QuadBytes)
            {
                if (ahead != 0)
                    Prefetch(w, quad, ahead);
                w0 = F.Value(w, 0, column, mask);
                w1 = F.Value(w, 0, second, mask);
                v = V.Broadcast(*x0);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
                w0 = F.Value(w, 1, column, mask);
                w1 = F.Value(w, 1, second, mask);
                v = V.Broadcast(x0[1]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx + 1]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
                w0 = F.Value(w, 2, column, mask);
                w1 = F.Value(w, 2, second, mask);
                v = V.Broadcast(x0[2]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx + 2]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
                w0 = F.Value(w, 3, column, mask);
                w1 = F.Value(w, 3, second, mask);
                v = V.Broadcast(x0[3]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx + 3]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
                x0 += 4;
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x0++)
            {
                w0 = F.Last<V>(w, i, column);
                w1 = F.Last<V>(w, i, second);
                v = V.Broadcast(*x0);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                v = V.Broadcast(x0[ldx]);
                a1 = V.Fma(v, w0, a1);
                b1 = V.Fma(v, w1, b1);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            V d0 = F.Scale<V>(header, column), d1 = F.Scale<V>(header, second), m0 = F.Shift<V>(header, column), m1 = F.Shift<V>(header, second);
            End(y, a0, b0, d0, d1, m0, m1, sums, add);
            End(y + ldy, a1, b1, d0, d1, m0, m1, sums + lds, add);
            a0 = b0 = a1 = b1 = default;
            sums++;
            add = true;
        }
        if (F.Blocked)
            return;
        V.Store(a0, y);
        V.Store(b0, y + V.Count);
        V.Store(a1, y + ldy);
        V.Store(b1, y + ldy + V.Count);
    }

    public static void OneByTwo(int K, byte* w, nint column, int ahead, float* x, float* sums, float* y, bool add)
    {
        V a0 = default, b0 = default, w0, w1, v;
        if (add && !F.Blocked)
        {
            a0 = V.Load(y);
            b0 = V.Load(y + V.Count);
        }
        nint second = column + V.Count;
        for (; K > 0; K -= DecodeFormats.BlockK)
        {
            byte* header = w;
            w += F.HeaderBytes;
            V mask = V.LowNibble;
            int quads = Math.Min(K / 4, Quads), rest = F.Nibbled ? 4 : K < DecodeFormats.BlockK ? K % 4 : 0;
            for (int quad = 0; quad < quads; quad++, w += F.QuadBytes)
            {
                if (ahead != 0)
                    Prefetch(w, quad, ahead);
                w0 = F.Value(w, 0, column, mask);
                w1 = F.Value(w, 0, second, mask);
                v = V.Broadcast(*x);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                w0 = F.Value(w, 1, column, mask);
                w1 = F.Value(w, 1, second, mask);
                v = V.Broadcast(x[1]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                w0 = F.Value(w, 2, column, mask);
                w1 = F.Value(w, 2, second, mask);
                v = V.Broadcast(x[2]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                w0 = F.Value(w, 3, column, mask);
                w1 = F.Value(w, 3, second, mask);
                v = V.Broadcast(x[3]);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
                x += 4;
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x++)
            {
                w0 = F.Last<V>(w, i, column);
                w1 = F.Last<V>(w, i, second);
                v = V.Broadcast(*x);
                a0 = V.Fma(v, w0, a0);
                b0 = V.Fma(v, w1, b0);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            V d0 = F.Scale<V>(header, column), d1 = F.Scale<V>(header, second), m0 = F.Shift<V>(header, column), m1 = F.Shift<V>(header, second);
            End(y, a0, b0, d0, d1, m0, m1, sums, add);
            a0 = b0 = default;
            sums++;
            add = true;
        }
        if (F.Blocked)
            return;
        V.Store(a0, y);
        V.Store(b0, y + V.Count);
    }

    /// <summary>One row of x against four registers of columns: chains enough to hide the latency of the multiply-add.</summary>
    /// <param name="u">Where the third and fourth register come from: the same panel or the next one.</param>
    public static void OneByFour(int K, byte* w, nint column, byte* u, nint other, int ahead, float* x, float* sums, float* y, bool add)
    {
        V a0 = default, a1 = default, a2 = default, a3 = default, v;
        if (add && !F.Blocked)
        {
            a0 = V.Load(y);
            a1 = V.Load(y + V.Count);
            a2 = V.Load(y + 2 * V.Count);
            a3 = V.Load(y + 3 * V.Count);
        }
        nint c1 = column + V.Count, c3 = other + V.Count;
        for (; K > 0; K -= DecodeFormats.BlockK)
        {
            byte* header = w, next = u;
            w += F.HeaderBytes;
            u += F.HeaderBytes;
            V mask = V.LowNibble;
            int quads = Math.Min(K / 4, Quads), rest = F.Nibbled ? 4 : K < DecodeFormats.BlockK ? K % 4 : 0;
            for (int quad = 0; quad < quads; quad++, w += F.QuadBytes, u += F.QuadBytes, x += 4)
            {
                Prefetch(w, quad, ahead);
                if (w != u)
                    Prefetch(u, quad, ahead);
                v = V.Broadcast(*x);
                a0 = V.Fma(v, F.Value(w, 0, column, mask), a0);
                a1 = V.Fma(v, F.Value(w, 0, c1, mask), a1);
                a2 = V.Fma(v, F.Value(u, 0, other, mask), a2);
                a3 = V.Fma(v, F.Value(u, 0, c3, mask), a3);
                v = V.Broadcast(x[1]);
                a0 = V.Fma(v, F.Value(w, 1, column, mask), a0);
                a1 = V.Fma(v, F.Value(w, 1, c1, mask), a1);
                a2 = V.Fma(v, F.Value(u, 1, other, mask), a2);
                a3 = V.Fma(v, F.Value(u, 1, c3, mask), a3);
                v = V.Broadcast(x[2]);
                a0 = V.Fma(v, F.Value(w, 2, column, mask), a0);
                a1 = V.Fma(v, F.Value(w, 2, c1, mask), a1);
                a2 = V.Fma(v, F.Value(u, 2, other, mask), a2);
                a3 = V.Fma(v, F.Value(u, 2, c3, mask), a3);
                v = V.Broadcast(x[3]);
                a0 = V.Fma(v, F.Value(w, 3, column, mask), a0);
                a1 = V.Fma(v, F.Value(w, 3, c1, mask), a1);
                a2 = V.Fma(v, F.Value(u, 3, other, mask), a2);
                a3 = V.Fma(v, F.Value(u, 3, c3, mask), a3);
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x++)
            {
                v = V.Broadcast(*x);
                a0 = V.Fma(v, F.Last<V>(w, i, column), a0);
                a1 = V.Fma(v, F.Last<V>(w, i, c1), a1);
                a2 = V.Fma(v, F.Last<V>(u, i, other), a2);
                a3 = V.Fma(v, F.Last<V>(u, i, c3), a3);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            u += F.WordBytes;
            End(y, a0, a1, header, column, sums, add);
            End(y + 2 * V.Count, a2, a3, next, other, sums, add);
            a0 = a1 = a2 = a3 = default;
            sums++;
            add = true;
        }
        if (F.Blocked)
            return;
        V.Store(a0, y);
        V.Store(a1, y + V.Count);
        V.Store(a2, y + 2 * V.Count);
        V.Store(a3, y + 3 * V.Count);
    }

    /// <summary>One row of x against four registers of columns of each of two panels: chains enough where two multiply-adds start at once.</summary>
    public static void OneByEight(int K, byte* w, byte* u, int ahead, float* x, float* sums, float* y, bool add)
    {
        V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default, v;
        float* z = y + DecodeFormats.PanelRows;
        if (add && !F.Blocked)
        {
            a0 = V.Load(y);
            a1 = V.Load(y + V.Count);
            a2 = V.Load(y + 2 * V.Count);
            a3 = V.Load(y + 3 * V.Count);
            b0 = V.Load(z);
            b1 = V.Load(z + V.Count);
            b2 = V.Load(z + 2 * V.Count);
            b3 = V.Load(z + 3 * V.Count);
        }
        for (; K > 0; K -= DecodeFormats.BlockK)
        {
            byte* header = w, next = u;
            w += F.HeaderBytes;
            u += F.HeaderBytes;
            V mask = V.LowNibble;
            int quads = Math.Min(K / 4, Quads), rest = F.Nibbled ? 4 : K < DecodeFormats.BlockK ? K % 4 : 0;
            for (int quad = 0; quad < quads; quad++, w += F.QuadBytes, u += F.QuadBytes, x += 4)
            {
                Prefetch(w, quad, ahead);
                Prefetch(u, quad, ahead);
                v = V.Broadcast(*x);
                a0 = V.Fma(v, F.Value(w, 0, 0, mask), a0);
                a1 = V.Fma(v, F.Value(w, 0, V.Count, mask), a1);
                a2 = V.Fma(v, F.Value(w, 0, 2 * V.Count, mask), a2);
                a3 = V.Fma(v, F.Value(w, 0, 3 * V.Count, mask), a3);
                b0 = V.Fma(v, F.Value(u, 0, 0, mask), b0);
                b1 = V.Fma(v, F.Value(u, 0, V.Count, mask), b1);
                b2 = V.Fma(v, F.Value(u, 0, 2 * V.Count, mask), b2);
                b3 = V.Fma(v, F.Value(u, 0, 3 * V.Count, mask), b3);
                v = V.Broadcast(x[1]);
                a0 = V.Fma(v, F.Value(w, 1, 0, mask), a0);
                a1 = V.Fma(v, F.Value(w, 1, V.Count, mask), a1);
                a2 = V.Fma(v, F.Value(w, 1, 2 * V.Count, mask), a2);
                a3 = V.Fma(v, F.Value(w, 1, 3 * V.Count, mask), a3);
                b0 = V.Fma(v, F.Value(u, 1, 0, mask), b0);
                b1 = V.Fma(v, F.Value(u, 1, V.Count, mask), b1);
                b2 = V.Fma(v, F.Value(u, 1, 2 * V.Count, mask), b2);
                b3 = V.Fma(v, F.Value(u, 1, 3 * V.Count, mask), b3);
                v = V.Broadcast(x[2]);
                a0 = V.Fma(v, F.Value(w, 2, 0, mask), a0);
                a1 = V.Fma(v, F.Value(w, 2, V.Count, mask), a1);
                a2 = V.Fma(v, F.Value(w, 2, 2 * V.Count, mask), a2);
                a3 = V.Fma(v, F.Value(w, 2, 3 * V.Count, mask), a3);
                b0 = V.Fma(v, F.Value(u, 2, 0, mask), b0);
                b1 = V.Fma(v, F.Value(u, 2, V.Count, mask), b1);
                b2 = V.Fma(v, F.Value(u, 2, 2 * V.Count, mask), b2);
                b3 = V.Fma(v, F.Value(u, 2, 3 * V.Count, mask), b3);
                v = V.Broadcast(x[3]);
                a0 = V.Fma(v, F.Value(w, 3, 0, mask), a0);
                a1 = V.Fma(v, F.Value(w, 3, V.Count, mask), a1);
                a2 = V.Fma(v, F.Value(w, 3, 2 * V.Count, mask), a2);
                a3 = V.Fma(v, F.Value(w, 3, 3 * V.Count, mask), a3);
                b0 = V.Fma(v, F.Value(u, 3, 0, mask), b0);
                b1 = V.Fma(v, F.Value(u, 3, V.Count, mask), b1);
                b2 = V.Fma(v, F.Value(u, 3, 2 * V.Count, mask), b2);
                b3 = V.Fma(v, F.Value(u, 3, 3 * V.Count, mask), b3);
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x++)
            {
                v = V.Broadcast(*x);
                a0 = V.Fma(v, F.Last<V>(w, i, 0), a0);
                a1 = V.Fma(v, F.Last<V>(w, i, V.Count), a1);
                a2 = V.Fma(v, F.Last<V>(w, i, 2 * V.Count), a2);
                a3 = V.Fma(v, F.Last<V>(w, i, 3 * V.Count), a3);
                b0 = V.Fma(v, F.Last<V>(u, i, 0), b0);
                b1 = V.Fma(v, F.Last<V>(u, i, V.Count), b1);
                b2 = V.Fma(v, F.Last<V>(u, i, 2 * V.Count), b2);
                b3 = V.Fma(v, F.Last<V>(u, i, 3 * V.Count), b3);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            u += F.WordBytes;
            End(y, a0, a1, header, 0, sums, add);
            End(y + 2 * V.Count, a2, a3, header, 2 * V.Count, sums, add);
            End(z, b0, b1, next, 0, sums, add);
            End(z + 2 * V.Count, b2, b3, next, 2 * V.Count, sums, add);
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = default;
            sums++;
            add = true;
        }
        if (F.Blocked)
            return;
        V.Store(a0, y);
        V.Store(a1, y + V.Count);
        V.Store(a2, y + 2 * V.Count);
        V.Store(a3, y + 3 * V.Count);
        V.Store(b0, z);
        V.Store(b1, z + V.Count);
        V.Store(b2, z + 2 * V.Count);
        V.Store(b3, z + 3 * V.Count);
    }

    // one block's sums, scaled, join those of the blocks before
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End(float* y, V a, V b, V d0, V d1, V m0, V m1, float* sum, bool add)
    {
        V.Store(F.End(a, d0, m0, sum, add ? V.Load(y) : default), y);
        V.Store(F.End(b, d1, m1, sum, add ? V.Load(y + V.Count) : default), y + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End(float* y, V a, V b, byte* header, nint column, float* sum, bool add) =>
        End(y, a, b, F.Scale<V>(header, column), F.Scale<V>(header, column + V.Count), F.Shift<V>(header, column), F.Shift<V>(header, column + V.Count), sum, add);

    // the hardware's own prefetching stops at every page
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* w, int quad, int ahead)
    {
        if (!Sse.IsSupported)
            return;
        // seven times 96 bytes cover a block of nibbles
        w += F.Nibbled ? ahead + quad * 96 : ahead;
        Sse.Prefetch1(w);
        Sse.Prefetch1(w + 64);
        if (F.QuadBytes <= 128)
            return;
        Sse.Prefetch1(w + 128);
        Sse.Prefetch1(w + 192);
        if (F.QuadBytes <= 256)
            return;
        Sse.Prefetch1(w + 256);
        Sse.Prefetch1(w + 320);
        Sse.Prefetch1(w + 384);
        Sse.Prefetch1(w + 448);
    }
}
