using Paddock.Engine;

namespace Paddock.Data.Formats;

/// <summary>
/// Anthropic's binary evaluations of helpfulness, honesty and harmlessness: <c>prompt</c> holds the question to a judge with the conversation in
/// it and options (A), (B); <c>text_correct</c> and <c>text_incorrect</c> are the two answers. What is read is the conversation itself, the
/// turns from the first <c>Human:</c> up to the judge's question, so that a reward model sees what it would see in use.
/// </summary>
public static class HhhFormat
{
    private const string Human = "\n\nHuman:", Assistant = "\n\nAssistant:";

    private static readonly string[] Ends = ["\n\nPlease choose", "\n\n\nPlease choose", "\n\nWhich of these", "\n\nThis conversation", "\n\nOptions:", " Options:\n"];

    /// <summary>Whether rows have this format's fields; looks at the first.</summary>
    public static bool IsFormat(string path)
    {
        foreach (Row row in RowSource.Read(path))
            return !row.IsBroken && row.Has("text_correct") && row.Has("text_incorrect");
        return false;
    }

    public static IEnumerable<Preference> Read(string path) => RowReader.Read(path, row =>
    {
        string text = row.Text("prompt"), correct = row.Text("text_correct"), incorrect = row.Text("text_incorrect");
        int start = text.IndexOf(Human, StringComparison.Ordinal);
        if (!row.IsBroken && start < 0)
            row.Problem("prompt", "holds no turn that opens with \"\\n\\nHuman:\"");
        if (row.IsBroken)
            return null!;
        int end = text.Length;
        foreach (string mark in Ends)
            if (text.IndexOf(mark, start, StringComparison.Ordinal) is >= 0 and int at)
                end = Math.Min(end, at);
        List<ChatMessage> turns = [];
        for (int from = start; from < end;)
        {
            bool human = string.CompareOrdinal(text, from, Human, 0, Human.Length) == 0;
            int content = Math.Min(end, from + (human ? Human : Assistant).Length), next = Math.Min(end, Next(text, content));
            turns.Add(new(human ? "user" : "assistant", text[content..next].Trim()));
            from = next;
        }
        // an empty last turn of the assistant only says whose turn it is
        if (turns[^1] is { Role: "assistant" })
            turns.RemoveAt(turns.Count - 1);
        return new Preference(row.PromptOf(turns), new Response(correct), new Response(incorrect));
    });

    private static int Next(string text, int from)
    {
        int human = text.IndexOf(Human, from, StringComparison.Ordinal), assistant = text.IndexOf(Assistant, from, StringComparison.Ordinal);
        return human < 0 ? (assistant < 0 ? text.Length : assistant) : assistant < 0 ? human : Math.Min(human, assistant);
    }
}
