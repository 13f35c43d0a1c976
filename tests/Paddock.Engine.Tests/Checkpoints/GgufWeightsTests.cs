using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class GgufWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(TensorFormat.Float32, 2u, true)]
    [InlineData(TensorFormat.BFloat16, 3u, false)]
    [InlineData(TensorFormat.Float16, 3u, true)]
    [InlineData(TensorFormat.Q8_0, 3u, false)]
    [InlineData(TensorFormat.Q5_1, 3u, true)]
    [InlineData(TensorFormat.Q5_0, 3u, true)]
    [InlineData(TensorFormat.Q4_1, 3u, true)]
    [InlineData(TensorFormat.Q4_0, 3u, true)]
    public void Weights_come_back_under_hugging_face_names_and_in_their_order(TensorFormat format, uint version, bool tied)
    {
        GgufBuilder builder = TinyLlama.Metadata(new() { Version = version });
        Dictionary<string, float[]> expected = TinyLlama.Tensors(builder, format, tied);
        using GgufWeights weights = GgufWeights.Open(_folder.Write("m.gguf", builder.Build()));
        Assert.Equal(tied, weights.Config.TiedEmbeddings);
        Assert.Equal(expected.Keys.Order(), weights.Tensors.Keys.Order());
        foreach ((string name, float[] values) in expected)
        {
            TensorInfo tensor = weights.Tensors[name];
            float[] read = new float[tensor.Count], raw = new float[tensor.Count], stored = values;
            if (BlockFormats.IsBlock(tensor.Format))
                BlockFormats.Widen(tensor.Format, BlockQuantiser.Quantise(tensor.Format, values), stored = new float[values.Length]);
            else if (tensor.Format == TensorFormat.Float16)
                stored = [.. values.Select(value => (float)(Half)value)];
            weights.Read(name, read);
            Assert.Equal(stored, read);
            BlockFormats.Widen(tensor.Format, weights.Raw(name), raw);
            Assert.Equal(stored, raw);
        }
    }

    [Fact]
    public void The_config_is_read_from_metadata_of_any_width()
    {
        GgufBuilder builder = TinyLlama.Metadata(new());
        TinyLlama.Tensors(builder, TensorFormat.Float32);
        using GgufFile file = GgufFile.Open(_folder.Write("m.gguf", builder.Build()));
        ModelConfig config = GgufConfig.Read(file);
        Assert.Equal((TinyLlama.Vocabulary, 32, 1, 4, 2, 8, 64, 128),
            (config.VocabularySize, config.HiddenSize, config.LayerCount, config.HeadCount, config.KeyValueHeadCount, config.HeadSize, config.FeedForwardSize, config.MaxPositions));
        Assert.Equal((1e-6f, 500000.0, true, 8, null), (config.NormEpsilon, config.RopeTheta, config.TiedEmbeddings, config.BeginOfSequenceId, config.PadId));
        Assert.Equal([9, 7], config.EndOfSequenceIds);
        Assert.Null(config.RopeScaling);
        GgufTokenizer tokenizer = GgufTokenizer.From(file);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 3, 3], tokenizer.TokenTypes); // stored as int8
        Assert.Equal("a b", Assert.Single(tokenizer.Merges));
    }

    [Fact]
    public void Frequency_divisors_of_llama_3_give_back_its_scaling()
    {
        // Llama 3.2: head size 64, theta 500000, factor 32, low 1, high 4, original length 8192; here with 4 frequencies of a head of 8
        float[] divisors = [1, 1, 0, 32];
        double frequency = Math.Pow(500000, -2.0 * 2 / 8), wavelength = 2 * Math.PI / frequency; // 4443: between 8192 / 4 and 8192
        double smooth = (8192 / wavelength - 1) / (4 - 1);
        divisors[2] = (float)(frequency / ((1 - smooth) * frequency / 32 + smooth * frequency));
        using GgufFile file = Open(builder => builder.Tensor("rope_freqs.weight", [4], TensorFormat.Float32, divisors));
        Assert.Equal(new RopeScaling(32, 1, 4, 8192), GgufConfig.Read(file).RopeScaling);
        divisors[2] *= 1.01f;
        using GgufFile other = Open(builder => builder.Tensor("rope_freqs.weight", [4], TensorFormat.Float32, divisors));
        Assert.Contains("not the scaling of a published Llama 3", Assert.Throws<BadInputException>(() => GgufConfig.Read(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_would_change_the_arithmetic_are_refused()
    {
        AssertRefused("rotary scaling 'linear' by 4", builder => builder.Key("llama.rope.scaling.factor", 4f));
        AssertRefused("rotary scaling 'yarn' by 1", builder => builder.Key("llama.rope.scaling.type", "yarn"));
        AssertRefused("llama.rope.dimension_count 4", builder => builder.Key("llama.rope.dimension_count", 4u));
        AssertRefused("llama.attention.value_length 16", builder => builder.Key("llama.attention.value_length", 16u));
        AssertRefused("llama.expert_count 8", builder => builder.Key("llama.expert_count", 8u));
        AssertRefused("sliding window of 16", builder => builder.Key("llama.attention.sliding_window", 16u));
        AssertRefused("llama.vocab_size is 11 but token_embd.weight has 10 rows", builder => builder.Key("llama.vocab_size", 11u));
        AssertRefused("'llama.attention.key_length' must be a whole number below 2^31, not UInt64 18446744073709551615", builder => builder.Key("llama.attention.key_length", ulong.MaxValue));
        AssertRefused("pad_token_id 10 is outside the vocabulary", builder => builder.Key("tokenizer.ggml.padding_token_id", 10u));
    }

    [Fact]
    public void Other_architectures_and_unknown_tensors_are_refused()
    {
        string other = _folder.Write("o.gguf", new GgufBuilder().Key("general.architecture", "mamba").Build());
        Assert.Contains("architecture 'mamba' is not supported in GGUF files; supported are llama, qwen2", Assert.Throws<BadInputException>(() => GgufWeights.Open(other)).Message, StringComparison.Ordinal);
        GgufBuilder builder = TinyLlama.Metadata(new());
        TinyLlama.Tensors(builder, TensorFormat.Float32);
        builder.Tensor("blk.0.attn_q.bias", [32], TensorFormat.Float32, new float[32]);
        string path = _folder.Write("m.gguf", builder.Build());
        Assert.Contains("tensor 'blk.0.attn_q.bias' is not part", Assert.Throws<BadInputException>(() => GgufWeights.Open(path)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private GgufFile Open(Action<GgufBuilder> change)
    {
        GgufBuilder builder = TinyLlama.Metadata(new());
        TinyLlama.Tensors(builder, TensorFormat.Float32);
        change(builder);
        return GgufFile.Open(_folder.Write($"m{Directory.GetFiles(_folder.Path).Length}.gguf", builder.Build()));
    }

    private void AssertRefused(string message, Action<GgufBuilder> change)
    {
        using GgufFile file = Open(change);
        BadInputException e = Assert.Throws<BadInputException>(() => GgufConfig.Read(file));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
