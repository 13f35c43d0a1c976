using System.Text.Json;
using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Writes <c>config.json</c> in the key style of transformers 4, which transformers 5 and vLLM read as well. The scalar head is
/// <c>LlamaForSequenceClassification</c> or <c>GPT2ForSequenceClassification</c> with one label.
/// </summary>
internal static class HuggingFaceConfigWriter
{
    public static byte[] Write(ModelConfig config, TensorFormat format, bool scalarHead)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json, new() { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            string model = config.Family == "gpt2" ? "GPT2" : "Llama";
            writer.WriteStartArray("architectures");
            writer.WriteStringValue(model + (scalarHead ? "ForSequenceClassification" : config.Family == "gpt2" ? "LMHeadModel" : "ForCausalLM"));
            writer.WriteEndArray();
            writer.WriteString("model_type", config.Family);
            if (config.Family == "gpt2")
                Gpt2(writer, config);
            else
                Llama(writer, config);
            Id(writer, "bos_token_id", config.BeginOfSequenceId);
            EndIds(writer, config.EndOfSequenceIds);
            Id(writer, "pad_token_id", config.PadId);
            writer.WriteBoolean("tie_word_embeddings", config.TiedEmbeddings);
            writer.WriteString("torch_dtype", format switch
            {
                TensorFormat.Float16 => "float16",
                TensorFormat.BFloat16 => "bfloat16",
                _ => "float32",
            });
            writer.WriteBoolean("use_cache", true);
            writer.WriteNumber("vocab_size", config.VocabularySize);
            if (scalarHead)
                OneLabel(writer);
            writer.WriteEndObject();
        }
        json.WriteByte((byte)'\n');
        return json.ToArray();
    }

    private static void Llama(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteBoolean("attention_bias", false);
        writer.WriteNumber("attention_dropout", 0);
        writer.WriteNumber("head_dim", config.HeadSize);
        writer.WriteString("hidden_act", "silu");
        writer.WriteNumber("hidden_size", config.HiddenSize);
        writer.WriteNumber("initializer_range", 0.02);
        writer.WriteNumber("intermediate_size", config.FeedForwardSize);
        writer.WriteNumber("max_position_embeddings", config.MaxPositions);
        writer.WriteBoolean("mlp_bias", false);
        writer.WriteNumber("num_attention_heads", config.HeadCount);
        writer.WriteNumber("num_hidden_layers", config.LayerCount);
        writer.WriteNumber("num_key_value_heads", config.KeyValueHeadCount);
        writer.WriteNumber("rms_norm_eps", config.NormEpsilon);
        if (config.RopeScaling is RopeScaling scaling)
        {
            writer.WriteStartObject("rope_scaling");
            writer.WriteNumber("factor", scaling.Factor);
            writer.WriteNumber("high_freq_factor", scaling.HighFrequencyFactor);
            writer.WriteNumber("low_freq_factor", scaling.LowFrequencyFactor);
            writer.WriteNumber("original_max_position_embeddings", scaling.OriginalMaxPositions);
            writer.WriteString("rope_type", "llama3");
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("rope_scaling");
        }
        writer.WriteNumber("rope_theta", config.RopeTheta);
    }

    private static void Gpt2(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteString("activation_function", "gelu_new");
        writer.WriteNumber("initializer_range", 0.02);
        writer.WriteNumber("layer_norm_epsilon", config.NormEpsilon);
        writer.WriteNumber("n_ctx", config.MaxPositions);
        writer.WriteNumber("n_embd", config.HiddenSize);
        writer.WriteNumber("n_head", config.HeadCount);
        writer.WriteNumber("n_inner", config.FeedForwardSize);
        writer.WriteNumber("n_layer", config.LayerCount);
        writer.WriteNumber("n_positions", config.MaxPositions);
        writer.WriteBoolean("scale_attn_weights", true);
    }

    /// <summary>transformers takes the number of labels from this map.</summary>
    private static void OneLabel(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("id2label");
        writer.WriteString("0", "LABEL_0");
        writer.WriteEndObject();
        writer.WriteStartObject("label2id");
        writer.WriteNumber("LABEL_0", 0);
        writer.WriteEndObject();
    }

    private static void Id(Utf8JsonWriter writer, string key, int? id)
    {
        if (id is int value)
            writer.WriteNumber(key, value);
        else
            writer.WriteNull(key);
    }

    private static void EndIds(Utf8JsonWriter writer, IReadOnlyList<int> ids)
    {
        if (ids.Count <= 1)
        {
            Id(writer, "eos_token_id", ids.Count == 1 ? ids[0] : null);
            return;
        }
        writer.WriteStartArray("eos_token_id");
        foreach (int id in ids)
            writer.WriteNumberValue(id);
        writer.WriteEndArray();
    }
}
