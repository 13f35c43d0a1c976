using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// The innermost matrix product: a tile of Rows x Columns elements of C held in registers, the sum over kc steps of one column of a packed
/// panel of A ([kc][Rows]) times one row of a packed panel of B ([kc][Columns]). Each element is one chain of multiply-adds in the order of k
/// for every DepthBlock of it, in every tier and tile position. The tile is chosen so that accumulators, one row of B and one broadcast fill the register file.
/// </summary>
internal readonly unsafe struct MicroKernel
{
    /// <summary>Terms that are summed in registers before they are added to C, while its tile stays in the nearest cache.</summary>
    public const int DepthBlock = 256;

    public int Rows { get; private init; }

    public int Columns { get; private init; }

    /// <summary>(kc, a, b, c, ldc, add): writes the tile, or adds it to c.</summary>
    public delegate*<int, float*, float*, float*, nint, bool, void> Multiply { get; private init; }

    /// <summary>That of this process's instruction-set tier.</summary>
    public static MicroKernel Current => Tier.Current switch
    {
        TierKind.Vector512 => new() { Rows = 12, Columns = 32, Multiply = &Multiply512 },
        TierKind.Vector256 => new() { Rows = 6, Columns = 16, Multiply = &Multiply256 },
        TierKind.Vector128 => new() { Rows = 4, Columns = 8, Multiply = &Multiply4x2<Lanes128> },
        _ => new() { Rows = 4, Columns = 2, Multiply = &MultiplyScalar },
    };

    private static void Multiply512(int kc, float* a, float* b, float* c, nint ldc, bool add)
    {
        Prefetch(c, ldc, 12, 32);
        for (; kc > 0; kc -= DepthBlock, add = true)
        {
            Vector512<float> x0 = Vector512<float>.Zero, y0 = Vector512<float>.Zero;
            Vector512<float> x1 = Vector512<float>.Zero, y1 = Vector512<float>.Zero;
            Vector512<float> x2 = Vector512<float>.Zero, y2 = Vector512<float>.Zero;
            Vector512<float> x3 = Vector512<float>.Zero, y3 = Vector512<float>.Zero;
            Vector512<float> x4 = Vector512<float>.Zero, y4 = Vector512<float>.Zero;
            Vector512<float> x5 = Vector512<float>.Zero, y5 = Vector512<float>.Zero;
            Vector512<float> x6 = Vector512<float>.Zero, y6 = Vector512<float>.Zero;
            Vector512<float> x7 = Vector512<float>.Zero, y7 = Vector512<float>.Zero;
            Vector512<float> x8 = Vector512<float>.Zero, y8 = Vector512<float>.Zero;
            Vector512<float> x9 = Vector512<float>.Zero, y9 = Vector512<float>.Zero;
            Vector512<float> x10 = Vector512<float>.Zero, y10 = Vector512<float>.Zero;
            Vector512<float> x11 = Vector512<float>.Zero, y11 = Vector512<float>.Zero;
            for (int k = Math.Min(kc, DepthBlock); k > 0; k--, a += 12, b += 32)
            {
                Vector512<float> p = Vector512.Load(b), q = Vector512.Load(b + 16), s = Vector512.Create(a[0]);
                x0 = Vector512.FusedMultiplyAdd(s, p, x0);
                y0 = Vector512.FusedMultiplyAdd(s, q, y0);
                s = Vector512.Create(a[1]);
                x1 = Vector512.FusedMultiplyAdd(s, p, x1);
                y1 = Vector512.FusedMultiplyAdd(s, q, y1);
                s = Vector512.Create(a[2]);
                x2 = Vector512.FusedMultiplyAdd(s, p, x2);
                y2 = Vector512.FusedMultiplyAdd(s, q, y2);
                s = Vector512.Create(a[3]);
                x3 = Vector512.FusedMultiplyAdd(s, p, x3);
                y3 = Vector512.FusedMultiplyAdd(s, q, y3);
                s = Vector512.Create(a[4]);
                x4 = Vector512.FusedMultiplyAdd(s, p, x4);
                y4 = Vector512.FusedMultiplyAdd(s, q, y4);
                s = Vector512.Create(a[5]);
                x5 = Vector512.FusedMultiplyAdd(s, p, x5);
                y5 = Vector512.FusedMultiplyAdd(s, q, y5);
                s = Vector512.Create(a[6]);
                x6 = Vector512.FusedMultiplyAdd(s, p, x6);
                y6 = Vector512.FusedMultiplyAdd(s, q, y6);
                s = Vector512.Create(a[7]);
                x7 = Vector512.FusedMultiplyAdd(s, p, x7);
                y7 = Vector512.FusedMultiplyAdd(s, q, y7);
                s = Vector512.Create(a[8]);
                x8 = Vector512.FusedMultiplyAdd(s, p, x8);
                y8 = Vector512.FusedMultiplyAdd(s, q, y8);
                s = Vector512.Create(a[9]);
                x9 = Vector512.FusedMultiplyAdd(s, p, x9);
                y9 = Vector512.FusedMultiplyAdd(s, q, y9);
                s = Vector512.Create(a[10]);
                x10 = Vector512.FusedMultiplyAdd(s, p, x10);
                y10 = Vector512.FusedMultiplyAdd(s, q, y10);
                s = Vector512.Create(a[11]);
                x11 = Vector512.FusedMultiplyAdd(s, p, x11);
                y11 = Vector512.FusedMultiplyAdd(s, q, y11);
            }
            Put(c, x0, y0, add);
            Put(c + ldc, x1, y1, add);
            Put(c + 2 * ldc, x2, y2, add);
            Put(c + 3 * ldc, x3, y3, add);
            Put(c + 4 * ldc, x4, y4, add);
            Put(c + 5 * ldc, x5, y5, add);
            Put(c + 6 * ldc, x6, y6, add);
            Put(c + 7 * ldc, x7, y7, add);
            Put(c + 8 * ldc, x8, y8, add);
            Put(c + 9 * ldc, x9, y9, add);
            Put(c + 10 * ldc, x10, y10, add);
            Put(c + 11 * ldc, x11, y11, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector512<float> x, Vector512<float> y, bool add)
    {
        if (add)
        {
            x = Vector512.Load(c) + x;
            y = Vector512.Load(c + 16) + y;
        }
        x.Store(c);
        y.Store(c + 16);
    }

    private static void Multiply256(int kc, float* a, float* b, float* c, nint ldc, bool add)
    {
        Prefetch(c, ldc, 6, 16);
        for (; kc > 0; kc -= DepthBlock, add = true)
        {
            Vector256<float> x0 = Vector256<float>.Zero, y0 = Vector256<float>.Zero;
            Vector256<float> x1 = Vector256<float>.Zero, y1 = Vector256<float>.Zero;
            Vector256<float> x2 = Vector256<float>.Zero, y2 = Vector256<float>.Zero;
            Vector256<float> x3 = Vector256<float>.Zero, y3 = Vector256<float>.Zero;
            Vector256<float> x4 = Vector256<float>.Zero, y4 = Vector256<float>.Zero;
            Vector256<float> x5 = Vector256<float>.Zero, y5 = Vector256<float>.Zero;
            for (int k = Math.Min(kc, DepthBlock); k > 0; k--, a += 6, b += 16)
            {
                Vector256<float> p = Vector256.Load(b), q = Vector256.Load(b + 8), s = Vector256.Create(a[0]);
                x0 = Vector256.FusedMultiplyAdd(s, p, x0);
                y0 = Vector256.FusedMultiplyAdd(s, q, y0);
                s = Vector256.Create(a[1]);
                x1 = Vector256.FusedMultiplyAdd(s, p, x1);
                y1 = Vector256.FusedMultiplyAdd(s, q, y1);
                s = Vector256.Create(a[2]);
                x2 = Vector256.FusedMultiplyAdd(s, p, x2);
                y2 = Vector256.FusedMultiplyAdd(s, q, y2);
                s = Vector256.Create(a[3]);
                x3 = Vector256.FusedMultiplyAdd(s, p, x3);
                y3 = Vector256.FusedMultiplyAdd(s, q, y3);
                s = Vector256.Create(a[4]);
                x4 = Vector256.FusedMultiplyAdd(s, p, x4);
                y4 = Vector256.FusedMultiplyAdd(s, q, y4);
                s = Vector256.Create(a[5]);
                x5 = Vector256.FusedMultiplyAdd(s, p, x5);
                y5 = Vector256.FusedMultiplyAdd(s, q, y5);
            }
            Put(c, x0, y0, add);
            Put(c + ldc, x1, y1, add);
            Put(c + 2 * ldc, x2, y2, add);
            Put(c + 3 * ldc, x3, y3, add);
            Put(c + 4 * ldc, x4, y4, add);
            Put(c + 5 * ldc, x5, y5, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector256<float> x, Vector256<float> y, bool add)
    {
        if (add)
        {
            x = Vector256.Load(c) + x;
            y = Vector256.Load(c + 8) + y;
        }
        x.Store(c);
        y.Store(c + 8);
    }

    // the tile of C is needed only at the end: its lines arrive while the sum runs
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* c, nint ldc, int rows, int columns)
    {
        if (!Sse.IsSupported)
            return;
        for (int i = 0; i < rows; i++, c += ldc)
        {
            Sse.Prefetch0(c);
            Sse.Prefetch0(c + columns - 1);
        }
    }

    private static void Multiply4x2<V>(int kc, float* a, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        V zero = V.Broadcast(0);
        for (; kc > 0; kc -= DepthBlock, add = true)
        {
            V x0 = zero, y0 = zero, x1 = zero, y1 = zero, x2 = zero, y2 = zero, x3 = zero, y3 = zero;
            for (int k = Math.Min(kc, DepthBlock); k > 0; k--, a += 4, b += 2 * V.Count)
            {
                V p = V.Load(b), q = V.Load(b + V.Count), s = V.Broadcast(a[0]);
                x0 = V.Fma(s, p, x0);
                y0 = V.Fma(s, q, y0);
                s = V.Broadcast(a[1]);
                x1 = V.Fma(s, p, x1);
                y1 = V.Fma(s, q, y1);
                s = V.Broadcast(a[2]);
                x2 = V.Fma(s, p, x2);
                y2 = V.Fma(s, q, y2);
                s = V.Broadcast(a[3]);
                x3 = V.Fma(s, p, x3);
                y3 = V.Fma(s, q, y3);
            }
            Put(c, x0, y0, add);
            Put(c + ldc, x1, y1, add);
            Put(c + 2 * ldc, x2, y2, add);
            Put(c + 3 * ldc, x3, y3, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<V>(float* c, V x, V y, bool add)
        where V : unmanaged, ILanes<V>
    {
        if (add)
        {
            x = V.Load(c) + x;
            y = V.Load(c + V.Count) + y;
        }
        V.Store(x, c);
        V.Store(y, c + V.Count);
    }

    // the chains are kept in double: a scalar unit adds them as fast, and rounding each step to float would take a conversion more
    private static void MultiplyScalar(int kc, float* a, float* b, float* c, nint ldc, bool add)
    {
        for (; kc > 0; kc -= DepthBlock, add = true)
        {
            double x0 = 0, y0 = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0;
            for (int k = Math.Min(kc, DepthBlock); k > 0; k--, a += 4, b += 2)
            {
                double p = b[0], q = b[1], s = a[0];
                x0 += s * p;
                y0 += s * q;
                s = a[1];
                x1 += s * p;
                y1 += s * q;
                s = a[2];
                x2 += s * p;
                y2 += s * q;
                s = a[3];
                x3 += s * p;
                y3 += s * q;
            }
            Put(c, x0, y0, add);
            Put(c + ldc, x1, y1, add);
            Put(c + 2 * ldc, x2, y2, add);
            Put(c + 3 * ldc, x3, y3, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, double x, double y, bool add)
    {
        // to float first, as a tile at an edge has it when it is added
        c[0] = add ? c[0] + (float)x : (float)x;
        c[1] = add ? c[1] + (float)y : (float)y;
    }
}
