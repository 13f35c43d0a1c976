namespace Paddock.Engine.Kernels.Reference;

/// <summary>Plain scalar twins of the decode kernels. The matrix product gives the bits of every tier that has a fused multiply-add.</summary>
internal static unsafe class ReferenceDecode
{
    /// <summary>Twin of <see cref="DecodeMatMul.Run"/>.</summary>
    public static void MatMul(int M, DecodeMatrix w, float* x, int ldx, float* y, int ldy, float* bias, bool accumulate)
    {
        float[] row = new float[w.K];
        for (int n = 0; n < w.N; n++)
        {
            fixed (float* p = row)
                w.CopyRow(n, p);
            for (int m = 0; m < M; m++)
            {
                float* element = y + (long)m * ldy + n;
                float sum = accumulate ? *element : 0f;
                if (bias != null)
                    sum = bias[n] + sum;
                for (int k = 0; k < w.K; k++)
                    sum = MathF.FusedMultiplyAdd(x[(long)m * ldx + k], row[k], sum);
                *element = sum;
            }
        }
    }

    /// <summary>Twin of <see cref="DecodeAttention.Run"/>, in double.</summary>
    public static void Attention(int rows, CacheRow* cache, long layerOffset, int H, int KV, int D, float* q, int ldq, float scale, float* output, int ldo)
    {
        CacheShape shape = new(KV, D);
        for (int r = 0; r < rows; r++)
        {
            int T = cache[r].Length;
            double[] weights = new double[T];
            for (int h = 0; h < H; h++)
            {
                int kv = h / (H / KV);
                double largest = double.NegativeInfinity, total = 0;
                for (int t = 0; t < T; t++)
                {
                    float* block = cache[r].Blocks[t / CacheShape.BlockTokens] + layerOffset;
                    double score = 0;
                    for (int d = 0; d < D; d++)
                        score += (double)q[(long)r * ldq + h * D + d] * block[shape.KeyOffset(kv) + d * CacheShape.BlockTokens + t % CacheShape.BlockTokens];
                    weights[t] = score * scale;
                    largest = Math.Max(largest, weights[t]);
                }
                for (int t = 0; t < T; t++)
                    total += weights[t] = Math.Exp(weights[t] - largest);
                for (int d = 0; d < D; d++)
                {
                    double sum = 0;
                    for (int t = 0; t < T; t++)
                        sum += weights[t] * (cache[r].Blocks[t / CacheShape.BlockTokens] + layerOffset)[shape.ValueOffset(kv) + t % CacheShape.BlockTokens * shape.ValueWidth + d];
                    output[(long)r * ldo + h * D + d] = (float)(sum / total);
                }
            }
        }
    }
}
