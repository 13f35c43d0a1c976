using System.Text;
using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Judging;

/// <summary>
/// A judge's prompt, compiled once: literal pieces and placeholders. Values are put in between in one pass and never looked at, so an answer
/// that holds <c>{output_1}</c> stays text. <c>{{</c> and <c>}}</c> stand for braces; a brace that opens no placeholder's name is itself.
/// </summary>
public sealed class PromptTemplate
{
    /// <summary>The placeholders there are.</summary>
    public static IReadOnlyList<string> Placeholders { get; } = ["instruction", "input", "output_1", "output_2", "output", "answers", "principle", "persona"];

    private readonly (string Role, IReadOnlyList<Piece> Pieces)[] _turns;

    private PromptTemplate((string, IReadOnlyList<Piece>)[] turns) => _turns = turns;

    /// <param name="Text">Literal text, or the name of a placeholder.</param>
    private readonly record struct Piece(string Text, bool IsPlaceholder);

    /// <param name="place">What messages call the prompt: its file and key.</param>
    public static PromptTemplate Compile(IReadOnlyList<TurnSettings> turns, string place)
    {
        if (turns.Count == 0)
            throw new BadInputException($"{place}: the prompt has no messages; give at least one with role user");
        for (int i = 0; i < turns.Count; i++)
            if (turns[i].Role is not ("system" or "user" or "assistant"))
                throw new BadInputException($"{place}[{i}].role: '{turns[i].Role}' is no role; roles: system, user, assistant");
        return new([.. turns.Select((turn, i) => (turn.Role, Cut(turn.Content, $"{place}[{i}].content")))]);
    }

    public bool Uses(string placeholder) => _turns.Any(t => t.Pieces.Any(p => p.IsPlaceholder && p.Text == placeholder));

    /// <summary>The messages with every placeholder replaced by its value.</summary>
    public IReadOnlyList<ChatMessage> Fill(IReadOnlyDictionary<string, string> values)
    {
        ChatMessage[] messages = new ChatMessage[_turns.Length];
        StringBuilder text = new();
        for (int i = 0; i < messages.Length; i++)
        {
            text.Clear();
            foreach (Piece piece in _turns[i].Pieces)
                text.Append(!piece.IsPlaceholder ? piece.Text : values.TryGetValue(piece.Text, out string? value)
                    ? value
                    : throw new BadInputException($"the prompt uses {{{piece.Text}}}, which this form of judge does not have; it has {string.Join(", ", values.Keys.Select(k => $"{{{k}}}"))}"));
            messages[i] = new(_turns[i].Role, text.ToString());
        }
        return messages;
    }

    private static List<Piece> Cut(string text, string place)
    {
        List<Piece> pieces = [];
        StringBuilder literal = new();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is '{' or '}' && i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
            }
            else if (c == '{' && NameAt(text, i + 1) is { Length: > 0 } name && i + 1 + name.Length < text.Length && text[i + 1 + name.Length] == '}')
            {
                if (!Placeholders.Contains(name))
                    throw new BadInputException($"{place}: there is no placeholder {{{name}}}; placeholders: {string.Join(", ", Placeholders)} (write {{{{{name}}}}} for the text itself)");
                if (literal.Length > 0)
                    pieces.Add(new(literal.ToString(), false));
                literal.Clear();
                pieces.Add(new(name, true));
                i += name.Length + 1;
            }
            else
            {
                literal.Append(c);
            }
        }
        if (literal.Length > 0)
            pieces.Add(new(literal.ToString(), false));
        return pieces;
    }

    private static string NameAt(string text, int start)
    {
        int end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
            end++;
        return text[start..end];
    }
}
