namespace Paddock.Data.Formats;

/// <summary>TRL's prompt-completion rows: <c>prompt</c> and <c>completion</c>, strings or message lists. Written as JSONL.</summary>
public static class CompletionFormat
{
    public static IEnumerable<Demonstration> Read(string path) => RowReader.Read(path, row =>
    {
        Prompt prompt = Conversations.Prompt(row);
        return new Demonstration(prompt, Conversations.Answer(row, "completion"));
    });

    public static void Write(string path, IReadOnlyList<Demonstration> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        RowWriter.Lines(path, rows, (json, row) =>
        {
            Conversations.WritePrompt(json, row.Prompt, withIds);
            Conversations.WriteAnswer(json, "completion", row.Prompt, row.Response);
        });
    }
}

/// <summary>TRL's unpaired preferences: <c>prompt</c>, <c>completion</c> and <c>label</c> (true: desirable). Written as JSONL.</summary>
public static class LabelFormat
{
    public static IEnumerable<Label> Read(string path) => RowReader.Read(path, row =>
    {
        Prompt prompt = Conversations.Prompt(row);
        return new Label(prompt, Conversations.Answer(row, "completion"), row.Flag("label"));
    });

    public static void Write(string path, IReadOnlyList<Label> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        RowWriter.Lines(path, rows, (json, row) =>
        {
            Conversations.WritePrompt(json, row.Prompt, withIds);
            Conversations.WriteAnswer(json, "completion", row.Prompt, row.Response);
            json.WriteBoolean("label", row.Desirable);
        });
    }
}

/// <summary>
/// Prompts alone: <c>prompt</c> as a string or a message list, or <c>instruction</c> with an optional <c>input</c>; other fields are left
/// aside. Written as JSONL.
/// </summary>
public static class PromptFormat
{
    public static IEnumerable<Prompt> Read(string path) => RowReader.Read(path, Conversations.Prompt);

    public static void Write(string path, IReadOnlyList<Prompt> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row);
        RowWriter.Lines(path, rows, (json, row) => Conversations.WritePrompt(json, row, withIds));
    }
}
