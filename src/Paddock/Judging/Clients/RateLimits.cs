using System.Globalization;
using System.Net.Http.Headers;

namespace Paddock.Judging.Clients;

/// <summary>What a server's headers say of its limits; null where they say nothing.</summary>
/// <param name="Requests">Requests a minute.</param>
/// <param name="RequestsLeft">Until the reset.</param>
/// <param name="RequestsReset">Time to the reset.</param>
/// <param name="Tokens">Tokens a minute.</param>
public sealed record RateLimits(double? Requests, double? RequestsLeft, TimeSpan? RequestsReset, double? Tokens, double? TokensLeft, TimeSpan? TokensReset)
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>OpenAI's (<c>x-ratelimit-limit-requests</c>, resets such as <c>6m0s</c>) and Anthropic's (<c>anthropic-ratelimit-requests-limit</c>, resets as times).</summary>
    /// <param name="now">For resets that are times.</param>
    public static RateLimits? Read(HttpResponseHeaders headers, DateTimeOffset now)
    {
        RateLimits limits = new(Number("requests", "limit"), Number("requests", "remaining"), Reset("requests"), Number("tokens", "limit"), Number("tokens", "remaining"), Reset("tokens"));
        return limits == new RateLimits(null, null, null, null, null, null) ? null : limits;

        string? Value(string of, string what) => headers.TryGetValues($"x-ratelimit-{what}-{of}", out IEnumerable<string>? values) || headers.TryGetValues($"anthropic-ratelimit-{of}-{what}", out values)
            ? values.FirstOrDefault()
            : null;

        double? Number(string of, string what) => double.TryParse(Value(of, what), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;

        TimeSpan? Reset(string of) => Value(of, "reset") is not { } text ? null
            : Duration(text) ?? (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) ? Bounded(at - now) : null);
    }

    /// <summary><c>retry-after-ms</c>, or <c>Retry-After</c> as seconds or as a time; null without one.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (headers.TryGetValues("retry-after-ms", out IEnumerable<string>? values) && double.TryParse(values.FirstOrDefault(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double ms))
            return Bounded(ms < Longest.TotalMilliseconds ? TimeSpan.FromMilliseconds(ms) : Longest);
        return headers.RetryAfter switch
        {
            { Delta: { } delta } => Bounded(delta),
            { Date: { } date } => Bounded(date - now),
            _ => null,
        };
    }

    /// <summary>1s, 6m0s, 1h2m3.5s, 20ms; null when it is something else.</summary>
    internal static TimeSpan? Duration(string text)
    {
        double seconds = 0;
        int at = 0;
        while (at < text.Length)
        {
            int start = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
                at++;
            if (!double.TryParse(text.AsSpan(start, at - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
                return null;
            ReadOnlySpan<char> unit = text.AsSpan(at);
            (double scale, int length) = unit.StartsWith("ms") ? (0.001, 2) : unit.StartsWith("h") ? (3600, 1) : unit.StartsWith("m") ? (60, 1) : unit.StartsWith("s") ? (1.0, 1) : (0.0, 0);
            if (length == 0)
                return null;
            seconds += number * scale;
            at += length;
        }
        return text.Length == 0 ? null : Bounded(seconds < Longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : Longest);
    }

    // a server's clock may be wrong, and a header hostile
    private static TimeSpan Bounded(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time > Longest ? Longest : time;
}
