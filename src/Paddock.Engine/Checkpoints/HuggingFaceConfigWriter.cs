using System.Text.Json;
using Paddock.Engine.Models;
using Paddock.Engine.Models.Families;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Writes <c>config.json</c> in the key style of transformers 4, which transformers 5 and vLLM read as well. The scalar head is the family's
/// <c>ForSequenceClassification</c> with one label.
/// </summary>
internal static class HuggingFaceConfigWriter
{
    public static byte[] Write(ModelConfig config, TensorFormat format, bool scalarHead)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json, new() { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            ModelFamily family = ModelFamily.For(config);
            writer.WriteStartArray("architectures");
            writer.WriteStringValue(family.Class + (scalarHead ? "ForSequenceClassification" : family.TokenClass));
            writer.WriteEndArray();
            writer.WriteString("model_type", config.Family);
            family.Write(writer, config);
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
