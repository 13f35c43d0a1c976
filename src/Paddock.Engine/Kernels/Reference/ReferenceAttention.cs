namespace Paddock.Engine.Kernels.Reference;

/// <summary>Scalar twin of <see cref="Attention"/>; one query at a time.</summary>
internal static unsafe class ReferenceAttention
{
    public static void Forward(int S, int* offsets, int H, int KV, int D, float* qkv, int ldqkv, float scale, float* output, float* logSumExp, int window = 0, float cap = 0)
    {
        for (int s = 0; s < S; s++)
            for (int i = offsets[s]; i < offsets[s + 1]; i++)
                for (int h = 0; h < H; h++)
                {
                    double max = double.NegativeInfinity, sum = 0;
                    for (int j = First(offsets[s], i, window); j <= i; j++)
                        max = Math.Max(max, Score(i, j, h, H, KV, D, qkv, ldqkv, scale, cap));
                    for (int j = First(offsets[s], i, window); j <= i; j++)
                        sum += Math.Exp(Score(i, j, h, H, KV, D, qkv, ldqkv, scale, cap) - max);
                    double lse = max + Math.Log(sum);
                    logSumExp[(long)i * H + h] = (float)lse;
                    float* o = output + ((long)i * H + h) * D;
                    for (int d = 0; d < D; d++)
                    {
                        double mixed = 0;
                        for (int j = First(offsets[s], i, window); j <= i; j++)
                            mixed += Math.Exp(Score(i, j, h, H, KV, D, qkv, ldqkv, scale, cap) - lse) * Value(qkv, ldqkv, j, h, H, KV, D)[d];
                        o[d] = (float)mixed;
                    }
                }
    }

    public static void Backward(int S, int* offsets, int H, int KV, int D, float* qkv, int ldqkv, float scale, float* output, float* logSumExp,
        float* dOutput, float* dQkv, int lddqkv, int window = 0, float cap = 0)
    {
        for (long i = offsets[0]; i < offsets[S]; i++)
            new Span<float>(dQkv + i * lddqkv, (H + 2 * KV) * D).Clear();
        for (int s = 0; s < S; s++)
            for (int h = 0; h < H; h++)
                for (int i = offsets[s]; i < offsets[s + 1]; i++)
                {
                    float* o = output + ((long)i * H + h) * D, dO = dOutput + ((long)i * H + h) * D;
                    double delta = 0;
                    for (int d = 0; d < D; d++)
                        delta += (double)o[d] * dO[d];
                    float* q = qkv + (long)i * ldqkv + h * D, dq = dQkv + (long)i * lddqkv + h * D;
                    for (int j = First(offsets[s], i, window); j <= i; j++)
                    {
                        int kv = h / (H / KV);
                        float* k = qkv + (long)j * ldqkv + (H + kv) * D, v = Value(qkv, ldqkv, j, h, H, KV, D);
                        float* dk = dQkv + (long)j * lddqkv + (H + kv) * D, dv = dk + KV * D;
                        double score = Score(i, j, h, H, KV, D, qkv, ldqkv, scale, cap), p = Math.Exp(score - logSumExp[(long)i * H + h]), dp = 0;
                        for (int d = 0; d < D; d++)
                            dp += (double)dO[d] * v[d];
                        double ds = p * (dp - delta) * scale * (cap > 0 ? 1 - score / cap * (score / cap) : 1);
                        for (int d = 0; d < D; d++)
                        {
                            dq[d] += (float)(ds * k[d]);
                            dk[d] += (float)(ds * q[d]);
                            dv[d] += (float)(p * dO[d]);
                        }
                    }
                }
    }

    private static int First(int start, int query, int window) => window > 0 ? Math.Max(start, query - window + 1) : start;

    private static double Score(int i, int j, int h, int H, int KV, int D, float* qkv, int ldqkv, float scale, float cap)
    {
        float* q = qkv + (long)i * ldqkv + h * D, k = qkv + (long)j * ldqkv + (H + h / (H / KV)) * D;
        double dot = 0;
        for (int d = 0; d < D; d++)
            dot += (double)q[d] * k[d];
        return cap > 0 ? cap * Math.Tanh(dot * scale / cap) : dot * scale;
    }

    private static float* Value(float* qkv, int ldqkv, int j, int h, int H, int KV, int D) => qkv + (long)j * ldqkv + (H + KV + h / (H / KV)) * D;
}
