using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>Reads JSON files from strangers: every failure is a <see cref="BadInputException"/> that names the file and the key.</summary>
internal static class TokenizerJson
{
    // The largest published tokenizer.json is below 40 MB.
    private const long MaxBytes = 256L << 20;

    public static JsonDocument Open(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
            throw new BadInputException($"{path}: no such file");
        if (file.Length > MaxBytes)
            throw new BadInputException($"{path}: {file.Length} bytes; a tokenizer file may have at most {MaxBytes}");
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes, string place)
    {
        if (bytes.Span.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        return Guard(place, () => JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64 }));
    }

    /// <summary>Runs a reader; malformed JSON and strings with lone surrogate escapes become one message.</summary>
    public static T Guard<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadInputException($"{place}: malformed JSON: {e.Message}", e);
        }
    }

    /// <summary>The value of a key, or null when it is absent or null.</summary>
    public static JsonElement? Optional(JsonElement parent, string key, string place)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new BadInputException($"{place}: expected an object");
        return parent.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public static JsonElement Required(JsonElement parent, string key, JsonValueKind kind, string place) =>
        Optional(parent, key, place) is not { } value
            ? throw new BadInputException($"{place}: '{key}' is missing")
            : value.ValueKind == kind ? value : throw new BadInputException($"{place}: '{key}' must be of kind {kind}, not {value.ValueKind}");

    public static string? Text(JsonElement parent, string key, string place) => Optional(parent, key, place) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw new BadInputException($"{place}: '{key}' must be a string");

    public static bool Flag(JsonElement parent, string key, bool absent, string place) => Optional(parent, key, place)?.ValueKind switch
    {
        null => absent,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new BadInputException($"{place}: '{key}' must be true or false"),
    };

    public static int Integer(JsonElement value, string what, string place) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number
            : throw new BadInputException($"{place}: {what} must be a whole number below 2147483648");
}
