namespace Paddock.Engine.Kernels;

/// <summary>The tall tiles, each for the tier whose register file it fills.</summary>
internal static unsafe partial class DecodeTiles<V, F>
{
    public static void EightByTwo(int K, byte* w, nint column, int ahead, float* x, nint ldx, float* sums, nint lds, float* y, nint ldy, bool add)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default, w0, w1, v;
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
            a4 = V.Load(y + 4 * ldy);
            b4 = V.Load(y + 4 * ldy + V.Count);
            a5 = V.Load(y + 5 * ldy);
            b5 = V.Load(y + 5 * ldy + V.Count);
            a6 = V.Load(y + 6 * ldy);
            b6 = V.Load(y + 6 * ldy + V.Count);
            a7 = V.Load(y + 7 * ldy);
            b7 = V.Load(y + 7 * ldy + V.Count);
        }
        float* x0 = x, x3 = x + 3 * ldx, x6 = x + 6 * ldx;
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
                for (int i = 0; i < 2; i++, pair += F.PairBytes, x0 += 2, x3 += 2, x6 += 2)
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
                    v = V.Broadcast(x3[ldx]);
                    a4 = V.Fma(v, w0, a4);
                    b4 = V.Fma(v, w1, b4);
                    v = V.Broadcast(x3[twice]);
                    a5 = V.Fma(v, w0, a5);
                    b5 = V.Fma(v, w1, b5);
                    v = V.Broadcast(*x6);
                    a6 = V.Fma(v, w0, a6);
                    b6 = V.Fma(v, w1, b6);
                    v = V.Broadcast(x6[ldx]);
                    a7 = V.Fma(v, w0, a7);
                    b7 = V.Fma(v, w1, b7);
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
                    v = V.Broadcast(x3[ldx + 1]);
                    a4 = V.Fma(v, w0, a4);
                    b4 = V.Fma(v, w1, b4);
                    v = V.Broadcast(x3[twice + 1]);
                    a5 = V.Fma(v, w0, a5);
                    b5 = V.Fma(v, w1, b5);
                    v = V.Broadcast(x6[1]);
                    a6 = V.Fma(v, w0, a6);
                    b6 = V.Fma(v, w1, b6);
                    v = V.Broadcast(x6[ldx + 1]);
                    a7 = V.Fma(v, w0, a7);
                    b7 = V.Fma(v, w1, b7);
                }
                mask = F.Nibbled ? V.NextNibble(mask) : mask;
            }
            for (int i = 0; i < rest; i++, x0++, x3++, x6++)
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
                v = V.Broadcast(x3[ldx]);
                a4 = V.Fma(v, w0, a4);
                b4 = V.Fma(v, w1, b4);
                v = V.Broadcast(x3[twice]);
                a5 = V.Fma(v, w0, a5);
                b5 = V.Fma(v, w1, b5);
                v = V.Broadcast(*x6);
                a6 = V.Fma(v, w0, a6);
                b6 = V.Fma(v, w1, b6);
                v = V.Broadcast(x6[ldx]);
                a7 = V.Fma(v, w0, a7);
                b7 = V.Fma(v, w1, b7);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            V d0 = F.Scale<V>(header, column), d1 = F.Scale<V>(header, second), m0 = F.Shift<V>(header, column), m1 = F.Shift<V>(header, second);
            End(y, a0, b0, d0, d1, m0, m1, sums, add);
            End(y + ldy, a1, b1, d0, d1, m0, m1, sums + lds, add);
            End(y + 2 * ldy, a2, b2, d0, d1, m0, m1, sums + 2 * lds, add);
            End(y + 3 * ldy, a3, b3, d0, d1, m0, m1, sums + 3 * lds, add);
            End(y + 4 * ldy, a4, b4, d0, d1, m0, m1, sums + 4 * lds, add);
            End(y + 5 * ldy, a5, b5, d0, d1, m0, m1, sums + 5 * lds, add);
            End(y + 6 * ldy, a6, b6, d0, d1, m0, m1, sums + 6 * lds, add);
            End(y + 7 * ldy, a7, b7, d0, d1, m0, m1, sums + 7 * lds, add);
            a0 = b0 = a1 = b1 = a2 = b2 = a3 = b3 = a4 = b4 = a5 = b5 = a6 = b6 = a7 = b7 = default;
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
        V.Store(a4, y + 4 * ldy);
        V.Store(b4, y + 4 * ldy + V.Count);
        V.Store(a5, y + 5 * ldy);
        V.Store(b5, y + 5 * ldy + V.Count);
        V.Store(a6, y + 6 * ldy);
        V.Store(b6, y + 6 * ldy + V.Count);
        V.Store(a7, y + 7 * ldy);
        V.Store(b7, y + 7 * ldy + V.Count);
    }

    public static void SixByTwo(int K, byte* w, nint column, int ahead, float* x, nint ldx, float* sums, nint lds, float* y, nint ldy, bool add)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default, w0, w1, v;
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
            a4 = V.Load(y + 4 * ldy);
            b4 = V.Load(y + 4 * ldy + V.Count);
            a5 = V.Load(y + 5 * ldy);
            b5 = V.Load(y + 5 * ldy + V.Count);
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
                    v = V.Broadcast(x3[ldx]);
                    a4 = V.Fma(v, w0, a4);
                    b4 = V.Fma(v, w1, b4);
                    v = V.Broadcast(x3[twice]);
                    a5 = V.Fma(v, w0, a5);
                    b5 = V.Fma(v, w1, b5);
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
                    v = V.Broadcast(x3[ldx + 1]);
                    a4 = V.Fma(v, w0, a4);
                    b4 = V.Fma(v, w1, b4);
                    v = V.Broadcast(x3[twice + 1]);
                    a5 = V.Fma(v, w0, a5);
                    b5 = V.Fma(v, w1, b5);
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
                v = V.Broadcast(x3[ldx]);
                a4 = V.Fma(v, w0, a4);
                b4 = V.Fma(v, w1, b4);
                v = V.Broadcast(x3[twice]);
                a5 = V.Fma(v, w0, a5);
                b5 = V.Fma(v, w1, b5);
            }
            if (!F.Blocked)
                continue;
            w += F.WordBytes;
            V d0 = F.Scale<V>(header, column), d1 = F.Scale<V>(header, second), m0 = F.Shift<V>(header, column), m1 = F.Shift<V>(header, second);
            End(y, a0, b0, d0, d1, m0, m1, sums, add);
            End(y + ldy, a1, b1, d0, d1, m0, m1, sums + lds, add);
            End(y + 2 * ldy, a2, b2, d0, d1, m0, m1, sums + 2 * lds, add);
            End(y + 3 * ldy, a3, b3, d0, d1, m0, m1, sums + 3 * lds, add);
            End(y + 4 * ldy, a4, b4, d0, d1, m0, m1, sums + 4 * lds, add);
            End(y + 5 * ldy, a5, b5, d0, d1, m0, m1, sums + 5 * lds, add);
            a0 = b0 = a1 = b1 = a2 = b2 = a3 = b3 = a4 = b4 = a5 = b5 = default;
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
        V.Store(a4, y + 4 * ldy);
        V.Store(b4, y + 4 * ldy + V.Count);
        V.Store(a5, y + 5 * ldy);
        V.Store(b5, y + 5 * ldy + V.Count);
    }
}
