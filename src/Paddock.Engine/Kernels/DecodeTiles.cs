using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Register tiles of <see cref="DecodeMatMul"/>: some rows of x times the 32 columns of a panel, accumulators in registers, K rising.
/// Written out row by row because accumulators live in registers only as named locals.
/// </summary>
internal static unsafe class DecodeTiles<L, F> where L : struct, IDecodeLanes<L> where F : struct, IDecodeFormat
{
    private const int GroupK = DecodeFormats.GroupK;
    private const int Groups = DecodeFormats.BlockK / DecodeFormats.GroupK;

    public static void EightByTwo(int K, byte* w, float* x, nint ldx, float* y, nint ldy, bool add)
    {
        L a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default;
        if (add)
        {
            a0 = L.Load(y);
            b0 = L.Load(y + 16);
            a1 = L.Load(y + ldy);
            b1 = L.Load(y + ldy + 16);
            a2 = L.Load(y + 2 * ldy);
            b2 = L.Load(y + 2 * ldy + 16);
            a3 = L.Load(y + 3 * ldy);
            b3 = L.Load(y + 3 * ldy + 16);
            a4 = L.Load(y + 4 * ldy);
            b4 = L.Load(y + 4 * ldy + 16);
            a5 = L.Load(y + 5 * ldy);
            b5 = L.Load(y + 5 * ldy + 16);
            a6 = L.Load(y + 6 * ldy);
            b6 = L.Load(y + 6 * ldy + 16);
            a7 = L.Load(y + 7 * ldy);
            b7 = L.Load(y + 7 * ldy + 16);
        }
        float* x0 = x, x3 = x + 3 * ldx, x6 = x + 6 * ldx;
        nint twice = 2 * ldx;
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1);
            w += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1);
                Prefetch(w);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, x0++, x3++, x6++)
                {
                    L w0 = F.Value(w, k, 0, q0, s0, m0), w1 = F.Value(w, k, 1, q1, s1, m1);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                    L v = L.Broadcast(*x0);
                    a0 = L.Fma(v, w0, a0);
                    b0 = L.Fma(v, w1, b0);
                    v = L.Broadcast(x0[ldx]);
                    a1 = L.Fma(v, w0, a1);
                    b1 = L.Fma(v, w1, b1);
                    v = L.Broadcast(x0[twice]);
                    a2 = L.Fma(v, w0, a2);
                    b2 = L.Fma(v, w1, b2);
                    v = L.Broadcast(*x3);
                    a3 = L.Fma(v, w0, a3);
                    b3 = L.Fma(v, w1, b3);
                    v = L.Broadcast(x3[ldx]);
                    a4 = L.Fma(v, w0, a4);
                    b4 = L.Fma(v, w1, b4);
                    v = L.Broadcast(x3[twice]);
                    a5 = L.Fma(v, w0, a5);
                    b5 = L.Fma(v, w1, b5);
                    v = L.Broadcast(*x6);
                    a6 = L.Fma(v, w0, a6);
                    b6 = L.Fma(v, w1, b6);
                    v = L.Broadcast(x6[ldx]);
                    a7 = L.Fma(v, w0, a7);
                    b7 = L.Fma(v, w1, b7);
                }
            }
        }
        L.Store(a0, y);
        L.Store(b0, y + 16);
        L.Store(a1, y + ldy);
        L.Store(b1, y + ldy + 16);
        L.Store(a2, y + 2 * ldy);
        L.Store(b2, y + 2 * ldy + 16);
        L.Store(a3, y + 3 * ldy);
        L.Store(b3, y + 3 * ldy + 16);
        L.Store(a4, y + 4 * ldy);
        L.Store(b4, y + 4 * ldy + 16);
        L.Store(a5, y + 5 * ldy);
        L.Store(b5, y + 5 * ldy + 16);
        L.Store(a6, y + 6 * ldy);
        L.Store(b6, y + 6 * ldy + 16);
        L.Store(a7, y + 7 * ldy);
        L.Store(b7, y + 7 * ldy + 16);
    }

    public static void FourByTwo(int K, byte* w, float* x, nint ldx, float* y, nint ldy, bool add)
    {
        L a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        if (add)
        {
            a0 = L.Load(y);
            b0 = L.Load(y + 16);
            a1 = L.Load(y + ldy);
            b1 = L.Load(y + ldy + 16);
            a2 = L.Load(y + 2 * ldy);
            b2 = L.Load(y + 2 * ldy + 16);
            a3 = L.Load(y + 3 * ldy);
            b3 = L.Load(y + 3 * ldy + 16);
        }
        float* x0 = x, x3 = x + 3 * ldx;
        nint twice = 2 * ldx;
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1);
            w += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1);
                Prefetch(w);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, x0++, x3++)
                {
                    L w0 = F.Value(w, k, 0, q0, s0, m0), w1 = F.Value(w, k, 1, q1, s1, m1);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                    L v = L.Broadcast(*x0);
                    a0 = L.Fma(v, w0, a0);
                    b0 = L.Fma(v, w1, b0);
                    v = L.Broadcast(x0[ldx]);
                    a1 = L.Fma(v, w0, a1);
                    b1 = L.Fma(v, w1, b1);
                    v = L.Broadcast(x0[twice]);
                    a2 = L.Fma(v, w0, a2);
                    b2 = L.Fma(v, w1, b2);
                    v = L.Broadcast(*x3);
                    a3 = L.Fma(v, w0, a3);
                    b3 = L.Fma(v, w1, b3);
                }
            }
        }
        L.Store(a0, y);
        L.Store(b0, y + 16);
        L.Store(a1, y + ldy);
        L.Store(b1, y + ldy + 16);
        L.Store(a2, y + 2 * ldy);
        L.Store(b2, y + 2 * ldy + 16);
        L.Store(a3, y + 3 * ldy);
        L.Store(b3, y + 3 * ldy + 16);
    }

    public static void TwoByTwo(int K, byte* w, float* x, nint ldx, float* y, nint ldy, bool add)
    {
        L a0 = default, b0 = default, a1 = default, b1 = default;
        if (add)
        {
            a0 = L.Load(y);
            b0 = L.Load(y + 16);
            a1 = L.Load(y + ldy);
            b1 = L.Load(y + ldy + 16);
        }
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1);
            w += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, x++)
                {
                    L w0 = F.Value(w, k, 0, q0, s0, m0), w1 = F.Value(w, k, 1, q1, s1, m1);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                    L v = L.Broadcast(*x);
                    a0 = L.Fma(v, w0, a0);
                    b0 = L.Fma(v, w1, b0);
                    v = L.Broadcast(x[ldx]);
                    a1 = L.Fma(v, w0, a1);
                    b1 = L.Fma(v, w1, b1);
                }
            }
        }
        L.Store(a0, y);
        L.Store(b0, y + 16);
        L.Store(a1, y + ldy);
        L.Store(b1, y + ldy + 16);
    }

    public static void OneByTwo(int K, byte* w, float* x, float* y, bool add)
    {
        L a0 = default, b0 = default;
        if (add)
        {
            a0 = L.Load(y);
            b0 = L.Load(y + 16);
        }
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1);
            w += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, x++)
                {
                    L w0 = F.Value(w, k, 0, q0, s0, m0), w1 = F.Value(w, k, 1, q1, s1, m1);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                    L v = L.Broadcast(*x);
                    a0 = L.Fma(v, w0, a0);
                    b0 = L.Fma(v, w1, b0);
                }
            }
        }
        L.Store(a0, y);
        L.Store(b0, y + 16);
    }

    /// <summary>One row of x against two panels at once: four chains hide the latency of the multiply-add.</summary>
    public static void OneByFour(int K, byte* w, byte* u, float* x, float* y, bool add)
    {
        L a0 = default, a1 = default, a2 = default, a3 = default;
        if (add)
        {
            a0 = L.Load(y);
            a1 = L.Load(y + 16);
            a2 = L.Load(y + 32);
            a3 = L.Load(y + 48);
        }
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), s2 = F.Scale<L>(u, 0), s3 = F.Scale<L>(u, 1);
            L m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1), m2 = F.Shift<L>(u, 0), m3 = F.Shift<L>(u, 1);
            w += F.HeaderBytes;
            u += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes, u += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1), q2 = F.Begin<L>(u, 0), q3 = F.Begin<L>(u, 1);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, x++)
                {
                    L v = L.Broadcast(*x);
                    a0 = L.Fma(v, F.Value(w, k, 0, q0, s0, m0), a0);
                    a1 = L.Fma(v, F.Value(w, k, 1, q1, s1, m1), a1);
                    a2 = L.Fma(v, F.Value(u, k, 0, q2, s2, m2), a2);
                    a3 = L.Fma(v, F.Value(u, k, 1, q3, s3, m3), a3);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                    q2 = F.Advance(q2);
                    q3 = F.Advance(q3);
                }
            }
        }
        L.Store(a0, y);
        L.Store(a1, y + 16);
        L.Store(a2, y + 32);
        L.Store(a3, y + 48);
    }

    /// <summary>Writes the values of K positions of a panel as float32, in the Float32 format's order.</summary>
    public static void Widen(int K, byte* w, float* destination)
    {
        while (K > 0)
        {
            L s0 = F.Scale<L>(w, 0), s1 = F.Scale<L>(w, 1), m0 = F.Shift<L>(w, 0), m1 = F.Shift<L>(w, 1);
            w += F.HeaderBytes;
            for (int group = 0; group < Groups && K > 0; group++, K -= GroupK, w += F.GroupBytes)
            {
                L q0 = F.Begin<L>(w, 0), q1 = F.Begin<L>(w, 1);
                int count = Math.Min(GroupK, K);
                for (int k = 0; k < count; k++, destination += 32)
                {
                    L.Store(F.Value(w, k, 0, q0, s0, m0), destination);
                    L.Store(F.Value(w, k, 1, q1, s1, m1), destination + 16);
                    q0 = F.Advance(q0);
                    q1 = F.Advance(q1);
                }
            }
        }
    }

    // The next chunk comes in while this one is used by all rows: the hardware's own prefetching stops where a chunk ends.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* group)
    {
        if (!Sse.IsSupported)
            return;
        byte* next = group + DecodeMatMul.ChunkK / GroupK * F.GroupBytes;
        for (int line = 0; line < F.GroupBytes; line += 64)
            Sse.Prefetch1(next + line);
    }
}
