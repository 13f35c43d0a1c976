using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Paddock.Judging.Clients;

/// <summary>Anthropic's messages. It gives no log-probs. No retries of its own.</summary>
public sealed class AnthropicChatClient : IChatClient
{
    private const int DefaultMaxTokens = 512;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Endpoint _endpoint;

    /// <param name="baseUrl">Such as <c>https://api.anthropic.com/v1</c>.</param>
    /// <param name="keyFrom">Environment variable with the key; null for a gateway that needs none.</param>
    public AnthropicChatClient(HttpClient http, string baseUrl, string? keyFrom, TimeProvider time) => _endpoint = new(http, new Uri(baseUrl.TrimEnd('/') + "/messages"), keyFrom, (headers, key) =>
    {
        headers.Add("anthropic-version", "2023-06-01");
        if (key != null)
            headers.Add("x-api-key", key);
    }, time);

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
        ChatMessage[] all = [.. messages];
        json.WriteStartObject();
        json.WriteString("model"u8, options?.ModelId ?? "");
        json.WriteNumber("max_tokens"u8, options?.MaxOutputTokens ?? DefaultMaxTokens);
        if (options?.Temperature is { } temperature)
            json.WriteNumber("temperature"u8, Math.Min(temperature, 1)); // its scale ends at 1
        if (options?.TopP is { } topP)
            json.WriteNumber("top_p"u8, topP);
        if (all.Any(m => m.Role == ChatRole.System))
            json.WriteString("system"u8, string.Join("\n\n", all.Where(m => m.Role == ChatRole.System).Select(m => m.Text)));
        json.WriteStartArray("messages"u8);
        foreach (ChatMessage message in all.Where(m => m.Role != ChatRole.System))
        {
            json.WriteStartObject();
            json.WriteString("role"u8, message.Role.Value);
            json.WriteString("content"u8, message.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenMemory;
    }

    private StoredReply Read(JsonElement body, double seconds)
    {
        try
        {
            string text = "", reasoning = "";
            foreach (JsonElement part in body.GetProperty("content").EnumerateArray())
                switch (OpenAiChatClient.TextOf(part, "type"))
                {
                    case "text":
                        text += OpenAiChatClient.TextOf(part, "text");
                        break;
                    case "thinking":
                        reasoning += OpenAiChatClient.TextOf(part, "thinking");
                        break;
                }
            string? finish = OpenAiChatClient.TextOf(body, "stop_reason") switch
            {
                "max_tokens" => "length",
                "end_turn" or "stop_sequence" => "stop",
                var other => other,
            };
            if (string.IsNullOrWhiteSpace(text) && finish is not ("length" or "refusal"))
                throw _endpoint.Damaged("an empty reply");
            JsonElement usage = body.TryGetProperty("usage", out JsonElement u) ? u : default;
            return new(OpenAiChatClient.TextOf(body, "id"), text, reasoning.Length > 0 ? reasoning : null, finish, OpenAiChatClient.TextOf(body, "model"), null,
                OpenAiChatClient.Count(usage, "input_tokens"), OpenAiChatClient.Count(usage, "output_tokens"), null, seconds);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw _endpoint.Damaged($"JSON that is no message: {e.Message}");
        }
    }
}
