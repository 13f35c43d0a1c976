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

/// <summary>Scalar twin of <see cref="Activation{A}"/> for each function.</summary>
internal static unsafe class ReferenceActivation
{
    /// <summary>f(x), and its derivative by central differences in double.</summary>
    public static (double Value, double Slope) At<A>(double x)
        where A : struct, IActivation
    {
        const double Step = 1e-5;
        return (Value<A>(x), typeof(A) == typeof(ReluActivation) ? x > 0 ? 1 : 0 : (Value<A>(x + Step) - Value<A>(x - Step)) / (2 * Step));
    }

    public static void GatedForward<A>(int rows, int F, float* gateUp, float* y)
        where A : struct, IActivation
    {
        for (long r = 0; r < rows; r++)
            for (int i = 0; i < F; i++)
                y[r * F + i] = (float)(Value<A>(gateUp[2 * r * F + i]) * gateUp[(2 * r + 1) * F + i]);
    }

    public static void GatedBackward<A>(int rows, int F, float* gateUp, float* dy, float* dGateUp)
        where A : struct, IActivation
    {
        for (long r = 0; r < rows; r++)
            for (int i = 0; i < F; i++)
            {
                (double value, double slope) = At<A>(gateUp[2 * r * F + i]);
                dGateUp[2 * r * F + i] = (float)(dy[r * F + i] * slope * gateUp[(2 * r + 1) * F + i]);
                dGateUp[(2 * r + 1) * F + i] = (float)(dy[r * F + i] * value);
            }
    }

    private static double Value<A>(double x)
        where A : struct, IActivation =>
        typeof(A) == typeof(ReluActivation) ? Math.Max(0, x)
        : typeof(A) == typeof(TanhGeluActivation) ? 0.5 * x * (1 + Math.Tanh(ReferenceGelu.Slope * (x + ReferenceGelu.Cubic * x * x * x)))
        : x * Phi(x);

    // the series of G. Marsaglia 2004 ("Evaluating the normal distribution"): 1/2 + density (x + x^3/3 + x^5/15 + ...), exact where it converges
    private static double Phi(double x)
    {
        if (Math.Abs(x) > 8)
            return x > 0 ? 1 : 0;
        double sum = x, term = x;
        for (int i = 3; i < 400; i += 2)
            sum += term *= x * x / i;
        return 0.5 + sum * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
    }
}
