using System.Text.Json;

namespace Paddock.Engine.Checkpoints;

/// <summary>The keys of one JSON object, read by type; a value of another type is an error that names file and key.</summary>
/// <param name="Path">Prefix of the key in messages: empty at the root.</param>
internal readonly record struct JsonKeys(JsonElement Root, string Place, string Path = "")
{
    /// <summary>Absent and null are the same, as in the configs of transformers.</summary>
    public bool Find(string key, out JsonElement value) => Root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    public bool Has(string key) => Find(key, out _);

    /// <summary>Whether the key is there and says null.</summary>
    public bool HasNull(string key) => Root.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>The text of a key, or the default; an error unless it is one of those supported.</summary>
    public string RequireText(string key, string absent, params ReadOnlySpan<string> supported)
    {
        string value = Text(key) ?? absent;
        return supported.Contains(value) ? value : throw new BadInputException($"{Place}: {key} '{JsonInput.Short(value)}' is not supported for this family; supported is {supported[0]}");
    }

    /// <summary>An error when the key is there and says otherwise.</summary>
    public void RequireFlag(string key, bool supported)
    {
        if (Flag(key) is bool value && value != supported)
            throw new BadInputException($"{Place}: {key} {(value ? "true" : "false")} is not supported for this family");
    }

    public int RequiredInt(string key) =>
        Int(key) ?? throw new BadInputException($"{Place}: key '{Path}{key}' is missing; it must be a whole number");

    public int? Int(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Wrong(key, value, "a whole number below 2^31");
    }

    public double? Number(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Wrong(key, value, "a finite number");
    }

    public bool? Flag(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, value, "true or false");
    }

    public string? Text(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, value, "text");
    }

    public JsonKeys? Object(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Object ? new JsonKeys(value, Place, $"{Path}{key}.") : throw Wrong(key, value, "an object");
    }

    /// <summary>One whole number or a list of them; empty when absent.</summary>
    public List<int> Ints(string key)
    {
        List<int> numbers = [];
        if (!Find(key, out JsonElement value))
            return numbers;
        if (value.ValueKind != JsonValueKind.Array)
        {
            numbers.Add(Int(key)!.Value);
            return numbers;
        }
        foreach (JsonElement item in value.EnumerateArray())
            numbers.Add(item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number) ? number : throw Wrong(key, item, "whole numbers"));
        return numbers;
    }

    /// <summary>A list of texts; null when absent.</summary>
    public List<string>? Texts(string key)
    {
        if (!Find(key, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(key, value, "a list of texts");
        List<string> texts = [];
        foreach (JsonElement item in value.EnumerateArray())
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(key, item, "texts"));
        return texts;
    }

    private BadInputException Wrong(string key, JsonElement value, string expected) =>
        new($"{Place}: key '{Path}{key}' must be {expected}, not {JsonInput.Kind(value)}");
}
