namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="MatMul"/>; sums in double.</summary>
internal static unsafe class ReferenceMatMul
{
    public static void NT(int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(M, N, K, a, lda, 1, b, 1, ldb, c, ldc, accumulate);

    public static void NN(int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(M, N, K, a, lda, 1, b, ldb, 1, c, ldc, accumulate);

    public static void TN(int M, int N, int K, float* a, int lda, float* b, int ldb, float* c, int ldc, bool accumulate) =>
        Multiply(M, N, K, a, 1, lda, b, ldb, 1, c, ldc, accumulate);

    // element (m, k) of A is a[m * am + k * ak], element (k, n) of B is b[k * bk + n * bn]
    private static void Multiply(int M, int N, int K, float* a, long am, long ak, float* b, long bk, long bn, float* c, long ldc, bool accumulate)
    {
        for (int m = 0; m < M; m++)
            for (int n = 0; n < N; n++)
            {
                double sum = accumulate ? c[m * ldc + n] : 0;
                for (int k = 0; k < K; k++)
                    sum += (double)a[m * am + k * ak] * b[k * bk + n * bn];
                c[m * ldc + n] = (float)sum;
            }
    }
}
