namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="SwiGlu"/>.</summary>
internal static unsafe class ReferenceSwiGlu
{
    public static void Forward(int rows, int F, float* gateUp, float* y)
    {
        for (long r = 0; r < rows; r++)
            for (int i = 0; i < F; i++)
            {
                double gate = gateUp[2 * r * F + i], up = gateUp[(2 * r + 1) * F + i];
                y[r * F + i] = (float)(gate / (1 + Math.Exp(-gate)) * up);
            }
    }

    public static void Backward(int rows, int F, float* gateUp, float* dy, float* dGateUp)
    {
        for (long r = 0; r < rows; r++)
            for (int i = 0; i < F; i++)
            {
                double gate = gateUp[2 * r * F + i], up = gateUp[(2 * r + 1) * F + i], d = dy[r * F + i];
                double sigmoid = 1 / (1 + Math.Exp(-gate));
                dGateUp[2 * r * F + i] = (float)(d * up * sigmoid * (1 + gate * (1 - sigmoid)));
                dGateUp[(2 * r + 1) * F + i] = (float)(d * gate * sigmoid);
            }
    }
}

/// <summary>Scalar twin of <see cref="Gelu"/>.</summary>
internal static unsafe class ReferenceGelu
{
    public static readonly double Slope = Math.Sqrt(2 / Math.PI);
    public const double Cubic = 0.044715;

    public static void Forward(int count, float* x, float* y)
    {
        for (int i = 0; i < count; i++)
        {
            double v = x[i];
            y[i] = (float)(0.5 * v * (1 + Math.Tanh(Slope * (v + Cubic * v * v * v))));
        }
    }

    public static void Backward(int count, float* x, float* dy, float* dx)
    {
        for (int i = 0; i < count; i++)
        {
            double v = x[i], t = Math.Tanh(Slope * (v + Cubic * v * v * v));
            dx[i] = (float)(dy[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * Slope * (1 + 3 * Cubic * v * v)));
        }
    }
}
