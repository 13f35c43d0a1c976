namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="Vectors"/>.</summary>
internal static unsafe class ReferenceVectors
{
    public static void Add(long count, float* x, float* y)
    {
        for (long i = 0; i < count; i++)
            y[i] += x[i];
    }

    public static double SumOfSquares(long count, float* x)
    {
        double sum = 0;
        for (long i = 0; i < count; i++)
            sum += (double)x[i] * x[i];
        return sum;
    }
}

/// <summary>Scalar twin of <see cref="AdamW"/>.</summary>
internal static unsafe class ReferenceAdamW
{
    public static void Step(long count, float* p, float* g, float* m, float* v, in AdamWStep s)
    {
        for (long i = 0; i < count; i++)
        {
            double gradient = (double)g[i] * s.GradientScale;
            double first = (double)s.Beta1 * m[i] + (1 - (double)s.Beta1) * gradient;
            double second = (double)s.Beta2 * v[i] + (1 - (double)s.Beta2) * gradient * gradient;
            double decayed = p[i] * (1 - (double)s.LearningRate * s.Decay);
            p[i] = (float)(decayed - s.LearningRate / (double)s.Correction1 * first / (Math.Sqrt(second) / Math.Sqrt(s.Correction2) + s.Epsilon));
            (m[i], v[i], g[i]) = ((float)first, (float)second, 0);
        }
    }
}
