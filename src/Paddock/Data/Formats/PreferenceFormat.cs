using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>
/// TRL's preference rows: <c>prompt</c> (or <c>instruction</c> with <c>input</c>), <c>chosen</c> and <c>rejected</c>, strings or message
/// lists; optional <c>margin</c> and <c>probability</c> (that chosen is better). Message lists may hold the whole conversation: their
/// common turns are then the prompt, and one assistant turn must follow on each side. Plain strings need a prompt: where two texts part
/// says nothing about where a prompt ends. Written as JSONL, the prompt explicit.
/// </summary>
public static class PreferenceFormat
{
    public static IEnumerable<Preference> Read(string path) => ReadPlaced(path).Select(row => row.Value);

    internal static IEnumerable<(string Place, Preference Value)> ReadPlaced(string path) => RowReader.ReadPlaced(path, row =>
    {
        bool lists = row.Get("chosen") is { ValueKind: JsonValueKind.Array } && row.Get("rejected") is { ValueKind: JsonValueKind.Array };
        (Prompt prompt, Response chosen, Response rejected) = lists ? FromLists(row) : (Conversations.Prompt(row), Conversations.Answer(row, "chosen"), Conversations.Answer(row, "rejected"));
        return new Preference(prompt, chosen, rejected, row.OptionalNumber("probability", 0, 1) ?? 1, row.OptionalNumber("margin") ?? 0);
    });

    public static void Write(string path, IReadOnlyList<Preference> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt), soft = rows.Any(row => row.Probability != 1), margins = rows.Any(row => row.Margin != 0);
        RowWriter.Lines(path, rows, (json, row) =>
        {
            Conversations.WritePrompt(json, row.Prompt, withIds);
            Conversations.WriteAnswer(json, "chosen", row.Prompt, row.Chosen);
            Conversations.WriteAnswer(json, "rejected", row.Prompt, row.Rejected);
            if (soft)
                json.WriteNumber("probability", row.Probability);
            if (margins)
                json.WriteNumber("margin", row.Margin);
        });
    }

    private static (Prompt, Response, Response) FromLists(Row row)
    {
        IReadOnlyList<ChatMessage> chosen = Conversations.Messages(row, "chosen", row.Get("chosen")!.Value), rejected = Conversations.Messages(row, "rejected", row.Get("rejected")!.Value);
        bool asked = row.Has("prompt") || row.Has("instruction");
        IReadOnlyList<ChatMessage> prompt = asked ? Conversations.PromptMessages(row) : [];
        if (row.IsBroken)
            return (row.PromptOf(prompt), new(""), new(""));
        // an explicit prompt either comes before the answers, or is repeated at their start
        IReadOnlyList<ChatMessage> whole = asked && chosen.Count == 1 && rejected.Count == 1 ? prompt : [.. chosen.Take(chosen.Count - 1)];
        int shared = ReferenceEquals(whole, prompt) ? 0 : whole.Count;
        if (whole.Count == 0)
            row.Problem("prompt", "missing; chosen and rejected share no turn that could stand for it");
        else if (chosen.Count != shared + 1 || rejected.Count != shared + 1 || !rejected.Take(shared).SequenceEqual(chosen.Take(shared)))
            row.Problem("rejected", "expected the turns of chosen, all but the last one, which is the answer");
        else if (chosen[^1].Role != "assistant" || rejected[^1].Role != "assistant")
            row.Problem(chosen[^1].Role != "assistant" ? "chosen" : "rejected", "expected the assistant's answer last");
        else if (asked && shared > 0 && !whole.SequenceEqual(prompt) && !(Conversations.IsPlain(new("", prompt)) && whole[^1] == prompt[0]))
            row.Problem("prompt", "differs from the turns before the answers");
        return (row.PromptOf(whole), new(chosen[^1].Content), new(rejected[^1].Content));
    }
}
