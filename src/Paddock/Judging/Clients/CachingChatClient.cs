using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Judging.Clients;

/// <summary>What a cache does with a request.</summary>
public enum CacheMode
{
    /// <summary>A stored reply is used; a new one is stored.</summary>
    Record,

    /// <summary>A stored reply is used; none is an error, and nothing is ever sent.</summary>
    Replay,

    /// <summary>Every request is sent, and its reply takes the place of the stored one.</summary>
    Refresh,
}

/// <summary>
/// Keeps replies by the content of the request: server, model, every message, every option and the number of the try. So another prompt never gets an
/// old reply, and the same one costs nothing. Failures are not kept. Equal requests in flight are sent once.
/// </summary>
/// <param name="scope">What the replies depend on besides the request: provider and address.</param>
public sealed class CachingChatClient(IChatClient inner, ReplyStore store, CacheMode mode, string scope) : DelegatingChatClient(inner)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<StoredReply>>> _asking = new(StringComparer.Ordinal);
    private long _hits, _misses;

    /// <summary>Replies that were in the store.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Requests that had to be sent.</summary>
    public long Misses => Interlocked.Read(ref _misses);

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] all = [.. messages];
        string key = KeyOf(all, options);
        if (mode != CacheMode.Refresh && store.Find(key) is { } stored)
        {
            Interlocked.Increment(ref _hits);
            return Parse(stored).ToResponse();
        }
        if (mode == CacheMode.Replay)
            throw new BadInputException($"replay: there is no recorded reply for a prompt to {options?.ModelId}; its key begins with {key[..12]}. Record it first, or use the file it was recorded in");
        Lazy<Task<StoredReply>> asking = _asking.GetOrAdd(key, _ => new(() => AskAsync(key, all, options, cancellationToken)));
        try
        {
            return (await asking.Value.ConfigureAwait(false)).ToResponse();
        }
        finally
        {
            _asking.TryRemove(new(key, asking));
        }
    }

    /// <summary>SHA-256 of everything the reply may depend on, as hex digits.</summary>
    internal string KeyOf(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        StringBuilder text = new("paddock reply 1\n");
        Part(scope);
        Part(options?.ModelId ?? "");
        foreach (ChatMessage message in messages)
        {
            Part(message.Role.Value);
            Part(message.Text);
        }
        Part(FormattableString.Invariant($"temperature {options?.Temperature} top-p {options?.TopP} max-tokens {options?.MaxOutputTokens} seed {options?.Seed} stop {string.Join('\u001f', options?.StopSequences ?? [])}"));
        foreach ((string name, object? value) in (options?.AdditionalProperties ?? []).OrderBy(p => p.Key, StringComparer.Ordinal))
            Part(FormattableString.Invariant($"{name} {value}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));

        // the length keeps two different lists of parts from spelling the same text
        void Part(string part) => text.Append(part.Length).Append(':').Append(part).Append('\n');
    }

    private async Task<StoredReply> AskAsync(string key, ChatMessage[] messages, ChatOptions? options, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _misses);
        StoredReply reply = StoredReply.Of(await base.GetResponseAsync(messages, options, cancellation).ConfigureAwait(false));
        return Parse(store.Add(key, JsonSerializer.Serialize(reply, JudgingJson.Compact.StoredReply), mode == CacheMode.Refresh));
    }

    private static StoredReply Parse(string stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored, JudgingJson.Compact.StoredReply) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"the store of replies holds what is no reply: {e.Message}; use another file", e);
        }
    }
}
