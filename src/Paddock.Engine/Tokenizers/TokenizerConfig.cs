using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>
/// What tokenizer_config.json says beyond tokenizer.json: which token plays which role, and the chat template's source. All optional.
/// </summary>
public sealed record TokenizerConfig(string? BosToken = null, string? EosToken = null, string? PadToken = null, string? UnknownToken = null,
    string? ChatTemplate = null)
{
    /// <summary>Reads tokenizer_config.json of a folder, and chat_template.jinja, which wins; null when neither is there.</summary>
    /// <exception cref="BadInputException">A malformed file.</exception>
    public static TokenizerConfig? Load(string folder)
    {
        string path = Path.Combine(folder, "tokenizer_config.json");
        TokenizerConfig? config = null;
        if (File.Exists(path))
            using (JsonDocument document = TokenizerJson.Open(path))
                config = TokenizerJson.Guard(path, () => Read(document.RootElement, path));
        string jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
            config = (config ?? new TokenizerConfig()) with { ChatTemplate = File.ReadAllText(jinja) };
        return config;
    }

    /// <summary>Writes tokenizer_config.json so that <c>transformers</c> loads the folder. The file appears whole.</summary>
    public void Save(string folder) => TokenizerWriter.WriteWhole(Path.Combine(folder, "tokenizer_config.json"), json =>
    {
        json.WriteStartObject();
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        foreach ((string key, string? value) in new[]
        {
            ("bos_token", BosToken), ("eos_token", EosToken), ("pad_token", PadToken), ("unk_token", UnknownToken), ("chat_template", ChatTemplate),
        })
            if (value != null)
                json.WriteString(key, value);
        json.WriteEndObject();
    });

    private static TokenizerConfig Read(JsonElement root, string path)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new BadInputException($"{path}: expected a JSON object");
        return new TokenizerConfig(Token("bos_token"), Token("eos_token"), Token("pad_token"), Token("unk_token"), Template());

        // A token is a string, or an object whose content is it.
        string? Token(string key)
        {
            if (!root.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                return null;
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out JsonElement content))
                value = content;
            return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new BadInputException($"{path}: {key} must be a string");
        }

        // A template is a string, or a list of named ones; 'default' is the one for chats.
        string? Template()
        {
            if (!root.TryGetProperty("chat_template", out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                return null;
            if (value.ValueKind == JsonValueKind.String)
                return value.GetString();
            if (value.ValueKind == JsonValueKind.Array)
                foreach (JsonElement entry in value.EnumerateArray())
                    if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out JsonElement name)
                        && name.ValueEquals("default") && entry.TryGetProperty("template", out JsonElement template))
                        return template.GetString();
            throw new BadInputException($"{path}: chat_template must be a string, or a list with an entry named 'default'");
        }
    }
}
