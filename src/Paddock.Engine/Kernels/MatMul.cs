using System.Runtime.InteropServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Row-major single-precision matrix products, in the manner of BLIS (Van Zee and van de Geijn 2015): panels of A and B are packed, then tiles
/// of C are computed from them by a register-tiled micro-kernel. The longer side of C is cut into slices, one a tile; a worker packs the slice
/// it takes and, once, the other operand, both in memory of its own: packed data that two cores share cost more to pass between their caches
/// than to pack twice. Leading dimensions are in floats and may exceed the width. The terms of one output element are added in an order that
/// depends on K alone, so a row of C does not depend on the other rows of the call, on its place, or on the number of threads.
/// </summary>
internal static unsafe class MatMul
{
    /// <summary>Terms that are packed at a time, in whole blocks of the micro-kernel.</summary>
    private const int Depth = 3 * MicroKernel.DepthBlock;

    /// <summary>Floats between packed panels: without the gap panels would often lie a multiple of a page apart and share cache sets.</summary>
    private const int Gap = 16;

    /// <summary>Limit of the operand that a worker keeps, in floats: it is read from a last-level cache.</summary>
    private const int KeptFloats = 1 << 19;

    /// <summary>Limit of a slice, in floats: it stays in a core's second-level cache.</summary>
    private const int SliceFloats = 1 << 16;

    /// <summary>Slices for each worker, so that none waits long for the last.</summary>
    private const int SlicesPerWorker = 10;

