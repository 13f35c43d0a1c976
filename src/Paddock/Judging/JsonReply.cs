using System.Globalization;
using System.Text.Json;

namespace Paddock.Judging;

/// <summary>Verdicts from JSON in a reply, with or without a fence around it or words before it.</summary>
internal static class JsonReply
{
    public static ParsedReply Parse(string text, ParserSettings settings)
    {
        if (Find(text) is not { } json)
            return new(null, "no JSON in the reply");
        if (At(json, settings.Path!) is not { } value)
            return new(null, $"the reply's JSON has no {settings.Path}");
        string found = Text(value);
        double? preference = Same(found, settings.First) ? 1 : Same(found, settings.Second) ? 2 : Same(found, settings.Tie) ? 1.5 : null;
        string? trace = settings.Trace != null && At(json, settings.Trace) is { } reasoning ? Text(reasoning) : null;
        return preference == null ? new(null, $"{settings.Path} is '{Shorten(found)}', which is no verdict", trace) : new(preference, null, trace);
    }

    /// <summary>The first JSON object or list of a text; null when there is none.</summary>
    public static JsonElement? Find(string text)
    {
        for (int start = 0; (start = text.AsSpan(start).IndexOfAny('{', '[') is >= 0 and int at ? start + at : -1) >= 0; start++)
            try
            {
                byte[] rest = System.Text.Encoding.UTF8.GetBytes(text[start..]);
                Utf8JsonReader reader = new(rest, new JsonReaderOptions { AllowTrailingCommas = true, MaxDepth = 32 });
                return JsonElement.ParseValue(ref reader);
            }
            catch (JsonException)
            {
                if (text.Length - start > 1 << 16)
                    return null; // a hostile reply of open brackets would be quadratic
            }
        return null;
    }

    // a path of names and indices: a.b[0].c, with or without $. before it
    private static JsonElement? At(JsonElement json, string path)
    {
        foreach (string part in path.Replace("[", ".[", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "$")
                continue;
            if (part[0] == '[')
            {
                if (!int.TryParse(part.AsSpan(1).TrimEnd(']'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index) || json.ValueKind != JsonValueKind.Array)
                    return null;
                index = index < 0 ? json.GetArrayLength() + index : index;
                if (index < 0 || index >= json.GetArrayLength())
                    return null;
                json = json[index];
            }
            else if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(part, out json))
            {
                return null;
            }
        }
        return json;
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static bool Same(string found, string? wanted) => wanted != null && found.Trim().Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
