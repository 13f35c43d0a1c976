using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Paddock.Engine;

namespace Paddock.Judging.Clients;

/// <summary>
/// One address of a server that takes and gives JSON. Whatever can go wrong becomes a <see cref="JudgeCallException"/> that says whether another try
/// may help; a key that is missing or refused ends the run. A key is read from the environment at the first call, and never stands in a message.
/// </summary>
/// <param name="keyFrom">Environment variable with the key; null where none is needed.</param>
/// <param name="authorise">Puts the key on a request.</param>
internal sealed class Endpoint(HttpClient http, Uri address, string? keyFrom, Action<HttpRequestHeaders, string?> authorise, TimeProvider time)
{
    /// <summary>Longest body that is read: no verdict is that long.</summary>
    public const int MostBytes = 16 << 20;

    private const int MostOfMessage = 300;

    /// <summary>The reply's JSON, what its headers say of limits, and the seconds it took.</summary>
    public async Task<(JsonDocument Body, RateLimits? Limits, double Seconds)> PostAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        string? key = Key();
        using HttpRequestMessage request = new(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        authorise(request.Headers, key);
        long begun = time.GetTimestamp();
        HttpResponseMessage response;
        byte[] bytes;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
            bytes = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new JudgeCallException(CallFault.Unavailable, $"{address.Host}: {Redacted(e.InnerException?.Message ?? e.Message, key)}", e);
        }
        using (response)
        {
            double seconds = time.GetElapsedTime(begun).TotalSeconds;
            RateLimits? limits = RateLimits.Read(response.Headers, time.GetUtcNow());
            if (!response.IsSuccessStatusCode)
                throw Refused(response, bytes, limits, key);
            try
            {
                return (JsonDocument.Parse(bytes), limits, seconds);
            }
            catch (JsonException e)
            {
                throw new JudgeCallException(CallFault.Damaged, $"{address.Host}: the reply is not JSON ({bytes.Length} bytes)", e) { Limits = limits };
            }
        }
    }

    /// <summary>A reply that is JSON and not the JSON of a reply.</summary>
    public JudgeCallException Damaged(string what) => new(CallFault.Damaged, $"{address.Host}: {what}");

    private string? Key()
    {
        if (keyFrom == null)
            return null;
        string? key = Environment.GetEnvironmentVariable(keyFrom);
        return !string.IsNullOrWhiteSpace(key) ? key.Trim() : throw new BadInputException($"{address.Host} needs a key: set the environment variable {keyFrom} (or name another with 'key-from')");
    }

    private Exception Refused(HttpResponseMessage response, byte[] bytes, RateLimits? limits, string? key)
    {
        int status = (int)response.StatusCode;
        string message = $"{address.Host}: {status} {Redacted(Message(bytes), key)}".TrimEnd();
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new BadInputException($"{message}; check the key{(keyFrom == null ? "" : $" in {keyFrom}")}"),
            HttpStatusCode.NotFound => new BadInputException($"{message}; check model and base-url"),
            HttpStatusCode.TooManyRequests => new JudgeCallException(CallFault.Throttled, message) { RetryAfter = RateLimits.RetryAfter(response.Headers, time.GetUtcNow()), Limits = limits },
            HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict => new JudgeCallException(CallFault.Unavailable, message),
            _ when status >= 500 => new JudgeCallException(CallFault.Unavailable, message) { RetryAfter = RateLimits.RetryAfter(response.Headers, time.GetUtcNow()), Limits = limits },
            _ => new JudgeCallException(CallFault.Rejected, message),
        };
    }

    // both vendors: {"error": {"message": ...}}
    private static string Message(byte[] bytes)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(bytes);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out JsonElement error))
                return error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out JsonElement message) && message.ValueKind == JsonValueKind.String ? message.GetString()! : error.ToString();
        }
        catch (JsonException)
        {
            // a page of a proxy: its text is all there is
        }
        return Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, MostOfMessage)));
    }

    private static string Redacted(string text, string? key)
    {
        string safe = key is { Length: > 0 } ? text.Replace(key, "***", StringComparison.Ordinal) : text;
        safe = safe.ReplaceLineEndings(" ");
        return safe.Length <= MostOfMessage ? safe : safe[..MostOfMessage] + "...";
    }
}
