namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="RmsNorm"/>.</summary>
internal static unsafe class ReferenceRmsNorm
{
    public static void Forward(int rows, int C, float* x, float* weight, float eps, float* y, float* rstd)
    {
        for (long r = 0; r < rows; r++)
        {
            double squares = 0;
            for (int i = 0; i < C; i++)
                squares += (double)x[r * C + i] * x[r * C + i];
            rstd[r] = (float)(1 / Math.Sqrt(squares / C + eps));
            for (int i = 0; i < C; i++)
                y[r * C + i] = x[r * C + i] * rstd[r] * weight[i];
        }
    }

    public static void Backward(int rows, int C, float* dy, float* x, float* weight, float* rstd, float* dx, bool accumulateDx, float* dWeight)
    {
        for (long r = 0; r < rows; r++)
        {
            double dot = 0;
            for (int i = 0; i < C; i++)
                dot += (double)dy[r * C + i] * weight[i] * x[r * C + i];
            double s = rstd[r], coefficient = dot * s * s * s / C;
            for (int i = 0; i < C; i++)
            {
                long at = r * C + i;
                double gradient = s * dy[at] * weight[i] - coefficient * x[at];
                if (dWeight != null)
                    dWeight[i] += (float)(dy[at] * (x[at] * s));
                dx[at] = (float)(accumulateDx ? dx[at] + gradient : gradient);
            }
        }
    }
}

/// <summary>Scalar twin of <see cref="LayerNorm"/>.</summary>
internal static unsafe class ReferenceLayerNorm
{
    public static void Forward(int rows, int C, float* x, float* weight, float* bias, float eps, float* y, float* mean, float* rstd)
    {
        for (long r = 0; r < rows; r++)
        {
            double sum = 0, squares = 0;
            for (int i = 0; i < C; i++)
                sum += x[r * C + i];
            double average = sum / C;
            for (int i = 0; i < C; i++)
                squares += (x[r * C + i] - average) * (x[r * C + i] - average);
            double scale = 1 / Math.Sqrt(squares / C + eps);
            (mean[r], rstd[r]) = ((float)average, (float)scale);
            for (int i = 0; i < C; i++)
                y[r * C + i] = (float)((x[r * C + i] - average) * scale * weight[i] + bias[i]);
        }
    }

    public static void Backward(int rows, int C, float* dy, float* x, float* weight, float* mean, float* rstd, float* dx, bool accumulateDx, float* dWeight, float* dBias)
    {
        for (long r = 0; r < rows; r++)
        {
            double sum = 0, dot = 0, s = rstd[r];
            for (int i = 0; i < C; i++)
            {
                double g = (double)dy[r * C + i] * weight[i];
                sum += g;
                dot += g * (x[r * C + i] - (double)mean[r]) * s;
            }
            for (int i = 0; i < C; i++)
            {
                long at = r * C + i;
                double normalised = (x[at] - (double)mean[r]) * s, upstream = dy[at];
                double gradient = s * (upstream * weight[i] - sum / C - normalised * dot / C);
                if (dWeight != null)
                    dWeight[i] += (float)(upstream * normalised);
                if (dBias != null)
                    dBias[i] += (float)upstream;
                dx[at] = (float)(accumulateDx ? dx[at] + gradient : gradient);
            }
        }
    }
}

/// <summary>Scalar twin of <see cref="QueryKeyNorm"/>.</summary>
internal static unsafe class ReferenceQueryKeyNorm
{
    public static void Forward(int rows, QueryKeyShape shape, float* x, int ldx, float* queryScale, float* keyScale, float eps)
    {
        for (long r = 0; r < rows; r++)
            for (int g = 0, start = 0; g < shape.Groups; g++)
            {
                int n = g < shape.Queries ? shape.QueryWidth : shape.KeyWidth;
                float* w = g < shape.Queries ? queryScale : keyScale;
                float* group = x + r * ldx + start;
                double squares = 0;
                for (int i = 0; i < n; i++)
                    squares += (double)group[i] * group[i];
                for (int i = 0; i < n; i++)
                    group[i] = (float)(group[i] / Math.Sqrt(squares / n + eps) * w[i]);
                start += n;
            }
    }

    /// <summary>In place on dx; x [rows, Width] are the values before the norm.</summary>
    public static void Backward(int rows, QueryKeyShape shape, float* dx, int lddx, float* queryScale, float* keyScale, float* x, float eps, double[] dQueryScale, double[] dKeyScale)
    {
        for (long r = 0; r < rows; r++)
            for (int g = 0, start = 0; g < shape.Groups; g++)
            {
                bool isQuery = g < shape.Queries;
                int n = isQuery ? shape.QueryWidth : shape.KeyWidth;
                float* w = isQuery ? queryScale : keyScale, group = x + r * shape.Width + start, d = dx + r * lddx + start;
                double squares = 0, dot = 0;
                for (int i = 0; i < n; i++)
                {
                    squares += (double)group[i] * group[i];
                    dot += (double)d[i] * w[i] * group[i];
                }
                double s = 1 / Math.Sqrt(squares / n + eps);
                for (int i = 0; i < n; i++)
                {
                    (isQuery ? dQueryScale : dKeyScale)[i] += d[i] * group[i] * s;
                    d[i] = (float)(s * w[i] * d[i] - group[i] * s * s * s / n * dot);
                }
                start += n;
            }
    }
}
