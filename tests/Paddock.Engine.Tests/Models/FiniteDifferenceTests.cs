using Paddock.Engine.Adapters;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Models;

/// <summary>The gradient of every kind of parameter against central differences along random directions.</summary>
public sealed class FiniteDifferenceTests
{
    private const double Epsilon = 4e-3;

    [Theory]
    [InlineData("llama", HeadKind.Token, false)]
    [InlineData("llama", HeadKind.Token, true)]
    [InlineData("llama", HeadKind.Scalar, false)]
    [InlineData("llama", HeadKind.Scalar, true)]
    [InlineData("gpt2", HeadKind.Token, false)]
    [InlineData("gpt2", HeadKind.Token, true)]
    [InlineData("gpt2", HeadKind.Scalar, false)]
    [InlineData("gpt2", HeadKind.Scalar, true)]
    [InlineData("mistral", HeadKind.Token, false)]
    [InlineData("mistral", HeadKind.Token, true)]
    [InlineData("qwen2", HeadKind.Token, false)]
    [InlineData("qwen2", HeadKind.Token, true)]
    [InlineData("qwen3", HeadKind.Token, false)]
    [InlineData("qwen3", HeadKind.Token, true)]
    [InlineData("gemma2", HeadKind.Token, false)]
    [InlineData("gemma2", HeadKind.Token, true)]
    [InlineData("gemma3_text", HeadKind.Token, false)]
    [InlineData("gemma3_text", HeadKind.Token, true)]
    [InlineData("phi3", HeadKind.Token, false)]
    [InlineData("phi3", HeadKind.Token, true)]
    [InlineData("olmo2", HeadKind.Token, false)]
    [InlineData("olmo2", HeadKind.Token, true)]
    [InlineData("smollm3", HeadKind.Token, false)]
    [InlineData("smollm3", HeadKind.Token, true)]
    [InlineData("gpt_neox", HeadKind.Token, false)]
    [InlineData("gpt_neox", HeadKind.Token, true)]
    [InlineData("gpt_neox sequential", HeadKind.Token, false)]
    [InlineData("gpt_neox sequential", HeadKind.Token, true)]
    [InlineData("opt", HeadKind.Token, false)]
    [InlineData("opt", HeadKind.Token, true)]
    [InlineData("mixtral", HeadKind.Token, false)]
    [InlineData("mixtral of all", HeadKind.Token, false)]
    [InlineData("mixtral of all", HeadKind.Token, true)]
    [InlineData("qwen3_moe", HeadKind.Token, false)]
    [InlineData("qwen3_moe", HeadKind.Token, true)]
    [InlineData("olmo2", HeadKind.Scalar, false)]
    [InlineData("gpt_neox", HeadKind.Scalar, true)]
    [InlineData("mixtral", HeadKind.Scalar, false)]
    public void Gradients_of_outputs(string family, HeadKind head, bool adapted)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make(family, pool, head, adapted ? TinyModels.Lora : null);
        RaggedBatch batch = TinyModels.Batch(model.Config, 7, 1, 12);
        float[] coefficients = TinyModels.Coefficients(batch);
        model.Backward(batch, coefficients);
        Check(model, () => Dot(coefficients, TinyModels.Outputs(model, batch)));
    }

    [Theory]
    [InlineData("llama", false)]
    [InlineData("llama", true)]
    [InlineData("gpt2", false)]
    [InlineData("gemma2", false)]
    [InlineData("gemma2", true)]
    public void Gradients_of_log_probs_and_entropies(string family, bool adapted)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make(family, pool, lora: adapted ? TinyModels.Lora : null);
        RaggedBatch batch = TinyModels.Batch(model.Config, 9, 5);
        float[] a = TinyModels.Coefficients(batch), b = TinyModels.Coefficients(batch, "entropy");
        model.Backward(batch, a, b);
        Check(model, () =>
        {
            float[] logProbs = new float[batch.TokenCount], entropies = new float[batch.TokenCount], hits = new float[batch.TokenCount];
            model.ForwardDistribution(batch, logProbs, entropies, hits);
            return Dot(a, logProbs) + Dot(b, entropies);
        });
    }

    [Fact]
    public void Adapters_on_part_of_the_projections()
    {
        using WorkerPool pool = new(1);
        foreach (string[] targets in (string[][])[["q", "v"], ["o"], ["down", "k"]])
        {
            using TrainableTransformer model = TinyModels.Make("llama", pool, lora: new LoraOptions(2, 4, targets, RankStabilised: true));
            RaggedBatch batch = TinyModels.Batch(model.Config, 8, 8);
            float[] coefficients = TinyModels.Coefficients(batch);
            model.Backward(batch, coefficients);
            Check(model, () => Dot(coefficients, TinyModels.Outputs(model, batch)));
        }
    }

    private static void Check(TrainableTransformer model, Func<double> value)
    {
        Parameter[] parameters = [.. model.TrainedParameters];
        double largest = 0;
        List<(string Name, double Expected, double Actual)> results = [];
        foreach (Parameter parameter in parameters)
        {
            RandomStream stream = new(23, parameter.Name);
            float[] direction = new float[parameter.Count], before = model.Trained.Slice(parameter.Offset, parameter.Count).ToArray();
            for (int i = 0; i < direction.Length; i++)
                direction[i] = (float)(stream.NextGaussian() / Math.Sqrt(direction.Length));
            double up = At(Epsilon), down = At(-Epsilon);
            before.CopyTo(model.Trained.Slice(parameter.Offset, parameter.Count));
            double actual = Dot(direction, model.Gradients.Slice(parameter.Offset, parameter.Count).ToArray());
            results.Add((parameter.Name, (up - down) / (2 * Epsilon), actual));
            largest = Math.Max(largest, Math.Abs(actual));

            double At(double epsilon)
            {
                Span<float> values = model.Trained.Slice(parameter.Offset, parameter.Count);
                for (int i = 0; i < values.Length; i++)
                    values[i] = before[i] + (float)(epsilon * direction[i]);
                return value();
            }
        }
        foreach ((string name, double expected, double actual) in results)
            Assert.True(Math.Abs(expected - actual) <= 0.01 * Math.Abs(expected) + 2e-3 * largest, $"{name}: gradient {actual}, finite difference {expected}");
        // a gradient that is never more than the slack would prove nothing
        Assert.True(results.Count(r => Math.Abs(r.Expected) > 0.02 * largest) > results.Count / 2);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
