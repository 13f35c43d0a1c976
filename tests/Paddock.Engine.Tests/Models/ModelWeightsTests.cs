using Paddock.Engine.Models;

namespace Paddock.Engine.Tests.Models;

public sealed class ModelWeightsTests
{
    [Theory]
    [InlineData("llama", true, HeadKind.Token)]
    [InlineData("llama", false, HeadKind.Token)]
    [InlineData("llama", false, HeadKind.Scalar)]
    [InlineData("gpt2", true, HeadKind.Token)]
    [InlineData("gpt2", false, HeadKind.Token)]
    [InlineData("gpt2", true, HeadKind.Scalar)]
    public void Exported_weights_load_back_bit_equal(string family, bool tied, HeadKind head)
    {
        using ModelWeights weights = ModelWeights.Random(TinyConfigs.Of(family, tied), 5, head);
        if (weights.Layout.Score is { } score)
            weights.Values(score).Fill(0.25f);
        using ModelWeights loaded = ModelWeights.Load(weights.Config, MemoryWeightSource.Of(weights.Export()), head);
        Assert.True(weights.Buffer.Span.SequenceEqual(loaded.Buffer.Span));
    }

    [Fact]
    public void Projections_of_a_checkpoint_are_row_ranges_of_the_fused_matrices()
    {
        using ModelWeights weights = ModelWeights.Random(TinyConfigs.Llama(), 1);
        MemoryWeightSource source = MemoryWeightSource.Of(weights.Export());
        LayerParameters layer = weights.Layout.Layers[1];
        Span<float> qkv = weights.Values(layer.Qkv);
        Assert.Equal(qkv[..(24 * 20)].ToArray(), source.Values("model.layers.1.self_attn.q_proj.weight"));
        Assert.Equal(qkv.Slice(24 * 20, 12 * 20).ToArray(), source.Values("model.layers.1.self_attn.k_proj.weight"));
        Assert.Equal(qkv[(36 * 20)..].ToArray(), source.Values("model.layers.1.self_attn.v_proj.weight"));
        Assert.Equal(weights.Values(layer.GateUp)[(28 * 20)..].ToArray(), source.Values("model.layers.1.mlp.up_proj.weight"));
    }

    [Fact]
    public void Gpt2_matrices_are_transposed()
    {
        using ModelWeights weights = ModelWeights.Random(TinyConfigs.Gpt2(), 1);
        MemoryWeightSource source = MemoryWeightSource.Of(weights.Export());
        Assert.Equal([20, 80], source.Tensors["transformer.h.0.mlp.c_fc.weight"].Shape);
        Assert.Equal(weights.Values(weights.Layout.Layers[0].GateUp)[3 * 20 + 7], source.Values("transformer.h.0.mlp.c_fc.weight")[7 * 80 + 3]);
    }

    [Fact]
    public void Gpt2_files_without_the_prefix_load_and_mask_buffers_are_ignored()
    {
        using ModelWeights weights = ModelWeights.Random(TinyConfigs.Gpt2(), 1);
        MemoryWeightSource source = MemoryWeightSource.Of(weights.Export());
        foreach (string name in source.Tensors.Keys.ToArray())
            source.Rename(name, name["transformer.".Length..]);
        source.Set("h.0.attn.bias", [1, 1, 2, 2], [1, 0, 1, 1]);
        using ModelWeights loaded = ModelWeights.Load(weights.Config, source);
        Assert.True(weights.Buffer.Span.SequenceEqual(loaded.Buffer.Span));
    }

    [Fact]
    public void Parameters_start_on_cache_lines_and_matrices_come_first()
    {
        ParameterLayout layout = new(TinyConfigs.Gpt2(tied: false), HeadKind.Token);
        long count = 0;
        foreach (Parameter parameter in layout.All)
        {
            Assert.Equal(0, parameter.Offset % 16);
            Assert.Equal(parameter.Dimensions == 2, parameter.Offset < layout.MatrixLength);
            count += parameter.Count;
        }
        Assert.Equal(count, layout.ParameterCount);
        Assert.Equal(2 * 33 * 20 + 40 * 20 + 2 * (4 * 20 * 20 + 2 * 80 * 20 + 4 * 20 + 60 + 20 + 80 + 20) + 40, count);
    }

