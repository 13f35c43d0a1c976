using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>Ids of a file's prompts: given on every row or on none, and one id never names two prompts.</summary>
internal sealed class RowIds
{
    private readonly Dictionary<string, int> _contents = new(StringComparer.Ordinal);
    private bool _without;

    /// <summary>Null when the id fits what came before, else what is wrong.</summary>
    public string? Check(string? id, IReadOnlyList<ChatMessage> messages)
    {
        if (id == null)
        {
            _without = true;
            return _contents.Count > 0 ? "missing, though rows before have one" : null;
        }
        if (_without)
            return "present, though rows before have none";
        HashCode hash = default;
        foreach (ChatMessage message in messages)
            hash.Add(message);
        int content = hash.ToHashCode();
        if (_contents.TryAdd(id, content) || _contents[id] == content)
            return null;
        return $"\"{Row.Short(id)}\" names another prompt on a row before";
    }
}

/// <summary>One row as it is read: typed access to its fields, each fault noted with its field and what was expected there.</summary>
internal sealed class Row(string where, long index, JsonElement json, RowIds ids)
{
    private List<string>? _problems;

    /// <summary>File and line, or file and index.</summary>
    public string Where => where;

    /// <summary>Number of the row in its file, from 0.</summary>
    public long Index => index;

    public JsonElement Json => json;

    public IReadOnlyList<string> Problems => _problems ?? [];

    public bool IsBroken => _problems != null;

    public void Problem(string? field, string what) => (_problems ??= []).Add(field == null ? $"{where}: {what}" : $"{where}: {field}: {what}");

    public bool IsObject
    {
        get
        {
            if (json.ValueKind == JsonValueKind.Object)
                return true;
            Problem(null, $"expected an object, not {Kind(json)}");
            return false;
        }
    }

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string field) => Get(field) != null;

    /// <summary>The field, or null when it is absent or null.</summary>
    public JsonElement? Get(string field) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A string that must be there; empty is allowed.</summary>
    public string Text(string field)
    {
        if (Get(field) is { } value)
            return TextOf(value, field);
        Problem(field, "missing; expected a string");
        return "";
    }

    public string? OptionalText(string field) => Get(field) is { } value ? TextOf(value, field) : null;

    /// <summary>A finite number within bounds, or null when it is absent.</summary>
    public double? OptionalNumber(string field, double low = double.MinValue, double high = double.MaxValue)
    {
        if (Get(field) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= low && number <= high)
            return number;
        string bounds = low == double.MinValue ? "a finite number" : $"a number from {low} to {high}";
        Problem(field, value.ValueKind == JsonValueKind.Number ? $"expected {bounds}, not {Short(value.GetRawText())}" : $"expected {bounds}, not {Kind(value)}");
        return null;
    }

    /// <summary>True or false, or 1 or 0.</summary>
    public bool Flag(string field)
    {
        JsonElement? value = Get(field);
        if (value is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag)
            return flag.GetBoolean();
        if (value is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out double bit) && bit is 0 or 1)
            return bit == 1;
        Problem(field, value is { } other ? $"expected true or false, not {Kind(other)}" : "missing; expected true or false");
        return false;
    }

    public string TextOf(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            Problem(field, $"expected a string, not {Kind(value)}");
            return "";
        }
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            Problem(field, "not valid Unicode text (a broken UTF-8 sequence or half a surrogate pair)");
            return "";
        }
    }

    /// <summary>A prompt with this row's id (<c>id</c> or <c>prompt_id</c>, a string or a whole number; else the row's number).</summary>
    public Prompt PromptOf(IReadOnlyList<ChatMessage> messages)
    {
        string? id = null;
        foreach (string field in (ReadOnlySpan<string>)["id", "prompt_id"])
            if (id == null && Get(field) is { } value)
                id = value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? $"{number}" : TextOf(value, field);
        if (!IsBroken && ids.Check(id, messages) is { } fault)
            Problem("id", fault);
        return new(id ?? $"{index}", messages);
    }

    /// <summary>The start of a text from a file, for messages.</summary>
    public static string Short(string text) => text.Length <= 40 ? text : $"{text.AsSpan(0, 40)}...";

    /// <summary>What a value is, for messages.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };
}
