using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Paddock.Engine.ChatTemplates;
using Paddock.Engine.Tokenizers;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.ChatTemplates;

/// <summary>Rendered text and errors equal those of the reference environment.</summary>
public sealed class ChatTemplateGoldenTests
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Golden", "tokenizers", "chat");

    /// <summary>
    /// Cases outside the subset, by index: Python's number formats (56), rarely used filters (58), the globals lipsum, cycler and joiner (113),
    /// and automatic escaping (142).
    /// </summary>
    private static readonly int[] Outside = [56, 58, 113, 142];

    [Fact]
    public void Every_small_template_but_those_listed_is_equal()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "jinja_micro.json")));
        JsonElement context = file.RootElement.GetProperty("context");
        DateTimeOffset now = Now(file.RootElement);
        List<int> failed = [];
        List<string> report = [];
        int index = 0;
        foreach (JsonElement item in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            string? difference = Difference(item, () => new ChatTemplate(item.GetProperty("template").GetString()!).Render(Variables(context), now));
            if (difference != null)
            {
                failed.Add(index);
                report.Add($"{index}: {difference}");
            }
            index++;
        }
        Assert.Equal(160, index);
        Assert.True(failed.SequenceEqual(Outside), string.Join("\n", report));
    }

    [Fact]
    public void Every_chat_template_renders_every_conversation_equally()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "templates.json")));
        JsonElement root = file.RootElement;
        DateTimeOffset now = Now(root);
        Dictionary<string, ChatTemplate> templates = root.GetProperty("templates").EnumerateObject().ToDictionary(t => t.Name, t => new ChatTemplate(t.Value.GetString()!));
        Assert.Equal(12, templates.Count);
        int compared = 0, continued = 0;
        List<string> report = [];
        foreach (JsonElement item in root.GetProperty("cases").EnumerateArray())
        {
            JsonElement kwargs = item.GetProperty("kwargs");
            // continue_final_message cuts the rendered text after the fact; it is no part of the template language
            if (kwargs.TryGetProperty("continue_final_message", out _))
            {
                continued++;
                continue;
            }
            string name = item.GetProperty("template").GetString()!, conversation = item.GetProperty("conversation").GetString()!;
            Dictionary<string, object?> variables = Variables(root.GetProperty("special_tokens"));
            variables["messages"] = Value(root.GetProperty("conversations").GetProperty(conversation));
            foreach ((string key, object? value) in Variables(kwargs))
                variables[key] = value;
            if (Difference(item, () => templates[name].Render(variables, now)) is { } difference)
                report.Add($"{name}, {conversation}, {kwargs}: {difference}");
            compared++;
        }
        Assert.True(report.Count == 0, string.Join("\n", report));
        Assert.Equal(root.GetProperty("cases").GetArrayLength(), compared + continued);
        Assert.InRange(compared, 100, 400);
    }

    [SharedFact]
    public void Smollm2_renders_and_encodes_its_chats_equally()
    {
        Tokenizer tokenizer = Tokenizer.Load(SharedFolder.Get("models", "smollm2-135m-instruct"));
        ChatTemplate template = new(tokenizer.Config.ChatTemplate!);
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("golden", "hf", "smollm2", "chat.json")));
        Assert.Equal(golden.RootElement.GetProperty("chat_template").GetString(), template.Source);
        int chats = 0;
        foreach (JsonElement chat in golden.RootElement.GetProperty("chats").EnumerateArray())
        {
            (string, string)[] messages = [.. chat.GetProperty("messages").EnumerateArray().Select(m => (m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!))];
            string text = template.Render(messages, chat.GetProperty("add_generation_prompt").GetBoolean(), tokenizer.Config.BosToken, tokenizer.Config.EosToken);
            Assert.Equal(chat.GetProperty("rendered").GetString(), text);
            Assert.Equal(chat.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()), tokenizer.Encode(text, addSpecialTokens: false));
            chats++;
        }
        Assert.Equal(4, chats);
    }

    private static string? Difference(JsonElement item, Func<string> render)
    {
        try
        {
            string actual = render();
            return item.TryGetProperty("expected", out JsonElement expected)
                ? expected.GetString() == actual ? null : $"expected '{expected.GetString()}', got '{actual}'"
                : $"expected {item.GetProperty("expected_error")}, got '{actual}'";
        }
        catch (BadInputException e)
        {
            if (!item.TryGetProperty("expected_error", out JsonElement kind))
                return e.Message;
            // raise_exception is the template's own voice: its words must come through
            string words = item.GetProperty("message").GetString()!;
            return kind.GetString() != "TemplateError" || e.Message.EndsWith(": " + words, StringComparison.Ordinal) ? null : $"expected '{words}', got '{e.Message}'";
        }
    }

    private static DateTimeOffset Now(JsonElement root) =>
        DateTimeOffset.Parse(root.GetProperty("now").GetString() + "Z", CultureInfo.InvariantCulture);

    private static Dictionary<string, object?> Variables(JsonElement map) => map.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value));

    private static object? Value(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                PyDict dict = new();
                foreach (JsonProperty property in json.EnumerateObject())
                    dict[property.Name] = Value(property.Value);
                return dict;
            case JsonValueKind.Array:
                return json.EnumerateArray().Select(Value).ToList();
            case JsonValueKind.String:
                return json.GetString();
            case JsonValueKind.Number:
                return json.GetRawText().AsSpan().ContainsAny('.', 'e', 'E') ? json.GetDouble() : BigInteger.Parse(json.GetRawText(), CultureInfo.InvariantCulture);
            case JsonValueKind.True or JsonValueKind.False:
                return json.GetBoolean();
            default:
                return null;
        }
    }
}