    [Fact]
    public void Fresh_weights_have_the_stated_deviations()
    {
        ModelConfig config = TinyConfigs.Llama() with { VocabularySize = 1000 };
        using ModelWeights weights = ModelWeights.Random(config, 3);
        Assert.Equal(0.02, Deviation(weights.Values(weights.Layout.Embedding)), 0.0005);
        Assert.Equal(0.01, Deviation(weights.Values(weights.Layout.Layers[0].Down)), 0.001);
        Assert.Equal(Enumerable.Repeat(1f, 20), weights.Values(weights.Layout.Layers[1].MlpNorm!).ToArray());
        using ModelWeights again = ModelWeights.Random(config, 3), other = ModelWeights.Random(config, 4);
        Assert.True(weights.Buffer.Span.SequenceEqual(again.Buffer.Span));
        Assert.False(weights.Buffer.Span.SequenceEqual(other.Buffer.Span));
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        MemoryWeightSource source = Checkpoint();
        source.Remove("model.layers.1.self_attn.k_proj.weight");
        Assert.Equal("memory: tensor 'model.layers.1.self_attn.k_proj.weight' is missing; the config asks for one of shape [12, 20]", Refusal(source));
    }

    [Fact]
    public void A_misshapen_tensor_is_named()
    {
        MemoryWeightSource source = Checkpoint();
        source.Set("model.norm.weight", [4, 5], new float[20]);
        Assert.Equal("memory: tensor 'model.norm.weight' has shape [4, 5], the config asks for [20]", Refusal(source));
    }

    [Fact]
    public void An_unknown_tensor_is_named()
    {
        MemoryWeightSource source = Checkpoint();
        source.Set("model.layers.2.mlp.up_proj.weight", [1], [0]);
        Assert.Equal("memory: tensor 'model.layers.2.mlp.up_proj.weight' is not one of a llama model", Refusal(source));
    }

    [Fact]
    public void A_reward_model_is_not_opened_as_a_language_model()
    {
        MemoryWeightSource source = Checkpoint();
        source.Set("score.weight", [1, 20], new float[20]);
        Assert.Equal("memory: tensor 'score.weight' makes this a reward model; open it with a scalar head", Refusal(source));
    }

    [Fact]
    public void A_scalar_head_on_a_language_model_starts_at_zero()
    {
        using ModelWeights weights = ModelWeights.Load(TinyConfigs.Llama(), Checkpoint(), HeadKind.Scalar);
        Assert.Equal(new float[20], weights.Values(weights.Layout.Score!).ToArray());
        Assert.Null(weights.Layout.OutputHead);
    }

    [Fact]
    public void A_config_of_another_shape_than_its_family_is_refused()
    {
        ModelConfig config = TinyConfigs.Llama() with { Biases = true };
        Assert.Equal("a llama model has RMSNorm, gated SiLU, rotary positions and no biases; the config says otherwise",
            Assert.Throws<BadInputException>(() => ModelWeights.Random(config, 0)).Message);
        Assert.StartsWith("model family 'bloom' is not supported; supported are llama, gpt2, mistral,",
            Assert.Throws<BadInputException>(() => ModelWeights.Random(TinyConfigs.Llama() with { Family = "bloom" }, 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_of_a_hostile_config_are_refused_before_memory_is_taken()
    {
        Assert.Contains("layers is not supported", Assert.Throws<BadInputException>(() => new ParameterLayout(TinyConfigs.Llama() with { LayerCount = 1_000_000_000 }, HeadKind.Token)).Message, StringComparison.Ordinal);
        ModelConfig wide = TinyConfigs.Llama() with { VocabularySize = 1 << 30, HiddenSize = 1 << 20 };
        Assert.Contains("tensor 'embedding' would have", Assert.Throws<BadInputException>(() => new ParameterLayout(wide, HeadKind.Token)).Message, StringComparison.Ordinal);
        // a config that fits the limits but not the file is caught by the shapes, not by an allocation
        ModelConfig large = TinyConfigs.Llama() with { VocabularySize = 100_000_000 };
        Assert.Contains("has shape [37, 20], the config asks for [100000000, 20]", Assert.Throws<BadInputException>(() => ModelWeights.Load(large, Checkpoint())).Message, StringComparison.Ordinal);
    }

    private static MemoryWeightSource Checkpoint()
    {
        using ModelWeights weights = ModelWeights.Random(TinyConfigs.Llama(), 2);
        return MemoryWeightSource.Of(weights.Export());
    }

    private static string Refusal(MemoryWeightSource source) => Assert.Throws<BadInputException>(() => ModelWeights.Load(TinyConfigs.Llama(), source)).Message;

    private static double Deviation(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
            sum += (double)value * value;
        return Math.Sqrt(sum / values.Length);
    }
}
