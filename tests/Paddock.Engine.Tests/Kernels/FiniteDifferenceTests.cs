using Paddock.Engine.Kernels;
using Paddock.Engine.Tests.Kernels.Checks;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Kernels;

/// <summary>
/// Gradients against central differences of forward formulas written out here in double, independent of both the kernels and their twins.
/// </summary>
public sealed unsafe class FiniteDifferenceTests : IDisposable
{
    private const double Step = 1e-5;
    private readonly WorkerPool _pool = new(2);
    private readonly Arena _arena = new("finite differences");

    public void Dispose()
    {
        _arena.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void Rms_norm()
    {
        const int Rows = 2, C = 19;
        const double Eps = 1e-3;
        float* x = _arena.Random(Rows * C), w = _arena.Random(C), dy = _arena.Random(Rows * C), y = _arena.Zeros(Rows * C), rstd = _arena.Zeros(Rows);
        float* dx = _arena.Zeros(Rows * C), dw = _arena.Zeros(C);
        RmsNorm.Forward(_pool, Rows, C, x, w, (float)Eps, y, rstd);
        RmsNorm.Backward(_pool, Rows, C, dy, x, w, rstd, dx, false, dw);
        double[] upstream = Doubles(dy, Rows * C), xs = Doubles(x, Rows * C), ws = Doubles(w, C);
        double Loss()
        {
            double loss = 0;
            for (int r = 0; r < Rows; r++)
            {
                double squares = 0;
                for (int i = 0; i < C; i++)
                    squares += xs[r * C + i] * xs[r * C + i];
                for (int i = 0; i < C; i++)
                    loss += upstream[r * C + i] * xs[r * C + i] / Math.Sqrt(squares / C + Eps) * ws[i];
            }
            return loss;
        }
        Check("dx", xs, dx, Loss);
        Check("dWeight", ws, dw, Loss);
    }

    [Fact]
    public void Layer_norm()
    {
        const int Rows = 2, C = 19;
        const double Eps = 1e-3;
        float* x = _arena.Random(Rows * C), w = _arena.Random(C), b = _arena.Random(C), dy = _arena.Random(Rows * C), y = _arena.Zeros(Rows * C);
        float* mean = _arena.Zeros(Rows), rstd = _arena.Zeros(Rows), dx = _arena.Zeros(Rows * C), dw = _arena.Zeros(C), db = _arena.Zeros(C);
        LayerNorm.Forward(_pool, Rows, C, x, w, b, (float)Eps, y, mean, rstd);
        LayerNorm.Backward(_pool, Rows, C, dy, x, w, mean, rstd, dx, false, dw, db);
        double[] upstream = Doubles(dy, Rows * C), xs = Doubles(x, Rows * C), ws = Doubles(w, C), bs = Doubles(b, C);
        double Loss()
        {
            double loss = 0;
            for (int r = 0; r < Rows; r++)
            {
                double average = 0, variance = 0;
                for (int i = 0; i < C; i++)
                    average += xs[r * C + i] / C;
                for (int i = 0; i < C; i++)
                    variance += (xs[r * C + i] - average) * (xs[r * C + i] - average) / C;
                for (int i = 0; i < C; i++)
                    loss += upstream[r * C + i] * ((xs[r * C + i] - average) / Math.Sqrt(variance + Eps) * ws[i] + bs[i]);
            }
            return loss;
        }
        Check("dx", xs, dx, Loss);
        Check("dWeight", ws, dw, Loss);
        Check("dBias", bs, db, Loss);
    }

    [Fact]
    public void SwiGlu_and_gelu()
    {
        const int Rows = 2, F = 19, N = 2 * Rows * F;
        float* x = _arena.Random(N, 2), dy = _arena.Random(N), dx = _arena.Zeros(N);
        double[] upstream = Doubles(dy, N), xs = Doubles(x, N);
        SwiGlu.Backward(_pool, Rows, F, x, dy, dx);
        Check("SwiGLU", xs, dx, () =>
        {
            double loss = 0;
            for (int r = 0; r < Rows; r++)
                for (int i = 0; i < F; i++)
                    loss += upstream[r * F + i] * xs[2 * r * F + i] / (1 + Math.Exp(-xs[2 * r * F + i])) * xs[(2 * r + 1) * F + i];
            return loss;
        });
        Gelu.Backward(_pool, N, x, dy, dx);
        Check("GELU", xs, dx, () =>
        {
            double loss = 0;
            for (int i = 0; i < N; i++)
                loss += upstream[i] * 0.5 * xs[i] * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (xs[i] + 0.044715 * xs[i] * xs[i] * xs[i])));
            return loss;
        });
    }

    [Fact]
    public void Rope_is_a_rotation_so_its_inverse_is_its_gradient()
    {
        const int Rows = 3, D = 6;
        float* x = _arena.Random(Rows * D), dx = _arena.Random(Rows * D), angle = _arena.Random(9), cos = _arena.Zeros(9), sin = _arena.Zeros(9);
        for (int i = 0; i < 9; i++)
            (cos[i], sin[i]) = (MathF.Cos(angle[i]), MathF.Sin(angle[i]));
        double[] upstream = Doubles(dx, Rows * D), xs = Doubles(x, Rows * D), angles = Doubles(angle, 9);
        Rope.Apply(_pool, Rows, 1, D, dx, D, _arena.Values(2, 0, 1), cos, sin, true);
        int[] position = [2, 0, 1];
        Check("rope", xs, dx, () =>
        {
            double loss = 0;
            for (int r = 0; r < Rows; r++)
                for (int j = 0; j < 3; j++)
                {
                    double c = Math.Cos(angles[3 * position[r] + j]), s = Math.Sin(angles[3 * position[r] + j]), a = xs[r * D + j], b = xs[r * D + j + 3];
                    loss += upstream[r * D + j] * (a * c - b * s) + upstream[r * D + j + 3] * (b * c + a * s);
                }
            return loss;
        });
    }

    [Fact]
    public void Attention_with_grouped_heads()
    {
        const int H = 4, KV = 2, D = 5, Width = (H + 2 * KV) * D, N = 9;
        const double Scale = 0.4;
        int[] offsets = [0, 6, N];
        float* qkv = _arena.Random(N * Width), dO = _arena.Random(N * H * D), o = _arena.Zeros(N * H * D), lse = _arena.Zeros(N * H), d = _arena.Zeros(N * Width);
        int* at = _arena.Values(offsets);
        Attention.Forward(_pool, 2, at, H, KV, D, qkv, Width, (float)Scale, o, lse);
        Attention.Backward(_pool, 2, at, H, KV, D, qkv, Width, (float)Scale, o, lse, dO, d, Width);
        double[] upstream = Doubles(dO, N * H * D), xs = Doubles(qkv, N * Width);
        Check("d qkv", xs, d, () =>
        {
            double loss = 0;
            for (int s = 0; s < 2; s++)
                for (int i = offsets[s]; i < offsets[s + 1]; i++)
                    for (int h = 0; h < H; h++)
                    {
                        double sum = 0;
                        double[] mixed = new double[D];
                        for (int j = offsets[s]; j <= i; j++)
                        {
                            double dot = 0;
                            for (int c = 0; c < D; c++)
                                dot += xs[i * Width + h * D + c] * xs[j * Width + (H + h / 2) * D + c];
                            double e = Math.Exp(Scale * dot);
                            sum += e;
                            for (int c = 0; c < D; c++)
                                mixed[c] += e * xs[j * Width + (H + KV + h / 2) * D + c];
                        }
                        for (int c = 0; c < D; c++)
                            loss += upstream[(i * H + h) * D + c] * mixed[c] / sum;
                    }
            return loss;
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Vocabulary_loss(bool withEntropy)
    {
        const int N = 3, C = 6, V = 21;
        float* h = _arena.Random(N * C), w = _arena.Random(V * C), lp = _arena.Zeros(N), lse = _arena.Zeros(N), e = _arena.Zeros(N);
        float* c = _arena.Random(N), ec = _arena.Random(N), dh = _arena.Zeros(N * C), dW = _arena.Zeros(V * C);
        int* targets = _arena.Integers(N, V);
        VocabularyLoss.Forward(_pool, N, C, V, h, w, targets, lp, lse, e, null);
        VocabularyLoss.Backward(_pool, N, C, V, h, w, targets, lse, c, withEntropy ? e : null, withEntropy ? ec : null, dh, dW);
        double[] hs = Doubles(h, N * C), ws = Doubles(w, V * C), cs = Doubles(c, N), ecs = Doubles(ec, N);
        int[] wanted = [targets[0], targets[1], targets[2]];
        double Loss()
        {
            double loss = 0;
            for (int i = 0; i < N; i++)
            {
                double[] z = new double[V];
                double sum = 0, entropy = 0;
                for (int j = 0; j < V; j++)
                {
                    for (int k = 0; k < C; k++)
                        z[j] += hs[i * C + k] * ws[j * C + k];
                    sum += Math.Exp(z[j]);
                }
                for (int j = 0; j < V; j++)
                    entropy -= Math.Exp(z[j]) / sum * (z[j] - Math.Log(sum));
                loss += cs[i] * (z[wanted[i]] - Math.Log(sum)) + (withEntropy ? ecs[i] * entropy : 0);
            }
            return loss;
        }
        Check("dh", hs, dh, Loss);
        Check("dW", ws, dW, Loss);
    }

    private static double[] Doubles(float* p, int count)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = p[i];
        return values;
    }

    // the error of a central difference in double is about 1e-10, that of the kernels some 1e-7
    private static void Check(string what, double[] x, float* gradient, Func<double> loss)
    {
        for (int i = 0; i < x.Length; i++)
        {
            double at = x[i];
            x[i] = at + Step;
            double above = loss();
            x[i] = at - Step;
            double slope = (above - loss()) / (2 * Step);
            x[i] = at;
            Assert.True(Math.Abs(slope - gradient[i]) <= 5e-6 * Math.Max(1, Math.Abs(slope)), $"{what}[{i}] is {gradient[i]:R}, finite difference {slope:R}");
        }
    }
}
