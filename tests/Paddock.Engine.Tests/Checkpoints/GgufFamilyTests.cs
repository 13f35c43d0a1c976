using System.Globalization;
using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Tests.Models;
using Paddock.Engine.Threading;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>Each architecture as a GGUF file, written from the goldens by the converter's rules, gives the golden's logits.</summary>
public sealed class GgufFamilyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [SharedTheory]
    [InlineData("llama", "llama", true)]
    [InlineData("qwen2", "qwen2", false)]
    [InlineData("qwen3", "qwen3", false)]
    [InlineData("gemma2", "gemma2", false)]
    [InlineData("gemma3_text", "gemma3", false)]
    [InlineData("phi3", "phi3", false)]
    [InlineData("phi4_mini", "phi3", false)]
    [InlineData("olmo2", "olmo2", false)]
    [InlineData("smollm3", "smollm3", true)]
    public void Logits_from_a_gguf_equal_those_of_the_reference(string family, string architecture, bool turned)
    {
        using GoldenModel golden = GoldenModel.Shared(family);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(golden.Folder, "config.legacy.json")));
        JsonElement json = document.RootElement;
        using SafetensorsFile source = SafetensorsFile.Open(Path.Combine(golden.Folder, "model.safetensors"));
        GgufBuilder builder = Metadata(new(), architecture, json);
        int headSize = json.TryGetProperty("head_dim", out JsonElement d) && d.ValueKind == JsonValueKind.Number ? d.GetInt32() : Int(json, "hidden_size") / Int(json, "num_attention_heads");
        foreach (TensorInfo tensor in source.Tensors.Values)
        {
            float[] values = new float[tensor.Count];
            source.Read(tensor.Name, values);
            if (turned && (tensor.Name.Contains("q_proj", StringComparison.Ordinal) || tensor.Name.Contains("k_proj", StringComparison.Ordinal)))
                values = Turn(values, tensor.Shape[0], tensor.Shape[1], headSize);
            if (architecture.StartsWith("gemma", StringComparison.Ordinal) && tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal))
                values = [.. values.Select(v => v + 1)];
            builder.Tensor(Name(tensor.Name, architecture), [.. tensor.Shape], TensorFormat.Float32, values);
        }
        using GgufWeights file = GgufWeights.Open(_folder.Write("m.gguf", builder.Build()));
        ModelConfig expected = HuggingFaceConfig.Read(golden.Folder);
        Assert.Equal(expected.Family, file.Config.Family);
        Assert.Equal((expected.SlidingWindow, expected.SlidingLayers, expected.UnrotatedLayers, expected.RotarySize, expected.RopeFactor, expected.Block, expected.QueryKeyNorm, expected.TiedEmbeddings),
            (file.Config.SlidingWindow, file.Config.SlidingLayers, file.Config.UnrotatedLayers, file.Config.RotarySize, file.Config.RopeFactor, file.Config.Block, file.Config.QueryKeyNorm, file.Config.TiedEmbeddings));
        using WorkerPool pool = new(2);
        using TrainableTransformer model = new(ModelWeights.Load(file.Config, file), null, 1, pool);
        RaggedBatch batch = new();
        batch.Add(golden.Sequences[2], new int[golden.Sequences[2].Length]);
        float[] logits = new float[batch.TokenCount * file.Config.VocabularySize], reference = golden.Values("logits.2");
        model.Logits(batch, logits);
        Assert.Equal(reference.Length, logits.Length);
        for (int i = 0; i < logits.Length; i++)
            Assert.Equal(reference[i], logits[i], golden.Tolerance("logits_max_abs"));
    }

    public void Dispose() => _folder.Dispose();

    private static GgufBuilder Metadata(GgufBuilder builder, string architecture, JsonElement json)
    {
        builder.Key("general.architecture", architecture);
        Size("block_count", "num_hidden_layers");
        Size("context_length", "max_position_embeddings");
        Size("embedding_length", "hidden_size");
        Size("feed_forward_length", "intermediate_size");
        Size("attention.head_count", "num_attention_heads");
        Size("attention.head_count_kv", "num_key_value_heads");
        Size("attention.key_length", "head_dim");
        Size("attention.value_length", "head_dim");
        Size("attention.sliding_window", "sliding_window");
        Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        Float("rope.freq_base", "rope_theta");
        Float("attn_logit_softcapping", "attn_logit_softcapping");
        Float("final_logit_softcapping", "final_logit_softcapping");
        Size("attention.sliding_window_pattern", "sliding_window_pattern");
        if (json.TryGetProperty("query_pre_attn_scalar", out JsonElement scalar))
            builder.Key($"{architecture}.attention.scale", (float)(1 / Math.Sqrt(scalar.GetDouble())));
        if (json.TryGetProperty("partial_rotary_factor", out JsonElement share))
            builder.Key($"{architecture}.rope.dimension_count", (uint)(share.GetDouble() * Int(json, "hidden_size") / Int(json, "num_attention_heads")));
        if (json.TryGetProperty("rope_scaling", out JsonElement scaling) && scaling.ValueKind == JsonValueKind.Object)
            builder.Key($"{architecture}.rope.scaling.type", "linear").Key($"{architecture}.rope.scaling.factor", (float)scaling.GetProperty("factor").GetDouble());
        return builder;

        void Size(string key, string from)
        {
            if (json.TryGetProperty(from, out JsonElement value) && value.ValueKind == JsonValueKind.Number)
                builder.Key($"{architecture}.{key}", value.GetUInt32());
        }

        void Float(string key, string from)
        {
            if (json.TryGetProperty(from, out JsonElement value) && value.ValueKind == JsonValueKind.Number)
                builder.Key($"{architecture}.{key}", value.GetSingle());
        }
    }

    // gguf-py's names, written from its tables
    private static string Name(string name, string architecture)
    {
        string[] parts = name.Split('.');
        if (parts is ["model", "layers", string layer, ..])
        {
            string place = string.Join('.', parts[3..^1]);
            string part = place switch
            {
                "input_layernorm" => "attn_norm",
                "self_attn.q_proj" => "attn_q",
                "self_attn.k_proj" => "attn_k",
                "self_attn.v_proj" => "attn_v",
                "self_attn.qkv_proj" => "attn_qkv",
                "self_attn.o_proj" => "attn_output",
                "self_attn.q_norm" => "attn_q_norm",
                "self_attn.k_norm" => "attn_k_norm",
                "post_attention_layernorm" when architecture is "gemma2" or "gemma3" or "olmo2" => "post_attention_norm",
                "post_attention_layernorm" or "pre_feedforward_layernorm" => "ffn_norm",
                "post_feedforward_layernorm" => "post_ffw_norm",
                "mlp.gate_proj" => "ffn_gate",
                "mlp.up_proj" or "mlp.gate_up_proj" => "ffn_up",
                "mlp.down_proj" => "ffn_down",
                _ => throw new ArgumentException(name),
            };
            return string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{part}.{parts[^1]}");
        }
        return name switch
        {
            "model.embed_tokens.weight" => "token_embd.weight",
            "model.norm.weight" => "output_norm.weight",
            "lm_head.weight" => "output.weight",
            _ => throw new ArgumentException(name),
        };
    }

    // reshape(heads, 2, D/2, C).swapaxes(1, 2)
    private static float[] Turn(float[] values, int rows, int columns, int headSize)
    {
        float[] turned = new float[values.Length];
        for (int r = 0; r < rows; r++)
        {
            int inHead = r % headSize, to = r - inHead + 2 * (inHead % (headSize / 2)) + inHead / (headSize / 2);
            Array.Copy(values, r * columns, turned, to * columns, columns);
        }
        return turned;
    }

    private static int Int(JsonElement json, string key) => json.GetProperty(key).GetInt32();
}