    /// <summary>C[M,N] (+)= A[M,K] B[N,K]^T: Y = X W^T with W [out, in].</summary>
    public static void NT(WorkerPool pool, int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(pool, M, N, K, new(a, lda, true), new(b, ldb, true), c, ldc, accumulate);

    /// <summary>C[M,N] (+)= A[M,K] B[K,N]: dX = dY W.</summary>
    public static void NN(WorkerPool pool, int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(pool, M, N, K, new(a, lda, true), new(b, ldb, false), c, ldc, accumulate);

    /// <summary>C[M,N] (+)= A[K,M]^T B[K,N]: dW = dY^T X.</summary>
    public static void TN(WorkerPool pool, int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(pool, M, N, K, new(a, lda, false), new(b, ldb, false), c, ldc, accumulate);

    private static void Multiply(WorkerPool pool, int M, int N, int K, Operand a, Operand b, float* c, int ldc, bool accumulate)
    {
        if (M <= 0 || N <= 0)
            return;
        if (K <= 0)
        {
            for (nint m = 0; m < M && !accumulate; m++)
                new Span<float>(c + m * ldc, N).Clear();
            return;
        }
        Job job = new() { Kernel = MicroKernel.Current, SliceColumns = N >= M, Ldc = ldc };
        int depth = Math.Min(K, Depth);
        (Operand kept, int keptCount, int keptWidth) = job.SliceColumns ? (a, M, job.Kernel.Rows) : (b, N, job.Kernel.Columns);
        (Operand sliced, int slicedCount, int slicedWidth) = job.SliceColumns ? (b, N, job.Kernel.Columns) : (a, M, job.Kernel.Rows);
        (job.KeptRowsAreLanes, job.KeptLd, job.SlicedRowsAreLanes, job.SlicedLd) = (kept.RowsAreLanes, kept.Ld, sliced.RowsAreLanes, sliced.Ld);
        int keptAtOnce = KeptLanes(keptCount, keptWidth, depth);
        job.SliceLanes = SliceLanes(pool.Threads, slicedCount, slicedWidth, depth, job.SliceColumns);
        long keptFloats = (long)Tiles.Over(keptAtOnce, keptWidth) * (keptWidth * depth + Gap), sliceFloats = (long)(job.SliceLanes / slicedWidth) * (slicedWidth * depth + Gap);
        Area* areas = (Area*)pool.SharedScratch((long)pool.Threads * sizeof(Area) / sizeof(float), SharedSlot.Panels);
        job.Areas = areas;
        for (int w = 0; w < pool.Threads; w++)
        {
            areas[w].Kept = pool.Scratch(w, keptFloats + sliceFloats);
            areas[w].Slice = areas[w].Kept + keptFloats;
        }
        for (int first = 0; first < keptCount; first += keptAtOnce)
            for (int k = 0; k < K; k += depth)
            {
                job.K = Math.Min(depth, K - k);
                job.KeptCount = Math.Min(keptAtOnce, keptCount - first);
                job.SlicedCount = slicedCount;
                job.Kept = kept.At(first, k);
                job.Sliced = sliced.At(0, k);
                job.C = job.SliceColumns ? c + (nint)first * ldc : c + first;
                job.Add = accumulate || k > 0;
                for (int w = 0; w < pool.Threads; w++)
                    areas[w].IsPacked = false;
                pool.Run(Tiles.Over(slicedCount, job.SliceLanes), &Slice, &job);
            }
    }

    // equal parts, as few as the limit allows
    private static int KeptLanes(int count, int width, int depth)
    {
        int panels = Tiles.Over(count, width), parts = Tiles.Over(panels, Math.Max(1, KeptFloats / (width * depth)));
        return Tiles.Over(panels, parts) * width;
    }

    // as large as the cache and an even share of the work allow; a panel of the kept operand should meet several panels of rows, which are narrow
    private static int SliceLanes(int threads, int count, int width, int depth, bool columns)
    {
        int panels = Tiles.Over(count, width), most = Math.Max(1, SliceFloats / (width * depth)), least = columns ? 1 : 4;
        int wanted = threads == 1 ? panels : Math.Max(least, panels / (SlicesPerWorker * threads));
        return Math.Min(Math.Min(panels, wanted), Math.Max(most, least)) * width;
    }

    /// <summary>A matrix whose rows are lanes (K along columns), or whose columns are.</summary>
    private readonly struct Operand(float* data, nint ld, bool rowsAreLanes)
    {
        public readonly float* Data = data;
        public readonly nint Ld = ld;
        public readonly bool RowsAreLanes = rowsAreLanes;

        public float* At(nint lane, nint k) => RowsAreLanes ? Data + lane * Ld + k : Data + k * Ld + lane;
    }

    /// <summary>Packed memory of one worker, on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Area
    {
        public float* Kept, Slice;
        public bool IsPacked;
    }

    private struct Job
    {
        public MicroKernel Kernel;
        public Area* Areas;
        public float* Kept, Sliced, C;
        public nint KeptLd, SlicedLd, Ldc;
        public int KeptCount, SlicedCount, SliceLanes, K;
        public bool KeptRowsAreLanes, SlicedRowsAreLanes, SliceColumns, Add;
    }

    private static void Slice(void* context, int tile, int worker)
    {
        ref Job job = ref *(Job*)context;
        ref Area area = ref job.Areas[worker];
        int rows = job.Kernel.Rows, columns = job.Kernel.Columns, begin = tile * job.SliceLanes, count = Math.Min(job.SliceLanes, job.SlicedCount - begin);
        (int keptWidth, int slicedWidth) = job.SliceColumns ? (rows, columns) : (columns, rows);
        if (!area.IsPacked)
        {
            PanelPacking.Pack(job.Kept, job.KeptLd, job.KeptRowsAreLanes, job.KeptCount, keptWidth, job.K, area.Kept, (nint)keptWidth * job.K + Gap);
            area.IsPacked = true;
        }
        float* source = job.SlicedRowsAreLanes ? job.Sliced + begin * job.SlicedLd : job.Sliced + begin;
        PanelPacking.Pack(source, job.SlicedLd, job.SlicedRowsAreLanes, count, slicedWidth, job.K, area.Slice, (nint)slicedWidth * job.K + Gap);
        if (job.SliceColumns)
        {
            // a panel of rows is read once for all columns of the slice
            for (int m = 0; m < job.KeptCount; m += rows)
                for (int n = 0; n < count; n += columns)
                    Tile(in job, area.Kept + m / rows * ((nint)rows * job.K + Gap), area.Slice + n / columns * ((nint)columns * job.K + Gap), job.C + m * job.Ldc + begin + n,
                        Math.Min(rows, job.KeptCount - m), Math.Min(columns, count - n));
            return;
        }
        for (int n = 0; n < job.KeptCount; n += columns)
            for (int m = 0; m < count; m += rows)
                Tile(in job, area.Slice + m / rows * ((nint)rows * job.K + Gap), area.Kept + n / columns * ((nint)columns * job.K + Gap), job.C + (begin + m) * job.Ldc + n,
                    Math.Min(rows, count - m), Math.Min(columns, job.KeptCount - n));
    }

    private static void Tile(in Job job, float* panelA, float* panelB, float* c, int rows, int columns)
    {
        MicroKernel kernel = job.Kernel;
        if (rows == kernel.Rows && columns == kernel.Columns)
        {
            kernel.Multiply(job.K, panelA, panelB, c, job.Ldc, job.Add);
            return;
        }
        // an edge goes through a whole tile beside C; what is there comes along, so that sums keep their order
        float* edge = stackalloc float[12 * 32];
        if (job.Add)
            Copy(c, job.Ldc, edge, kernel.Columns, rows, columns);
        kernel.Multiply(job.K, panelA, panelB, edge, kernel.Columns, job.Add);
        Copy(edge, kernel.Columns, c, job.Ldc, rows, columns);
    }

    private static void Copy(float* from, nint ldFrom, float* to, nint ldTo, int rows, int columns)
    {
        for (int r = 0; r < rows; r++, from += ldFrom, to += ldTo)
            for (int i = 0; i < columns; i++)
                to[i] = from[i];
    }
}
