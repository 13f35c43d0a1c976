using Paddock.Engine.Models;
using Paddock.Engine.Tests.Models;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Engine.Tests.Training;

public sealed class OptimizerTests
{
    private static readonly AdamSettings Adam = new(1e-2, WeightDecay: 0.1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one(bool adapted)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer whole = Make(), half = Make(), resumed = Make();
        RaggedBatch batch = TinyModels.Batch(whole.Config, 12, 20);
        Run(whole, batch, 4);
        Run(half, batch, 2);
        MemoryWeightSource optimizer = MemoryWeightSource.Of(half.ExportOptimizer());
        if (adapted)
            resumed.LoadAdapters(MemoryWeightSource.Of(half.ExportAdapters()));
        else
            half.Trained.Span.CopyTo(resumed.Trained.Span);
        // gradients that were gathered before are not part of the state
        resumed.Backward(batch, TinyModels.Coefficients(batch));
        resumed.LoadOptimizer(optimizer);
        Assert.Equal(2, resumed.Steps);
        Run(resumed, batch, 2);
        Assert.Equal(whole.Trained.Span.ToArray(), resumed.Trained.Span.ToArray());

        TrainableTransformer Make() => TinyModels.Make("gpt2", pool, lora: adapted ? TinyModels.Lora : null);
    }

    [Fact]
    public void Decay_touches_matrices_only()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("gpt2", pool);
        float[] before = model.Trained.Span.ToArray();
        Assert.Equal(0, model.Step(new AdamSettings(0.5, WeightDecay: 0.5)));
        foreach (Parameter parameter in model.TrainedParameters)
            for (int i = 0; i < parameter.Count; i++)
                Assert.Equal(before[parameter.Offset + i] * (parameter.Dimensions == 2 ? 0.75f : 1f), model.Trained.Span[(int)parameter.Offset + i], 1e-7f);
    }

    [Fact]
    public void Gradients_are_clipped_by_their_global_norm()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer clipped = TinyModels.Make("llama", pool), scaled = TinyModels.Make("llama", pool), free = TinyModels.Make("llama", pool);
        RaggedBatch batch = TinyModels.Batch(clipped.Config, 12, 20);
        float[] coefficients = TinyModels.Coefficients(batch);
        clipped.Backward(batch, coefficients);
        scaled.Backward(batch, coefficients);
        free.Backward(batch, coefficients);
        double norm = Math.Sqrt(clipped.Gradients.Span.ToArray().Sum(g => (double)g * g));
        // a large epsilon makes the step proportional to the gradient
        AdamSettings plain = new(1, Epsilon: 1e6, ClipNorm: 0);
        float[] before = clipped.Trained.Span.ToArray();
        Assert.Equal(norm, clipped.Step(plain with { ClipNorm = norm / 4, LearningRate = 1e6 }), 1e-7 * norm);
        Assert.Equal(norm, free.Step(plain with { ClipNorm = 2 * norm, LearningRate = 1e6 }), 1e-7 * norm);
        scaled.Step(plain with { LearningRate = 0.25e6 });
        int moved = 0;
        for (int i = 0; i < before.Length; i++)
        {
            float step = clipped.Trained.Span[i] - before[i];
            Assert.Equal(scaled.Trained.Span[i] - before[i], step, 1e-5f + 1e-3f * Math.Abs(step));
            moved += Math.Abs(step) > 1e-3f ? 1 : 0;
        }
        Assert.True(moved > 100);
        Assert.All(clipped.Gradients.Span.ToArray(), g => Assert.Equal(0, g));
    }

    [Fact]
    public void A_gradient_that_is_not_finite_leaves_the_weights_alone()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 6);
        float[] coefficients = new float[6], before = model.Trained.Span.ToArray();
        Array.Fill(coefficients, float.NaN);
        model.Backward(batch, coefficients);
        Assert.StartsWith("the gradient is not finite at optimizer step 1", Assert.Throws<BadInputException>(() => model.Step(Adam)).Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Trained.Span.ToArray());
        Assert.Equal(0, model.Steps);
    }

    [Fact]
    public void Another_models_optimizer_state_is_refused()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer llama = TinyModels.Make("llama", pool), gpt2 = TinyModels.Make("gpt2", pool);
        Assert.Empty(llama.ExportOptimizer());
        llama.Step(Adam);
        MemoryWeightSource state = MemoryWeightSource.Of(llama.ExportOptimizer());
        Assert.Contains("tensor 'm.embedding' has shape", Assert.Throws<BadInputException>(() => gpt2.LoadOptimizer(state)).Message, StringComparison.Ordinal);
        state.Set("step", [1], [-1]);
        Assert.Equal("memory: tensor 'step' holds -1; it is a whole number of steps, 0 to 16777216", Assert.Throws<BadInputException>(() => llama.LoadOptimizer(state)).Message);
        state.Remove("step");
        Assert.Contains("this is not an optimizer state", Assert.Throws<BadInputException>(() => llama.LoadOptimizer(state)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        Assert.Equal("adam: beta1 1 is out of range; it is at least 0 and below 1", Refusal(Adam with { Beta1 = 1 }));
        Assert.Equal("adam: epsilon 0 is out of range; it is positive", Refusal(Adam with { Epsilon = 0 }));
        Assert.Equal("adam: learning rate NaN is out of range; it is 0 or more", Refusal(Adam with { LearningRate = double.NaN }));
        Assert.Equal("adam: clip norm -1 is out of range; it is 0 (off) or more", Refusal(Adam with { ClipNorm = -1 }));

        static string Refusal(AdamSettings settings) => Assert.Throws<BadInputException>(settings.Check).Message;
    }

    private static void Run(TrainableTransformer model, RaggedBatch batch, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            model.Backward(batch, TinyModels.Coefficients(batch, $"step {model.Steps}"));
            model.Step(Adam);
        }
    }
}
