namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="Rope"/>.</summary>
internal static unsafe class ReferenceRope
{
    public static void Apply(int rows, int heads, int D, float* x, int ldx, int* positions, float* cos, float* sin, bool inverse) =>
        Apply(rows, heads, D, D, x, ldx, positions, cos, sin, inverse);

    public static void Apply(int rows, int heads, int D, int R, float* x, int ldx, int* positions, float* cos, float* sin, bool inverse)
    {
        int half = R / 2;
        for (long r = 0; r < rows; r++)
            for (int h = 0; h < heads; h++)
                for (int j = 0; j < half; j++)
                {
                    float* low = x + r * ldx + (long)h * D + j, high = low + half;
                    double c = cos[(long)positions[r] * half + j], s = sin[(long)positions[r] * half + j], a = *low, b = *high;
                    if (inverse)
                        s = -s;
                    (*low, *high) = ((float)(a * c - b * s), (float)(b * c + a * s));
                }
    }
}

/// <summary>Scalar twin of <see cref="Bias"/>.</summary>
internal static unsafe class ReferenceBias
{
    public static void Add(int rows, int N, float* x, int ldx, float* bias)
    {
        for (long r = 0; r < rows; r++)
            for (int i = 0; i < N; i++)
                x[r * ldx + i] += bias[i];
    }

    public static void Backward(int rows, int N, float* dy, int lddy, float* dBias)
    {
        for (int i = 0; i < N; i++)
        {
            double sum = dBias[i];
            for (long r = 0; r < rows; r++)
                sum += dy[r * lddy + i];
            dBias[i] = (float)sum;
        }
    }
}

/// <summary>Scalar twin of <see cref="Embedding"/>.</summary>
internal static unsafe class ReferenceEmbedding
{
    public static void Forward(int N, int C, int* tokens, float* table, float* y)
    {
        for (long n = 0; n < N; n++)
            for (int i = 0; i < C; i++)
                y[n * C + i] = table[(long)tokens[n] * C + i];
    }

    public static void Backward(int N, int C, int* tokens, float* dy, float* dTable)
    {
        for (long n = 0; n < N; n++)
            for (int i = 0; i < C; i++)
                dTable[(long)tokens[n] * C + i] += dy[n * C + i];
    }
}
