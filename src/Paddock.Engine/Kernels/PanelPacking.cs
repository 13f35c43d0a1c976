using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Copies parts of a matrix into panels [K][width], in which the micro-kernel reads memory in order. Lanes past the matrix are zero, so
/// that edges run through the same micro-kernel.
/// </summary>
internal static unsafe class PanelPacking
{
    private const int PrefetchAhead = 48;
    private const int RowsAhead = 8;

    /// <summary>All lanes of a matrix, in panels that begin <paramref name="stride"/> floats apart.</summary>
    public static void Pack(float* source, nint ld, bool rowsAreLanes, int lanes, int width, int K, float* packed, nint stride)
    {
        if (rowsAreLanes)
        {
            for (int lane = 0; lane < lanes; lane += width, packed += stride)
                Transposed(source + lane * ld, ld, Math.Min(width, lanes - lane), width, K, packed);
            return;
        }
        for (int k = 0; k < K; k++, source += ld, packed += width)
        {
            // rows lie pages apart, where the hardware prefetches nothing
            if (Sse.IsSupported && k + RowsAhead < K)
                for (int lane = 0; lane < lanes; lane += 16)
                    Sse.Prefetch0(source + RowsAhead * ld + lane);
            Row(source, lanes, width, packed, stride);
        }
    }

    /// <summary>Lane i is row i of the source (K runs along its columns).</summary>
    public static void Transposed(float* source, nint ld, int lanes, int width, int K, float* panel)
    {
        int k = 0;
        if (lanes < width)
            new Span<float>(panel, checked(width * K)).Clear();
        if ((Sse.IsSupported || AdvSimd.Arm64.IsSupported) && lanes >= 4)
        {
            // a cache line of each row at a time: rows a power of two apart share a cache set
            for (; k + 16 <= K; k += 16)
            {
                // as many rows at once are more than the hardware's own prefetching follows
                if (Sse.IsSupported)
                    for (int lane = 0; lane < lanes; lane++)
                        Sse.Prefetch0(source + lane * ld + k + PrefetchAhead);
                for (int next = 0; next < lanes; next += 4)
                {
                    // the last four lanes may overlap the four before: the same values are written again
                    int lane = Math.Min(next, lanes - 4);
                    for (int part = k; part < k + 16; part += 4)
                        Transpose4x4(source + lane * ld + part, ld, panel + part * width + lane, width);
                }
            }
        }
        for (; k < K; k++)
            for (int lane = 0; lane < lanes; lane++)
                panel[k * width + lane] = source[lane * ld + k];
    }

    /// <summary>Lane i is column i of the source (K runs along its rows); lanes is at most width.</summary>
    public static void Straight(float* source, nint ld, int lanes, int width, int K, float* panel)
    {
        for (int k = 0; k < K; k++, source += ld, panel += width)
            Row(source, lanes, width, panel, 0);
    }

    /// <summary>One row of the source into one row of every panel; panels are <paramref name="stride"/> floats apart.</summary>
    public static void Row(float* source, int lanes, int width, float* to, nint stride)
    {
        int lane = 0;
        if (width % 8 == 0 && Vector256.IsHardwareAccelerated)
        {
            for (; lane + width <= lanes; lane += width, to += stride)
                for (int i = 0; i < width; i += 8)
                    Vector256.Load(source + lane + i).Store(to + i);
        }
        else if (width >= 4 && Vector128.IsHardwareAccelerated)
        {
            int last = width - 4;
            for (; lane + width <= lanes; lane += width, to += stride)
            {
                for (int i = 0; i < last; i += 4)
                    Vector128.Load(source + lane + i).Store(to + i);
                Vector128.Load(source + lane + last).Store(to + last);
            }
        }
        for (; lane < lanes; lane += width, to += stride)
            for (int i = 0; i < width; i++)
                to[i] = lane + i < lanes ? source[lane + i] : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose4x4(float* source, nint ld, float* to, nint width)
    {
        Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + ld), c = Vector128.Load(source + 2 * ld), d = Vector128.Load(source + 3 * ld);
        Vector128<float> ac0, ac1, bd0, bd1;
        if (Sse.IsSupported)
        {
            (ac0, ac1, bd0, bd1) = (Sse.UnpackLow(a, c), Sse.UnpackHigh(a, c), Sse.UnpackLow(b, d), Sse.UnpackHigh(b, d));
            Sse.UnpackLow(ac0, bd0).Store(to);
            Sse.UnpackHigh(ac0, bd0).Store(to + width);
            Sse.UnpackLow(ac1, bd1).Store(to + 2 * width);
            Sse.UnpackHigh(ac1, bd1).Store(to + 3 * width);
        }
        else
        {
            (ac0, ac1) = (AdvSimd.Arm64.ZipLow(a, c), AdvSimd.Arm64.ZipHigh(a, c));
            (bd0, bd1) = (AdvSimd.Arm64.ZipLow(b, d), AdvSimd.Arm64.ZipHigh(b, d));
            AdvSimd.Arm64.ZipLow(ac0, bd0).Store(to);
            AdvSimd.Arm64.ZipHigh(ac0, bd0).Store(to + width);
            AdvSimd.Arm64.ZipLow(ac1, bd1).Store(to + 2 * width);
            AdvSimd.Arm64.ZipHigh(ac1, bd1).Store(to + 3 * width);
        }
    }
}
