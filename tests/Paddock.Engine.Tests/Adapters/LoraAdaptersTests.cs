using Paddock.Engine.Adapters;
using Paddock.Engine.Models;
using Paddock.Engine.Tests.Models;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Engine.Tests.Adapters;

public sealed class LoraAdaptersTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void Fresh_adapters_do_not_change_the_model(string family)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer plain = TinyModels.Make(family, pool);
        using TrainableTransformer adapted = new(plain.Weights.Clone(), new LoraOptions(4, 8, []), 5, pool);
        RaggedBatch batch = TinyModels.Batch(plain.Config, 9, 14);
        Assert.Equal(TinyModels.Outputs(plain, batch), TinyModels.Outputs(adapted, batch));
    }

    [Fact]
    public void Fresh_adapters_start_as_those_of_peft()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = Fresh(pool, new(8, 16, []), 5), same = Fresh(pool, new(8, 16, []), 5), other = Fresh(pool, new(8, 16, []), 6);
        foreach (ExportTensor tensor in model.ExportAdapters())
        {
            float[] values = Values(tensor);
            if (tensor.Name.EndsWith(".lora_B.weight", StringComparison.Ordinal))
            {
                Assert.All(values, v => Assert.Equal(0, v));
                continue;
            }
            double bound = 1 / Math.Sqrt(tensor.Shape[1]);
            Assert.InRange(values.Max(Math.Abs), 0.95 * bound, bound);
            Assert.Equal(bound * bound / 3, values.Average(v => (double)v * v), 0.15 * bound * bound);
        }
        Assert.Equal(Values(model), Values(same));
        Assert.NotEqual(Values(model), Values(other));
    }

    [Fact]
    public void Only_adapters_learn()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool, lora: TinyModels.Lora);
        float[] weights = model.Weights.Buffer.Span.ToArray(), adapters = Values(model);
        RaggedBatch batch = TinyModels.Batch(model.Config, 12);
        model.Backward(batch, TinyModels.Coefficients(batch));
        model.Step(new AdamSettings(1e-2));
        Assert.Equal(weights, model.Weights.Buffer.Span.ToArray());
        Assert.NotEqual(adapters, Values(model));
        // two layers; r (in + out) of q, k, v, o, gate, up, down
        Assert.Equal(2 * 3 * (20 + 24 + 2 * (20 + 12) + 24 + 20 + 3 * (20 + 28)), model.TrainableCount);
    }

    [Fact]
    public void A_scalar_head_learns_with_the_adapters()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = new(ModelWeights.Random(TinyConfigs.Llama(), 1, HeadKind.Scalar), new LoraOptions(2, 2, ["q"]), 5, pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 12);
        Assert.All(TinyModels.Outputs(model, batch), v => Assert.Equal(0, v));
        model.Backward(batch, TinyModels.Coefficients(batch));
        model.Step(new AdamSettings(1e-2));
        float[] outputs = TinyModels.Outputs(model, batch);
        Assert.Contains(outputs, v => v != 0);
        Assert.Equal("base_model.model.score.weight", model.ExportAdapters().Last().Name);
        using TrainableTransformer merged = new(model.MergedWeights(), null, 0, pool);
        Assert.All(outputs.Zip(TinyModels.Outputs(merged, batch)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void Merged_weights_give_the_same_outputs(string family)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make(family, pool, lora: TinyModels.Lora);
        using TrainableTransformer merged = new(model.MergedWeights(), null, 0, pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 9, 14);
        Assert.All(TinyModels.Outputs(model, batch).Zip(TinyModels.Outputs(merged, batch)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Exported_adapters_load_back_bit_equal()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool, lora: TinyModels.Lora), other = Fresh(pool, TinyModels.Lora, 99);
        other.LoadAdapters(MemoryWeightSource.Of(model.ExportAdapters()));
        Assert.Equal(Values(model), Values(other));
    }

    [Fact]
    public void Adapters_of_another_rank_are_refused()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = Fresh(pool, new(2, 2, ["q"]), 1), wide = Fresh(pool, new(4, 2, ["q"]), 1), more = Fresh(pool, new(2, 2, ["q", "v"]), 1);
        Assert.Equal("memory: tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' has shape [4, 20], the config asks for [2, 20]",
            Assert.Throws<BadInputException>(() => model.LoadAdapters(MemoryWeightSource.Of(wide.ExportAdapters()))).Message);
        Assert.Equal("memory: tensor 'base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight' is not one of these adapters; check the rank, the targets and the model",
            Assert.Throws<BadInputException>(() => model.LoadAdapters(MemoryWeightSource.Of(more.ExportAdapters()))).Message);
        using TrainableTransformer plain = TinyModels.Make("llama", pool);
        Assert.Contains("opened without adapters", Assert.Throws<BadInputException>(() => plain.LoadAdapters(MemoryWeightSource.Of(wide.ExportAdapters()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        using WorkerPool pool = new(1);
        Assert.Equal("lora: rank 0 is out of range; it is 1 to 4096", Refusal("llama", new(0, 1, [])));
        Assert.Equal("lora: alpha 0 is out of range; it is a positive number", Refusal("llama", new(1, 0, [])));
        Assert.Equal("lora: this model has no projection 'query' to adapt; it has q, k, v, o, gate, up, down", Refusal("llama", new(1, 1, ["query"])));
        Assert.Equal("lora: this model has no projection 'gate' to adapt; it has q, k, v, o, up, down", Refusal("gpt2", new(1, 1, ["gate"])));

        string Refusal(string family, LoraOptions options)
        {
            using ModelWeights weights = ModelWeights.Random(TinyConfigs.Of(family, true), 1);
            return Assert.Throws<BadInputException>(() => new TrainableTransformer(weights, options, 1, pool)).Message;
        }
    }

    private static TrainableTransformer Fresh(WorkerPool pool, LoraOptions options, ulong seed) => new(ModelWeights.Random(TinyConfigs.Llama(), 1), options, seed, pool);

    private static float[] Values(TrainableTransformer model) => [.. model.ExportAdapters().SelectMany(Values)];

    private static float[] Values(ExportTensor tensor)
    {
        float[] values = new float[tensor.Count];
        tensor.Fill(values);
        return values;
    }
}
