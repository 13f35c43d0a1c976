using System.Text.Encodings.Web;
using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tokenizers;

/// <summary>Writes tokenizer.json in the layout of the <c>tokenizers</c> library.</summary>
internal static class TokenizerWriter
{
    public static void Save(Tokenizer tokenizer, string path)
    {
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            path = Path.Combine(path, "tokenizer.json");
        TokenizerParts parts = tokenizer.Parts;
        WriteWhole(path, json =>
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            foreach (AddedToken token in parts.Added)
                Write(json, token);
            json.WriteEndArray();
            WriteRaw(json, "normalizer", parts.Components.Normalizer);
            WriteRaw(json, "pre_tokenizer", parts.Components.PreTokenizer);
            WriteRaw(json, "post_processor", parts.Components.PostProcessor);
            WriteRaw(json, "decoder", parts.Components.Decoder);
            parts.Model.Write(json);
            json.WriteEndObject();
        });
    }

    /// <summary>Writes a JSON file under a temporary name, flushes it, and renames it.</summary>
    public static void WriteWhole(string path, Action<Utf8JsonWriter> write)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        WholeFile.Write(path, file =>
        {
            using Utf8JsonWriter json = new(file, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            write(json);
        });
    }

    private static void Write(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteStartObject();
        json.WriteNumber("id", token.Id);
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.SingleWord);
        json.WriteBoolean("lstrip", token.LStrip);
        json.WriteBoolean("rstrip", token.RStrip);
        json.WriteBoolean("normalized", token.Normalized);
        json.WriteBoolean("special", token.Special);
        json.WriteEndObject();
    }

    private static void WriteRaw(Utf8JsonWriter json, string key, string? raw)
    {
        json.WritePropertyName(key);
        json.WriteRawValue(raw ?? "null");
    }
}
