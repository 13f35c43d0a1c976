using Paddock.Engine;

namespace Paddock.Data.Formats;

/// <summary>
/// Anthropic's helpful-harmless pairs: <c>chosen</c> and <c>rejected</c>, two transcripts of turns that open with a blank line and
/// <c>Human: </c> or <c>Assistant: </c>. The turns before the last are the prompt and the last, the assistant's, is the answer, which may
/// be empty. Turns are kept as they are, to the space: two turns of one speaker in a row stay two messages.
/// Where the transcripts part earlier, the prompt is the turns they share up to the last human one before they part, and each answer is
/// all that follows the assistant's mark, later marks included (5 of the 2,312 pairs of harmless-base-test). So no text is lost, and
/// writing gives the transcripts back to the byte. Written as JSONL.
/// </summary>
public static class HhFormat
{
    private const string Human = "\n\nHuman:", Assistant = "\n\nAssistant:";

    public static IEnumerable<Preference> Read(string path) => ReadPlaced(path).Select(row => row.Value);

    internal static IEnumerable<(string Place, Preference Value)> ReadPlaced(string path) => RowReader.ReadPlaced(path, row =>
    {
        List<ChatMessage>? chosen = Turns(row, "chosen"), rejected = Turns(row, "rejected");
        if (chosen == null || rejected == null)
            return null!;
        int shared = 0, least = Math.Min(chosen.Count, rejected.Count);
        while (shared < least - 1 && chosen[shared] == rejected[shared])
            shared++;
        // parted before the last turn of either: back to the last shared human turn that the assistant answers on both sides
        if (shared != chosen.Count - 1 || shared != rejected.Count - 1)
            while (shared > 0 && !(chosen[shared - 1].Role == "user" && chosen[shared].Role == "assistant" && rejected[shared].Role == "assistant"))
                shared--;
        if (shared == 0)
        {
            row.Problem("rejected", "shares no opening human turn with chosen");
            return null!;
        }
        return new Preference(row.PromptOf(chosen[..shared]), new Response(Rest(chosen, shared)), new Response(Rest(rejected, shared)));
    });

    public static void Write(string path, IReadOnlyList<Preference> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        foreach (Preference row in rows)
        {
            if (row.Probability != 1 || row.Margin != 0)
                throw new BadInputException($"prompt \"{row.Prompt.Id}\": transcripts cannot hold a probability or a margin; write TRL's preference rows instead");
            if (row.Prompt.Messages.Count == 0 || row.Prompt.Messages[0].Role != "user" || row.Prompt.Messages.Any(message => message.Role == "system" || HoldsMark(message.Content)))
                throw new BadInputException($"prompt \"{row.Prompt.Id}\": a transcript opens with a human turn and can hold neither system messages nor its own marks");
        }
        RowWriter.Lines(path, rows, (json, row) =>
        {
            if (withIds)
                json.WriteString("id", row.Prompt.Id);
            json.WriteString("chosen", Transcript(row.Prompt.Messages, row.Chosen));
            json.WriteString("rejected", Transcript(row.Prompt.Messages, row.Rejected));
        });
    }

    /// <summary>Whether a text looks like a transcript.</summary>
    internal static bool IsTranscript(string text) => text.TrimStart('\n').StartsWith("Human:", StringComparison.Ordinal);

    private static List<ChatMessage>? Turns(Row row, string field)
    {
        string text = row.Text(field);
        if (row.IsBroken)
            return null;
        if (!IsTranscript(text))
        {
            row.Problem(field, "expected a transcript that opens with \"\\n\\nHuman: \"");
            return null;
        }
        List<ChatMessage> turns = [];
        text = "\n\n" + text.TrimStart('\n');
        for (int at = 0; at < text.Length;)
        {
            bool human = string.CompareOrdinal(text, at, Human, 0, Human.Length) == 0;
            int start = at + (human ? Human : Assistant).Length;
            at = NextMark(text, start);
            turns.Add(new(human ? "user" : "assistant", Content(text, start, at)));
        }
        if (turns.Count > 1 && turns[^1].Role == "assistant")
            return turns;
        row.Problem(field, "expected the assistant's turn last");
        return null;
    }

    // the one space after the colon belongs to the mark
    private static string Content(string text, int start, int end) => start < end && text[start] == ' ' ? text[(start + 1)..end] : text[start..end];

    private static int NextMark(string text, int from)
    {
        int human = text.IndexOf(Human, from, StringComparison.Ordinal), assistant = text.IndexOf(Assistant, from, StringComparison.Ordinal);
        return human < 0 ? (assistant < 0 ? text.Length : assistant) : assistant < 0 ? human : Math.Min(human, assistant);
    }

    private static bool HoldsMark(string text) => text.Contains(Human, StringComparison.Ordinal) || text.Contains(Assistant, StringComparison.Ordinal);

    private static string Rest(List<ChatMessage> turns, int from) => turns[from].Content + string.Concat(turns.Skip(from + 1).Select(Marked));

    private static string Transcript(IReadOnlyList<ChatMessage> messages, Response answer) =>
        string.Concat(messages.Select(Marked)) + Marked(new("assistant", answer.Text));

    private static string Marked(ChatMessage turn) => $"{(turn.Role == "user" ? Human : Assistant)} {turn.Content}";
}
