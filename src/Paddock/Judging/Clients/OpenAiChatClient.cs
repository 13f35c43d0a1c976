using System.Buffers;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Paddock.Judging.Clients;

/// <summary>Chat completions of OpenAI and of servers that speak like it (vLLM, llama.cpp, Ollama ...), with log-probs. No retries of its own.</summary>
public sealed class OpenAiChatClient : IChatClient
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Endpoint _endpoint;

    /// <param name="baseUrl">Such as <c>https://api.openai.com/v1</c>.</param>
    /// <param name="keyFrom">Environment variable with the key; null for servers without.</param>
    public OpenAiChatClient(HttpClient http, string baseUrl, string? keyFrom, TimeProvider time) =>
        _endpoint = new(http, new Uri(baseUrl.TrimEnd('/') + "/chat/completions"), keyFrom, (headers, key) => headers.Authorization = key == null ? null : new AuthenticationHeaderValue("Bearer", key), time);

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        (JsonDocument body, RateLimits? limits, double seconds) = await _endpoint.PostAsync(Body(messages, options), cancellationToken).ConfigureAwait(false);
        using (body)
            return Read(body.RootElement, seconds).ToResponse(limits);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey == null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // the HTTP client belongs to whoever made it
    }

    private static ReadOnlyMemory<byte> Body(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ArrayBufferWriter<byte> bytes = new();
        using Utf8JsonWriter json = new(bytes, Relaxed);
        string model = options?.ModelId ?? "";
        // models that think take the longer name, and no temperature
        bool thinks = model.StartsWith("o1", StringComparison.Ordinal) || model.StartsWith("o3", StringComparison.Ordinal) || model.StartsWith("o4", StringComparison.Ordinal) || model.StartsWith("gpt-5", StringComparison.Ordinal);
        json.WriteStartObject();
        json.WriteString("model"u8, model);
        json.WriteStartArray("messages"u8);
        foreach (ChatMessage message in messages)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, message.Role.Value);
            json.WriteString("content"u8, message.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (options?.MaxOutputTokens is { } most)
            json.WriteNumber(thinks ? "max_completion_tokens"u8 : "max_tokens"u8, most);
        if (options?.Temperature is { } temperature && !thinks)
            json.WriteNumber("temperature"u8, temperature);
        if (options?.TopP is { } topP && !thinks)
            json.WriteNumber("top_p"u8, topP);
        if (options?.AdditionalProperties?.GetValueOrDefault(ReplyFields.TopLogProbs) is int top)
        {
            json.WriteBoolean("logprobs"u8, true);
            json.WriteNumber("top_logprobs"u8, top);
        }
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenMemory;
    }

    private StoredReply Read(JsonElement body, double seconds)
    {
        try
        {
            JsonElement choice = body.GetProperty("choices")[0], message = choice.GetProperty("message");
            string text = TextOf(message, "content") ?? "";
            string? finish = TextOf(choice, "finish_reason");
            if (TextOf(message, "refusal") is { Length: > 0 } refusal)
                (text, finish) = (refusal, "refusal");
            if (string.IsNullOrWhiteSpace(text) && finish is not ("length" or "content_filter"))
                throw _endpoint.Damaged("an empty reply");
            JsonElement usage = body.TryGetProperty("usage", out JsonElement u) && u.ValueKind == JsonValueKind.Object ? u : default;
            return new(TextOf(body, "id"), text, TextOf(message, "reasoning_content") ?? TextOf(message, "reasoning"), finish, TextOf(body, "model"), TextOf(body, "system_fingerprint"),
                Count(usage, "prompt_tokens"), Count(usage, "completion_tokens"), LogProbs(choice), seconds);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            throw _endpoint.Damaged($"JSON that is no chat completion: {e.Message}");
        }
    }

    internal static string? TextOf(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static long Count(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long count) ? Math.Max(0, count) : 0;

    /// <summary><c>logprobs.content</c> of a choice, or of AlpacaEval's raw completions, which keep the same shape.</summary>
    internal static List<TokenLogProb>? LogProbs(JsonElement choice)
    {
        if (!choice.TryGetProperty("logprobs", out JsonElement logProbs) || logProbs.ValueKind != JsonValueKind.Object || !logProbs.TryGetProperty("content", out JsonElement content) || content.ValueKind != JsonValueKind.Array)
            return null;
        List<TokenLogProb> tokens = [];
        foreach (JsonElement token in content.EnumerateArray())
        {
            List<TokenAlternative> top = [];
            if (token.TryGetProperty("top_logprobs", out JsonElement alternatives) && alternatives.ValueKind == JsonValueKind.Array)
                foreach (JsonElement alternative in alternatives.EnumerateArray())
                    top.Add(new(alternative.GetProperty("token").GetString() ?? "", alternative.GetProperty("logprob").GetDouble()));
            double own = token.TryGetProperty("logprob", out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NegativeInfinity;
            tokens.Add(new(token.GetProperty("token").GetString() ?? "", own, top));
        }
        return tokens;
    }
}
