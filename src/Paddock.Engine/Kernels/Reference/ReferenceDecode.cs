namespace Paddock.Engine.Kernels.Reference;

/// <summary>Plain scalar twins of the decode kernels. The matrix product gives the bits of every tier that has a fused multiply-add.</summary>
internal static unsafe class ReferenceDecode
{
    /// <summary>Twin of <see cref="DecodeMatMul.Run"/>.</summary>
    public static void MatMul(int M, DecodeMatrix w, float* x, int ldx, float* y, int ldy, float* bias, bool accumulate)
    {
        float[] values = new float[w.K];
        fixed (float* row = values)
            for (int n = 0; n < w.N; n++)
            {
                if (!DecodeMatrix.IsBlocked(w.Format))
                    w.CopyRow(n, row);
                for (int m = 0; m < M; m++)
                {
                    float* element = y + (long)m * ldy + n, input = x + (long)m * ldx;
                    float sum = accumulate ? *element : 0f;
                    if (bias != null)
                        sum = bias[n] + sum;
                    for (int k = 0; k < w.K && !DecodeMatrix.IsBlocked(w.Format); k++)
                        sum = MathF.FusedMultiplyAdd(input[k], row[k], sum);
                    for (int block = 0; block < w.K / 32 && DecodeMatrix.IsBlocked(w.Format); block++)
                        sum = Block(w, n, block, input + 32 * block, row, sum);
                    *element = sum;
                }
            }
    }

    // y + d * (sum over the block of x q), and m * (sum over the block of x)
    private static float Block(DecodeMatrix w, int n, int block, float* x, float* integers, float y)
    {
        (float d, float m) = w.CopyBlock(n, block, integers);
        float product = 0;
        for (int k = 0; k < 32; k++)
            product = MathF.FusedMultiplyAdd(x[k], integers[k], product);
        float* lanes = stackalloc float[4];
        for (int lane = 0; lane < 4; lane++)
            lanes[lane] = (x[lane] + x[lane + 4] + (x[lane + 8] + x[lane + 12])) + (x[lane + 16] + x[lane + 20] + (x[lane + 24] + x[lane + 28]));
        float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        return w.Format switch
        {
            DecodeFormat.Q8_0 => MathF.FusedMultiplyAdd(product, d, y),
            DecodeFormat.Q4_0 => MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(sum, -8f, product), d, y),
            _ => MathF.FusedMultiplyAdd(sum, m, MathF.FusedMultiplyAdd(product, d, y)),
        };
    }

    /// <summary>Twin of <see cref="DecodeAttention.Run"/>, in double.</summary>
    public static void Attention(int rows, CacheRow* cache, long layerOffset, int H, int KV, int D, float* q, int ldq, float scale, float* output, int ldo, int window = 0, float cap = 0)
    {
        CacheShape shape = new(KV, D);
        for (int r = 0; r < rows; r++)
        {
            int T = cache[r].Length, first = window > 0 ? Math.Max(0, T - window) : 0;
            double[] weights = new double[T];
            for (int h = 0; h < H; h++)
            {
                int kv = h / (H / KV);
                double largest = double.NegativeInfinity, total = 0;
                for (int t = first; t < T; t++)
                {
                    float* block = cache[r].Blocks[t / CacheShape.BlockTokens] + layerOffset;
                    double score = 0;
                    for (int d = 0; d < D; d++)
                        score += (double)q[(long)r * ldq + h * D + d] * block[shape.KeyOffset(kv) + d * CacheShape.BlockTokens + t % CacheShape.BlockTokens];
                    weights[t] = cap > 0 ? cap * Math.Tanh(score * scale / cap) : score * scale;
                    largest = Math.Max(largest, weights[t]);
                }
                for (int t = first; t < T; t++)
                    total += weights[t] = Math.Exp(weights[t] - largest);
                for (int d = 0; d < D; d++)
                {
                    double sum = 0;
                    for (int t = first; t < T; t++)
                        sum += weights[t] * (cache[r].Blocks[t / CacheShape.BlockTokens] + layerOffset)[shape.ValueOffset(kv) + t % CacheShape.BlockTokens * shape.ValueWidth + d];
                    output[(long)r * ldo + h * D + d] = (float)(sum / total);
                }
            }
        }
    }
}
