using System.Globalization;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary>
/// A model's chat template: a Jinja source, parsed once, that turns a conversation into the text the model was trained on. The subset and
/// the white-space rules are those of <c>transformers</c>; the template runs in a sandbox with a limit of steps and output. Thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private const int MaxSource = 1 << 20;

    private readonly List<Node> _nodes;

    /// <summary>Parses a template: the <c>chat_template</c> of tokenizer_config.json or a GGUF file, or chat_template.jinja.</summary>
    /// <exception cref="BadInputException">A syntax error or something outside the subset, with its line.</exception>
    public ChatTemplate(string source)
    {
        if (source.Length > MaxSource)
            throw new BadInputException($"chat template: {source.Length} characters; at most {MaxSource} are accepted");
        Source = source;
        _nodes = JinjaParser.Parse(source);
    }

    /// <summary>The Jinja source.</summary>
    public string Source { get; }

    /// <summary>The text of a conversation. It holds its special tokens as text: encode it without adding others.</summary>
    /// <param name="messages">Role (system, user, assistant) and content, in order.</param>
    /// <param name="addGenerationPrompt">End with the words that begin an assistant's answer.</param>
    /// <param name="bosToken">The tokenizer's BOS token, or null: then the template sees none.</param>
    /// <param name="eosToken">As <paramref name="bosToken"/>, for EOS.</param>
    /// <param name="now">What <c>strftime_now</c> reads; without it the template sees no such function.</param>
    /// <exception cref="BadInputException">The template refuses the conversation (its own words), or fails; with the line.</exception>
    public string Render(IReadOnlyList<(string Role, string Content)> messages, bool addGenerationPrompt, string? bosToken, string? eosToken,
        DateTimeOffset? now = null)
    {
        List<object?> list = new(messages.Count);
        foreach ((string role, string content) in messages)
        {
            PyDict message = new();
            message["role"] = role;
            message["content"] = content;
            list.Add(message);
        }
        Dictionary<string, object?> variables = new() { ["messages"] = list, ["add_generation_prompt"] = addGenerationPrompt };
        if (bosToken != null)
            variables["bos_token"] = bosToken;
        if (eosToken != null)
            variables["eos_token"] = eosToken;
        return Render(variables, now);
    }

    /// <summary>Renders with any variables (values of the template language).</summary>
    internal string Render(Dictionary<string, object?> variables, DateTimeOffset? now)
    {
        variables.TryAdd("tools", null);
        variables.TryAdd("documents", null);
        if (now is { } time)
            variables.TryAdd("strftime_now", new Callable("strftime_now", a => Format(time, Py.Str(a.Get(0, "format")))));
        return JinjaRenderer.Render(_nodes, variables);
    }

    // C's strftime, English names; '-' before a letter drops leading zeros.
    private static string Format(DateTimeOffset time, string format)
    {
        StringBuilder text = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            bool bare = format[++i] == '-' && i + 1 < format.Length;
            char letter = bare ? format[++i] : format[i];
            string part = letter switch
            {
                'Y' => Date("yyyy"),
                'y' => Date("yy"),
                'm' => Date("MM"),
                'd' => Date("dd"),
                'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                'H' => Date("HH"),
                'I' => Date("hh"),
                'M' => Date("mm"),
                'S' => Date("ss"),
                'p' => Date("tt"),
                'B' => Date("MMMM"),
                'b' => Date("MMM"),
                'A' => Date("dddd"),
                'a' => Date("ddd"),
                'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                '%' => "%",
                _ => throw new TemplateError($"strftime_now: '%{letter}' is not supported"),
            };
            text.Append(bare && part.Length > 1 ? part.TrimStart('0', ' ') is { Length: > 0 } short_ ? short_ : "0" : part);
        }
        return text.ToString();

        string Date(string pattern) => time.ToString(pattern, CultureInfo.InvariantCulture);
    }
}
