using System.Text.Json;

namespace Paddock.Data.Formats;

/// <summary>
/// Chats as OpenAI and TRL write them: <c>messages</c>, a list of role and content, ending in the assistant's turn to learn; the turns
/// before it are the prompt. ShareGPT's <c>conversations</c> are read too. Written as JSONL.
/// </summary>
public static class MessagesFormat
{
    public static IEnumerable<Demonstration> Read(string path) => RowReader.Read(path, row =>
    {
        string field = row.Has("messages") || !row.Has("conversations") ? "messages" : "conversations";
        if (row.Get(field) is not { } list)
        {
            row.Problem(field, "missing; expected a list of messages");
            return null!;
        }
        IReadOnlyList<ChatMessage> messages = Conversations.Messages(row, field, list);
        if (row.IsBroken)
            return null!;
        if (messages.Count < 2 || messages[^1].Role != "assistant")
        {
            row.Problem(field, "expected a prompt and, last, the assistant's answer");
            return null!;
        }
        return new Demonstration(row.PromptOf([.. messages.Take(messages.Count - 1)]), new Response(messages[^1].Content));
    });

    public static void Write(string path, IReadOnlyList<Demonstration> rows)
    {
        bool withIds = RowWriter.NeedsIds(rows, row => row.Prompt);
        RowWriter.Lines(path, rows, (json, row) =>
        {
            if (withIds)
                json.WriteString("id", row.Prompt.Id);
            Conversations.WriteMessages(json, "messages", [.. row.Prompt.Messages, new ChatMessage("assistant", row.Response.Text)]);
        });
    }
}
