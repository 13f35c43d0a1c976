using System.Runtime.Intrinsics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>What nibble formats need of x, once for all columns: its sum over every block, and a copy divided as <see cref="IDecodeFormat.Nibbled"/> says.</summary>
internal static unsafe class DecodeInputs
{
    private const int BlockK = DecodeFormats.BlockK;

    // fewer are done before other threads would have woken
    private const int RowsAlone = 16;

    private struct Context
    {
        public float* X, Scaled, Sums;
        public nint LdX;
        public int K;
    }

    /// <summary>16^-j: what position 4 j + g of a block is multiplied by. The last nibble is moved down instead.</summary>
    public static float Factor(int position) => position >= BlockK - 4 ? 1f : BitConverter.Int32BitsToSingle((127 - position / 4 * 4) << 23);

    /// <summary>Sums [M, K / 32] and <paramref name="scaled"/> [M, K], in scratch of the pool; valid until the next kernel.</summary>
    public static float* Prepare(WorkerPool pool, int M, int K, float* x, int ldx, out float* scaled)
    {
        scaled = pool.SharedScratch(checked((long)M * (K + K / BlockK)));
        Context context = new() { X = x, LdX = ldx, K = K, Scaled = scaled, Sums = scaled + (long)M * K };
        if (M > RowsAlone)
            pool.Run(M, &Row, &context);
        else
            for (int r = 0; r < M; r++)
                Row(&context, r, 0);
        return context.Sums;
    }

    /// <summary>The sum of a block in the one order that every tier and the scalar twin use: four interleaved sums, each a tree.</summary>
    public static Vector128<float> Sum(float* x) =>
        ((Vector128.Load(x) + Vector128.Load(x + 4)) + (Vector128.Load(x + 8) + Vector128.Load(x + 12)))
        + ((Vector128.Load(x + 16) + Vector128.Load(x + 20)) + (Vector128.Load(x + 24) + Vector128.Load(x + 28)));

    private static void Row(void* context, int r, int worker)
    {
        Context* c = (Context*)context;
        float* x = c->X + r * c->LdX, scaled = c->Scaled + (nint)r * c->K, sums = c->Sums + (nint)r * (c->K / BlockK);
        for (int k = 0; k < c->K; k += BlockK, x += BlockK, scaled += BlockK)
        {
            Vector128<float> s = Sum(x);
            *sums++ = (s[0] + s[1]) + (s[2] + s[3]);
            for (int j = 0; j < BlockK; j += 4)
                (Vector128.Load(x + j) * Factor(j)).Store(scaled + j);
        }
    }
}
