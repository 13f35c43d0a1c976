using System.Globalization;
using System.Text.Json;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Reads JSON that strangers wrote. Size, depth and repeated keys are limited before anything is built from it; every fault becomes one
/// <see cref="BadInputException"/> that names the file.
/// </summary>
internal static class JsonInput
{
    /// <summary>Longest configuration or index that is read.</summary>
    public const int MaxFileBytes = 64 << 20;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Parses a whole file whose root is an object and hands the root to <paramref name="use"/>.</summary>
    public static T ReadFile<T>(string path, Func<JsonElement, T> use)
    {
        using MappedFile file = MappedFile.Open(path, 2, "a JSON file");
        if (file.Length > MaxFileBytes)
            throw new BadInputException($"{path}: {file.Length} bytes, more than the {MaxFileBytes} a JSON file of a model may have");
        return Parse(file.Slice(0, (int)file.Length).ToArray(), path, use);
    }

    /// <summary>Parses one JSON object. <paramref name="use"/> may throw <see cref="BadInputException"/> itself.</summary>
    public static T Parse<T>(ReadOnlyMemory<byte> json, string place, Func<JsonElement, T> use)
    {
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json[3..];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new BadInputException($"{place}: the JSON must be an object, not {Kind(document.RootElement)}");
            return use(document.RootElement);
        }
        // a string or name that is not valid UTF-16 throws InvalidOperationException only when it is read
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadInputException($"{place}: not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>What a value is, in words, for messages.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the text '{Short(value.GetString()!)}'",
        JsonValueKind.Number => Short(value.GetRawText()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    /// <summary>A string of a stranger's file, cut to a length that fits a message.</summary>
    public static string Short(string text) => text.Length <= 80 ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, 77)}...");
}
