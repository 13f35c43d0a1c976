using System.Text;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class HuggingFaceConfigTests : IDisposable
{
    private const string Llama = """{"model_type":"llama","vocab_size":100,"hidden_size":48,"intermediate_size":112,"num_hidden_layers":3,"num_attention_heads":6""";
    private const string Gpt2 = """{"model_type":"gpt2","vocab_size":100,"n_embd":48,"n_layer":3,"n_head":4""";

    private readonly TemporaryFolder _folder = new();

    [SharedTheory]
    [InlineData("llama")]
    [InlineData("llama_tied")]
    [InlineData("llama3_rope")]
    [InlineData("llama_sharded")]
    [InlineData("llama_reward")]
    [InlineData("gpt2")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("gemma2")]
    [InlineData("gemma3_text")]
    [InlineData("phi3")]
    [InlineData("phi4_mini")]
    [InlineData("olmo2")]
    [InlineData("smollm3")]
    [InlineData("gpt_neox")]
    [InlineData("opt")]
    [InlineData("mixtral")]
    [InlineData("qwen3_moe")]
    public void Both_key_styles_give_the_same_config(string family)
    {
        string folder = SharedFolder.Get("golden", "hf", family);
        ModelConfig now = HuggingFaceConfig.Read(folder), legacy = HuggingFaceConfig.Read(Path.Combine(folder, "config.legacy.json"));
        Assert.Equal(now with { EndOfSequenceIds = [] }, legacy with { EndOfSequenceIds = [] });
        int end = family.StartsWith("gemma", StringComparison.Ordinal) ? 1 : 2;
        Assert.Equal([end], now.EndOfSequenceIds);
        Assert.Equal([end], legacy.EndOfSequenceIds);
        HuggingFaceFolder.Save(_folder["saved"], now, [], TensorFormat.Float32, null);
        ModelConfig saved = HuggingFaceConfig.Read(_folder["saved"]);
        Assert.Equal(now with { EndOfSequenceIds = [] }, saved with { EndOfSequenceIds = [] });
    }

    [SharedFact]
    public void Published_configs_are_read_in_full()
    {
        ModelConfig llama = HuggingFaceConfig.Read(SharedFolder.Get("golden", "hf", "llama3_rope"));
        Assert.Equal(("llama", 320, 64, 2, 4, 2, 16, 96, 256), (llama.Family, llama.VocabularySize, llama.HiddenSize, llama.LayerCount, llama.HeadCount, llama.KeyValueHeadCount, llama.HeadSize, llama.FeedForwardSize, llama.MaxPositions));
        Assert.Equal((new RopeScaling(8, 1, 4, 32), 1000.0, 1e-5f, true, false, 1, null),
            (llama.RopeScaling, llama.RopeTheta, llama.NormEpsilon, llama.TiedEmbeddings, llama.Biases, llama.BeginOfSequenceId, llama.PadId));
        ModelConfig gpt2 = HuggingFaceConfig.Read(SharedFolder.Get("golden", "hf", "gpt2"));
        Assert.Equal(("gpt2", 352, 48, 3, 4, 4, 12, 192, 64), (gpt2.Family, gpt2.VocabularySize, gpt2.HiddenSize, gpt2.LayerCount, gpt2.HeadCount, gpt2.KeyValueHeadCount, gpt2.HeadSize, gpt2.FeedForwardSize, gpt2.MaxPositions));
        Assert.Equal((NormKind.LayerNorm, ActivationKind.GeluTanh, PositionKind.Learned, true, true), (gpt2.Norm, gpt2.Activation, gpt2.Position, gpt2.TiedEmbeddings, gpt2.Biases));
    }

    [Fact]
    public void Absent_keys_take_the_defaults_of_transformers()
    {
        ModelConfig llama = Read(Llama + "}");
        Assert.Equal((6, 8, 2048, 1e-6f, 10000.0, false), (llama.KeyValueHeadCount, llama.HeadSize, llama.MaxPositions, llama.NormEpsilon, llama.RopeTheta, llama.TiedEmbeddings));
        Assert.Equal((null, null), (llama.BeginOfSequenceId, llama.PadId));
        Assert.Empty(llama.EndOfSequenceIds);
        ModelConfig gpt2 = Read(Gpt2 + "}");
        Assert.Equal((192, 1024, 1e-5f, true), (gpt2.FeedForwardSize, gpt2.MaxPositions, gpt2.NormEpsilon, gpt2.TiedEmbeddings));
    }

    [Fact]
    public void End_ids_are_the_union_of_both_files()
    {
        _folder.Write("generation_config.json", """{"eos_token_id":[7,8,7],"bos_token_id":1,"pad_token_id":3}""");
        ModelConfig config = Read(Llama + ""","eos_token_id":[9,7],"bos_token_id":5,"pad_token_id":-1}""");
        Assert.Equal([9, 7, 8], config.EndOfSequenceIds);
        Assert.Equal((5, 3), (config.BeginOfSequenceId, config.PadId)); // config.json goes first; -1 is none
    }

    [Fact]
    public void A_byte_order_mark_is_skipped() => Assert.Equal(100, Read("\uFEFF" + Llama + "}").VocabularySize);

    [Theory]
    [InlineData("""{"model_type":"mamba"}""", "model_type 'mamba' is not supported; supported are llama, gpt2, mistral,")]
    [InlineData("""{"vocab_size":1}""", "key 'model_type' is missing; supported are llama, gpt2, mistral,")]
    [InlineData("""{"model_type":"llama"}""", "key 'hidden_size' is missing; it must be a whole number")]
    [InlineData("""{"model_type":["llama"]}""", "key 'model_type' must be text, not a list")]
    [InlineData("""[1]""", "the JSON must be an object, not a list")]
    [InlineData("""{"model_type":"llama","model_type":"gpt2"}""", "Duplicate property 'model_type'")]
    [InlineData("""{"model_type":"\ud800"}""", "not valid JSON")]
    [InlineData("""{"model_type":"llama","quantization_config":{}}""", "the weights are quantised")]
    [InlineData(Gpt2 + ""","n_head":5}""", "Duplicate property 'n_head'")]
    [InlineData(Gpt2 + ""","activation_function":"relu"}""", "activation_function 'relu' is not supported")]
    [InlineData(Gpt2 + ""","scale_attn_by_inverse_layer_idx":true}""", "scale_attn_by_inverse_layer_idx true is not supported")]
    [InlineData(Gpt2 + ""","scale_attn_weights":false}""", "scale_attn_weights false is not supported")]
    [InlineData(Llama + ""","hidden_act":"gelu"}""", "hidden_act 'gelu' is not supported")]
    [InlineData(Llama + ""","attention_bias":true}""", "attention_bias true is not supported")]
    [InlineData(Llama + ""","mlp_bias":true}""", "mlp_bias true is not supported")]
    [InlineData(Llama + ""","rope_scaling":{"type":"dynamic","factor":2.0}}""", "rotary scaling 'dynamic' is not supported; supported are default, linear and llama3")]
    [InlineData(Llama + ""","rope_scaling":{"type":"linear"}}""", "key 'rope_scaling.factor' is missing")]
    [InlineData(Llama + ""","rope_scaling":{"type":"linear","factor":-1}}""", "the linear rotary factor -1")]
    [InlineData(Llama + ""","rope_parameters":{"rope_type":"yarn"}}""", "rotary scaling 'yarn' is not supported")]
    [InlineData(Llama + ""","rope_scaling":{"rope_type":"llama3","factor":2.0}}""", "key 'rope_scaling.low_freq_factor' is missing")]
    [InlineData(Llama + ""","rope_scaling":{"rope_type":"llama3","factor":2.0,"low_freq_factor":4,"high_freq_factor":1,"original_max_position_embeddings":8}}""", "low < high frequency factors")]
    [InlineData(Llama + ""","rope_theta":"big"}""", "key 'rope_theta' must be a finite number, not the text 'big'")]
    [InlineData(Llama + ""","rope_theta":1e999}""", "key 'rope_theta' must be a finite number")]
    [InlineData(Llama + ""","rope_theta":0}""", "the rotary base must be positive")]
    [InlineData(Llama + ""","rms_norm_eps":-1}""", "the epsilon of the norms must be 0 or more")]
    [InlineData(Llama + ""","num_key_value_heads":4}""", "6 heads cannot share 4 key and value heads evenly")]
    [InlineData(Llama + ""","num_key_value_heads":12}""", "6 heads cannot share 12 key and value heads evenly")]
    [InlineData(Llama + ""","num_key_value_heads":0}""", "key and value heads must be positive, not 0")]
    [InlineData(Llama + ""","head_dim":7}""", "rotary positions need an even head size, not 7")]
    [InlineData(Llama + ""","head_dim":-8}""", "the head size must be positive, not -8")]
    [InlineData(Llama + ""","head_dim":2000000000}""", "the width of all heads would have 6 x 2000000000 values")]
    [InlineData(Llama + ""","max_position_embeddings":0}""", "the number of positions must be positive")]
    [InlineData(Llama + ""","tie_word_embeddings":1}""", "key 'tie_word_embeddings' must be true or false, not 1")]
    [InlineData(Llama + ""","eos_token_id":100}""", "eos_token_id 100 is outside the vocabulary of 100")]
    [InlineData(Llama + ""","eos_token_id":[1,"x"]}""", "key 'eos_token_id' must be whole numbers, not the text 'x'")]
    [InlineData(Llama + ""","pad_token_id":-2}""", "pad_token_id -2 is outside the vocabulary")]
    [InlineData("""{"model_type":"llama","vocab_size":100,"hidden_size":48,"intermediate_size":112,"num_hidden_layers":2000000000,"num_attention_heads":6}""", "2000000000 layers are more than")]
    [InlineData("""{"model_type":"llama","vocab_size":100000000,"hidden_size":48,"intermediate_size":112,"num_hidden_layers":1,"num_attention_heads":6}""", "the embedding would have 100000000 x 48 values")]
    [InlineData("""{"model_type":"llama","vocab_size":9,"hidden_size":48,"intermediate_size":112000000,"num_hidden_layers":1,"num_attention_heads":6}""", "an MLP matrix would have")]
    [InlineData("""{"model_type":"llama","vocab_size":9,"hidden_size":49,"intermediate_size":112,"num_hidden_layers":1,"num_attention_heads":6}""", "hidden_size 49 is not a multiple of num_attention_heads 6")]
    [InlineData("""{"model_type":"llama","vocab_size":9,"hidden_size":48,"intermediate_size":112,"num_hidden_layers":1,"num_attention_heads":0}""", "num_attention_heads 0")]
    [InlineData("""{"model_type":"llama","vocab_size":3000000000,"hidden_size":48,"intermediate_size":112,"num_hidden_layers":1,"num_attention_heads":6}""", "key 'vocab_size' must be a whole number below 2^31, not 3000000000")]
    [InlineData("""{"model_type":"gpt2","vocab_size":9,"n_embd":2147483647,"n_layer":3,"n_head":1}""", "n_embd 2147483647 must be a positive multiple")]
    [InlineData("""{"model_type":"gpt2","vocab_size":9,"n_embd":-4,"n_layer":3,"n_head":1}""", "n_embd -4 must be a positive multiple")]
    public void A_bad_config_is_one_clear_error(string json, string message)
    {
        BadInputException e = Assert.Throws<BadInputException>(() => Read(json));
        Assert.StartsWith(_folder["config.json"], e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nested_and_cut_json_is_bad_input()
    {
        Assert.Contains("depth", Assert.Throws<BadInputException>(() => Read("{\"a\":" + new string('[', 100_000))).Message, StringComparison.Ordinal);
        string whole = Llama + ""","rope_scaling":{"rope_type":"default"},"eos_token_id":[1,2]}""";
        for (int length = 0; length < whole.Length; length++)
            Assert.Throws<BadInputException>(() => Read(whole[..length]));
    }

    [Fact]
    public void A_changed_byte_is_read_or_is_bad_input()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Llama + ""","rope_theta":1e4,"rope_scaling":null,"eos_token_id":[1,2]}""");
        int read = 0;
        for (int i = 0; i < whole.Length; i++)
            foreach (byte change in (byte[])[0x01, 0x02, 0x80])
            {
                byte[] changed = [.. whole];
                changed[i] ^= change;
                try
                {
                    HuggingFaceConfig.Read(_folder.Write("config.json", changed));
                    read++;
                }
                catch (BadInputException)
                {
                }
            }
        Assert.InRange(read, 1, 3 * whole.Length - 1);
    }

    [Fact]
    public void A_missing_config_is_named() =>
        Assert.Contains(_folder["config.json"], Assert.Throws<BadInputException>(() => HuggingFaceConfig.Read(_folder.Path)).Message, StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    private ModelConfig Read(string json)
    {
        _folder.Write("config.json", json);
        return HuggingFaceConfig.Read(_folder.Path);
    }
}
