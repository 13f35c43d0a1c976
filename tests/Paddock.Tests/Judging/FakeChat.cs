using Microsoft.Extensions.AI;
using Paddock.Data;
using Paddock.Judging;
using Paddock.Judging.Clients;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Paddock.Tests.Judging;

/// <summary>A chat client that answers with a function of the prompt, and counts.</summary>
internal sealed class FakeChat(Func<string, int, StoredReply> answer) : IChatClient
{
    private int _calls;

    public FakeChat(Func<string, string> answer) : this((prompt, _) => Reply(answer(prompt)))
    {
    }

    public int Calls => _calls;

    public List<string> Prompts { get; } = [];

    public static StoredReply Reply(string text, string finish = "stop", IReadOnlyList<TokenLogProb>? logProbs = null, string? id = null) => new(id, text, null, finish, "served", "fp", 100, 2, logProbs, 0.5);

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string prompt = string.Join("\n", messages.Select(m => m.Text));
        int call = Interlocked.Increment(ref _calls);
        lock (Prompts)
            Prompts.Add(prompt);
        return Task.FromResult(answer(prompt, call).ToResponse());
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
        // it holds nothing
    }
}

/// <summary>Comparisons and judges for tests.</summary>
internal static class Cases
{
    public static readonly ModelSettings Model = new("judge-1");

    public static Comparison Pair(int i, string? first = null, string? second = null) =>
        new($"{i}", Prompt.FromInstruction($"{i}", $"Question {i}?"), new(first ?? $"good answer {i}"), new(second ?? $"bad answer {i}"));

    public static Comparison Swapped(this Comparison pair) => pair with { First = pair.Second, Second = pair.First };

    public static ChatJudge Judge(JudgeSettings settings, IChatClient client) => new(settings, settings.Model ?? Model, client, new TokenPrice(1, 2), "judge.yaml");

    /// <summary>A judge that sees which answer is good, wherever it stands.</summary>
    public static FakeChat Honest => new(prompt => prompt.IndexOf("good answer", StringComparison.Ordinal) < prompt.IndexOf("bad answer", StringComparison.Ordinal) ? "A" : "B");
}
