using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>
/// Row-major single-precision matrix products, in the manner of BLIS (Van Zee and van de Geijn 2015): panels of A and B are packed, in
/// parallel, into memory that all workers share, then tiles of C are computed from them by a register-tiled micro-kernel. Leading dimensions
/// are in floats and may exceed the width. The terms of one output element are added in an order that depends on K alone, so a row of C does
/// not depend on the other rows of the call, on its place, or on the number of threads.
/// </summary>
internal static unsafe class MatMul
{
    /// <summary>Terms that are summed in registers before they are added to C.</summary>
    private const int DepthBlock = 256;

    /// <summary>Floats between packed panels: without the gap panels would often lie a multiple of a page apart and share cache sets.</summary>
    private const int Gap = 16;

    /// <summary>Limit of each packed side, in floats: both stay in a shared last-level cache.</summary>
    private const int PackedFloats = 1 << 20;

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
        Job job = new() { A = a, B = b, Kernel = MicroKernel.Current };
        int rows = job.Kernel.Rows, columns = job.Kernel.Columns;
        // the largest depth whose panels leave room for a good number of rows and columns
        int depth = Math.Min(K, 8 * DepthBlock);
        int superRows = Super(M, rows, depth), superColumns = Super(N, columns, depth);
        long sizeA = (long)Tiles.Over(superRows, rows) * (rows * depth + Gap), sizeB = (long)Tiles.Over(superColumns, columns) * (columns * depth + Gap);
        job.PackedA = pool.SharedScratch(sizeA + sizeB, SharedSlot.Panels);
        job.PackedB = job.PackedA + sizeA;
        (int row, int k) packedA = (-1, -1);
        for (int n0 = 0; n0 < N; n0 += superColumns)
            for (int k0 = 0; k0 < K; k0 += depth)
                for (int m0 = 0; m0 < M; m0 += superRows)
                {
                    job.M = Math.Min(superRows, M - m0);
                    job.N = Math.Min(superColumns, N - n0);
                    job.K = Math.Min(depth, K - k0);
                    job.C = c + (nint)m0 * ldc + n0;
                    job.Ldc = ldc;
                    job.Add = accumulate || k0 > 0;
                    job.SourceA = a.At(m0, k0);
                    job.SourceB = b.At(n0, k0);
                    job.Pack(pool, packedA != (m0, k0), m0 == 0);
                    packedA = (m0, k0);
                    job.Compute(pool);
                }
    }

    private static int Super(int count, int width, int depth)
    {
        int panels = Tiles.Over(count, width), limit = Math.Max(1, PackedFloats / (width * depth));
        int parts = Tiles.Over(panels, limit);
        return Tiles.Over(panels, parts) * width;
    }

    /// <summary>A matrix whose rows are lanes (K along columns), or whose columns are.</summary>
    private readonly struct Operand(float* data, nint ld, bool rowsAreLanes)
    {
        public readonly float* Data = data;
        public readonly nint Ld = ld;
        public readonly bool RowsAreLanes = rowsAreLanes;

        public float* At(nint lane, nint k) => RowsAreLanes ? Data + lane * Ld + k : Data + k * Ld + lane;
    }

    private struct Job
    {
        public Operand A, B;
        public MicroKernel Kernel;
        public float* SourceA, SourceB, PackedA, PackedB, C;
        public nint Ldc;
        public int M, N, K;
        public bool Add;
        private int _tileRows, _tileColumns, _tilesDown, _unitA, _unitB, _packTilesA;

        public void Pack(WorkerPool pool, bool packA, bool packB)
        {
            (_unitA, _unitB) = (PackUnit(in A, M, Kernel.Rows, K), PackUnit(in B, N, Kernel.Columns, K));
            _packTilesA = packA ? Tiles.Over(A.RowsAreLanes ? M : K, _unitA) : 0;
            int packTilesB = packB ? Tiles.Over(B.RowsAreLanes ? N : K, _unitB) : 0;
            fixed (Job* self = &this)
                pool.Run(_packTilesA + packTilesB, &PackTile, self);
        }

        // lanes of one packing tile when lanes are rows; rows of one when lanes are columns, so that each row is read in one go
        private static int PackUnit(in Operand operand, int lanes, int width, int K) =>
            operand.RowsAreLanes ? Math.Max(1, 2 * Tiles.Elements / (width * K)) * width : Math.Max(4, 2 * Tiles.Elements / lanes);

        // tiles of C: as large as leaves several for each worker; their size cannot change a result
        public void Compute(WorkerPool pool)
        {
            int down = 16, across = 8, wanted = pool.Threads == 1 ? 1 : 12 * pool.Threads;
            int panelsDown = Tiles.Over(M, Kernel.Rows), panelsAcross = Tiles.Over(N, Kernel.Columns);
            while (Tiles.Over(panelsDown, down) * Tiles.Over(panelsAcross, across) < wanted && down * across > 8)
            {
                if (down >= across)
                    down /= 2;
                else
                    across /= 2;
            }
            (_tileRows, _tileColumns) = (down * Kernel.Rows, across * Kernel.Columns);
            _tilesDown = Tiles.Over(panelsDown, down);
            fixed (Job* self = &this)
                pool.Run(_tilesDown * Tiles.Over(panelsAcross, across), &ComputeTile, self);
        }

        private static void PackTile(void* context, int tile, int worker)
        {
            ref Job job = ref *(Job*)context;
            if (tile < job._packTilesA)
                PackPart(in job.A, job.SourceA, tile * job._unitA, job._unitA, job.M, job.Kernel.Rows, job.K, job.PackedA);
            else
                PackPart(in job.B, job.SourceB, (tile - job._packTilesA) * job._unitB, job._unitB, job.N, job.Kernel.Columns, job.K, job.PackedB);
        }

        private static void PackPart(in Operand operand, float* source, int begin, int unit, int lanes, int width, int K, float* packed)
        {
            nint stride = (nint)width * K + Gap;
            if (operand.RowsAreLanes)
            {
                for (int lane = begin; lane < Math.Min(lanes, begin + unit); lane += width)
                    PanelPacking.Transposed(source + lane * operand.Ld, operand.Ld, Math.Min(width, lanes - lane), width, K, packed + lane / width * stride);
                return;
            }
            for (int k = begin; k < Math.Min(K, begin + unit); k++)
                PanelPacking.Row(source + k * operand.Ld, lanes, width, packed + (nint)k * width, stride);
        }

        private static void ComputeTile(void* context, int tile, int worker)
        {
            ref Job job = ref *(Job*)context;
            int rows = job.Kernel.Rows, columns = job.Kernel.Columns, K = job.K;
            int mBegin = tile % job._tilesDown * job._tileRows, mEnd = Math.Min(job.M, mBegin + job._tileRows);
            int nBegin = tile / job._tilesDown * job._tileColumns, nEnd = Math.Min(job.N, nBegin + job._tileColumns);
            float* edge = stackalloc float[12 * 32];
            for (int k = 0; k < K; k += DepthBlock)
            {
                int depth = Math.Min(DepthBlock, K - k);
                bool add = job.Add || k > 0;
                for (int n = nBegin; n < nEnd; n += columns)
                {
                    float* panelB = job.PackedB + n / columns * ((nint)columns * K + Gap) + (nint)k * columns;
                    for (int m = mBegin; m < mEnd; m += rows)
                    {
                        float* panelA = job.PackedA + m / rows * ((nint)rows * K + Gap) + (nint)k * rows;
                        float* c = job.C + m * job.Ldc + n;
                        if (m + rows <= job.M && n + columns <= job.N)
                        {
                            job.Kernel.Multiply(depth, panelA, panelB, c, job.Ldc, add);
                            continue;
                        }
                        job.Kernel.Multiply(depth, panelA, panelB, edge, columns, false);
                        CopyEdge(edge, columns, c, job.Ldc, Math.Min(rows, job.M - m), Math.Min(columns, job.N - n), add);
                    }
                }
            }
        }

        private static void CopyEdge(float* edge, int width, float* c, nint ldc, int rows, int columns, bool add)
        {
            for (int r = 0; r < rows; r++, edge += width, c += ldc)
                for (int i = 0; i < columns; i++)
                    c[i] = add ? c[i] + edge[i] : edge[i];
        }
    }
}
