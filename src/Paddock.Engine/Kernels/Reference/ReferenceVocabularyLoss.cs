namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="VocabularyLoss"/>; recomputes each logit whenever it is needed.</summary>
internal static unsafe class ReferenceVocabularyLoss
{
    public static void Forward(int n, int C, int V, float* h, float* w, int* targets, float* logProbs, float* logSumExp, float* entropies, int* argMax, float cap = 0)
    {
        for (int i = 0; i < n; i++)
        {
            double max = double.NegativeInfinity, sum = 0, weighted = 0;
            int best = 0;
            for (int j = 0; j < V; j++)
            {
                double z = Logit(h, w, C, i, j, cap);
                if (z > max)
                    best = j;
                max = Math.Max(max, z);
            }
            for (int j = 0; j < V; j++)
                sum += Math.Exp(Logit(h, w, C, i, j, cap) - max);
            double lse = max + Math.Log(sum);
            for (int j = 0; j < V; j++)
            {
                double z = Logit(h, w, C, i, j, cap);
                weighted += Math.Exp(z - lse) * z;
            }
            logSumExp[i] = (float)lse;
            logProbs[i] = (float)(Logit(h, w, C, i, targets[i], cap) - lse);
            if (entropies != null)
                entropies[i] = (float)(lse - weighted);
            if (argMax != null)
                argMax[i] = best;
        }
    }

    public static void Backward(int n, int C, int V, float* h, float* w, int* targets, float* logSumExp, float* coefficients, float* entropies,
        float* entropyCoefficients, float* dh, float* dW, float cap = 0)
    {
        double[] row = new double[C];
        for (int i = 0; i < n; i++)
        {
            Array.Clear(row);
            for (int j = 0; j < V; j++)
            {
                double z = Logit(h, w, C, i, j, cap), logP = z - logSumExp[i], p = Math.Exp(logP);
                double d = coefficients[i] * ((j == targets[i] ? 1 : 0) - p);
                if (entropyCoefficients != null)
                    d -= entropyCoefficients[i] * p * (logP + entropies[i]);
                if (cap > 0)
                    d *= 1 - z / cap * (z / cap);
                for (int c = 0; c < C; c++)
                {
                    row[c] += d * w[(long)j * C + c];
                    if (dW != null)
                        dW[(long)j * C + c] += (float)(d * h[(long)i * C + c]);
                }
            }
            for (int c = 0; c < C; c++)
                dh[(long)i * C + c] = (float)row[c];
        }
    }

    private static double Logit(float* h, float* w, int C, long i, long j, float cap)
    {
        double dot = 0;
        for (int c = 0; c < C; c++)
            dot += (double)h[i * C + c] * w[j * C + c];
        return cap > 0 ? cap * Math.Tanh(dot / cap) : dot;
    }
}
