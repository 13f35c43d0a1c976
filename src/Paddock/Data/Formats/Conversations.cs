using System.Text;
using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>Prompts, answers and message lists as rows spell them.</summary>
internal static class Conversations
{
    /// <summary>
    /// The row's prompt: <c>prompt</c> as a string (one user message) or a message list, or <c>instruction</c> with an optional <c>input</c>.
    /// </summary>
    public static Prompt Prompt(Row row) => row.PromptOf(PromptMessages(row));

    /// <summary>The messages of <see cref="Prompt"/>.</summary>
    public static IReadOnlyList<ChatMessage> PromptMessages(Row row)
    {
        if (row.Get("prompt") is { } prompt)
            return prompt.ValueKind == JsonValueKind.Array ? Messages(row, "prompt", prompt) : [new("user", row.TextOf(prompt, "prompt"))];
        if (row.Has("instruction"))
            return [new("user", WithInput(row.Text("instruction"), row.OptionalText("input")))];
        row.Problem("prompt", "missing; expected a string or a list of messages (or instruction, with an optional input)");
        return [];
    }

    /// <summary>AlpacaEval's joining of instruction and input: a blank line between, nothing when there is no input.</summary>
    public static string WithInput(string instruction, string? input) => string.IsNullOrEmpty(input) ? instruction : $"{instruction}\n\n{input}";

    /// <summary>
    /// A list of role and content; content is a string or a list of text parts. ShareGPT's from and value (human, gpt) are read too.
    /// </summary>
    public static IReadOnlyList<ChatMessage> Messages(Row row, string field, JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
        {
            row.Problem(field, list.ValueKind == JsonValueKind.Array ? "expected at least one message" : $"expected a list of messages, not {Row.Kind(list)}");
            return [];
        }
        List<ChatMessage> messages = new(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
        {
            string place = $"{field}[{messages.Count}]";
            if (item.ValueKind != JsonValueKind.Object)
            {
                row.Problem(place, $"expected an object with role and content, not {Row.Kind(item)}");
                return [];
            }
            bool shareGpt = item.TryGetProperty("from", out JsonElement role);
            if (!shareGpt && !item.TryGetProperty("role", out role))
            {
                row.Problem($"{place}.role", "missing; expected system, user or assistant");
                return [];
            }
            string name = row.TextOf(role, $"{place}.role") switch { "human" when shareGpt => "user", "gpt" when shareGpt => "assistant", var other => other };
            if (name is not ("system" or "user" or "assistant"))
            {
                row.Problem($"{place}.role", $"expected system, user or assistant, not \"{Row.Short(name)}\"");
                return [];
            }
            string contentName = shareGpt ? "value" : "content";
            if (!item.TryGetProperty(contentName, out JsonElement content))
            {
                row.Problem($"{place}.{contentName}", "missing; expected a string");
                return [];
            }
            messages.Add(new(name, Content(row, $"{place}.{contentName}", content)));
        }
        return messages;
    }

    /// <summary>An answer as a string, or as a list of one assistant message.</summary>
    public static Response Answer(Row row, string field)
    {
        if (row.Get(field) is not { ValueKind: JsonValueKind.Array } list)
            return new(row.Text(field));
        IReadOnlyList<ChatMessage> messages = Messages(row, field, list);
        if (messages is [{ Role: "assistant" } only])
            return new(only.Content);
        if (messages.Count > 0)
            row.Problem(field, "expected one assistant message, the answer to the prompt");
        return new("");
    }

    /// <summary>A prompt of one user message is written as a string, any other as a list.</summary>
    public static bool IsPlain(Prompt prompt) => prompt.Messages is [{ Role: "user" }];

    public static void WritePrompt(Utf8JsonWriter json, Prompt prompt, bool withId)
    {
        if (withId)
            json.WriteString("id", prompt.Id);
        if (IsPlain(prompt))
            json.WriteString("prompt", prompt.Messages[0].Content);
        else
            WriteMessages(json, "prompt", prompt.Messages);
    }

    /// <summary>In the shape of its prompt, as TRL wants it: a string beside a string, a list beside a list.</summary>
    public static void WriteAnswer(Utf8JsonWriter json, string field, Prompt prompt, Response response)
    {
        if (IsPlain(prompt))
            json.WriteString(field, response.Text);
        else
            WriteMessages(json, field, [new("assistant", response.Text)]);
    }

    public static void WriteMessages(Utf8JsonWriter json, string field, IReadOnlyList<ChatMessage> messages)
    {
        json.WriteStartArray(field);
        foreach (ChatMessage message in messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role);
            json.WriteString("content", message.Content);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Content(Row row, string place, JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Array)
            return row.TextOf(content, place);
        StringBuilder text = new();
        foreach (JsonElement part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("text")
                || !part.TryGetProperty("text", out JsonElement words))
            {
                row.Problem(place, "expected text parts only; images, tools and audio are not read");
                return "";
            }
            text.Append(row.TextOf(words, place));
        }
        return text.ToString();
    }
}
