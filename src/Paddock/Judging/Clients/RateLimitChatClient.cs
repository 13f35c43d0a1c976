using Microsoft.Extensions.AI;

namespace Paddock.Judging.Clients;

/// <summary>Keeps to requests and tokens a minute, given or learned from the server's headers; after a 429 nothing is sent until the server wants more.</summary>
public sealed class RateLimitChatClient(IChatClient inner, double? requestsPerMinute, double? tokensPerMinute, TimeProvider time) : DelegatingChatClient(inner)
{
    private static readonly TimeSpan PauseWithoutHeader = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly RateGate _limits = new(requestsPerMinute, tokensPerMinute);
    private readonly long _begun = time.GetTimestamp();

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] all = [.. messages];
        double tokens = TokenEstimate.Likely(all) + (options?.MaxOutputTokens ?? 0);
        while (Locked(now => _limits.TryTake(tokens, now)) is { } wait && wait > TimeSpan.Zero)
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        try
        {
            ChatResponse response = await base.GetResponseAsync(all, options, cancellationToken).ConfigureAwait(false);
            Learn(response.AdditionalProperties?.GetValueOrDefault(ReplyFields.Limits) as RateLimits);
            return response;
        }
        catch (JudgeCallException e)
        {
            Learn(e.Limits);
            if (e.Fault == CallFault.Throttled)
                Locked(now => _limits.Pause(e.RetryAfter ?? PauseWithoutHeader, now));
            throw;
        }
    }

    private void Learn(RateLimits? limits)
    {
        if (limits != null)
            Locked(now => _limits.Learn(limits, now));
    }

    private TimeSpan Locked(Func<TimeSpan, TimeSpan> action)
    {
        lock (_gate)
            return action(time.GetElapsedTime(_begun));
    }
}

/// <summary>Two buckets that fill evenly over a minute, and a pause. It keeps no clock: every call says how late it is. Not thread-safe.</summary>
internal sealed class RateGate(double? requestsPerMinute, double? tokensPerMinute)
{
    // a wait that ends a moment too early would be followed by another
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(1);

    private readonly Bucket _requests = new(requestsPerMinute), _tokens = new(tokensPerMinute);
    private TimeSpan _pausedUntil;

    /// <summary>Takes a request and its tokens and gives zero, or takes nothing and gives how long to wait before asking again.</summary>
    public TimeSpan TryTake(double tokens, TimeSpan now)
    {
        if (now < _pausedUntil)
            return _pausedUntil - now + Margin;
        double seconds = Math.Max(_requests.SecondsUntil(1, now), _tokens.SecondsUntil(tokens, now));
        if (seconds > 0)
            return TimeSpan.FromSeconds(Math.Min(seconds, 60)) + Margin;
        _requests.Take(1);
        _tokens.Take(tokens);
        return TimeSpan.Zero;
    }

    public TimeSpan Pause(TimeSpan wait, TimeSpan now)
    {
        if (now + wait > _pausedUntil)
            _pausedUntil = now + wait;
        return wait;
    }

    public TimeSpan Learn(RateLimits limits, TimeSpan now)
    {
        _requests.Learn(limits.Requests, limits.RequestsLeft, now);
        _tokens.Learn(limits.Tokens, limits.TokensLeft, now);
        // nothing is left: the reset is known better than the even filling
        if (limits.RequestsLeft == 0 && limits.RequestsReset is { } requests)
            Pause(requests, now);
        if (limits.TokensLeft == 0 && limits.TokensReset is { } tokens)
            Pause(tokens, now);
        return TimeSpan.Zero;
    }

    private sealed class Bucket
    {
        private readonly double? _given;
        private double? _perMinute;
        private double _level;
        private TimeSpan _at;

        public Bucket(double? given)
        {
            _given = _perMinute = given;
            _level = given ?? 0;
        }

        public double SecondsUntil(double amount, TimeSpan now)
        {
            if (_perMinute is not { } rate)
                return 0;
            Fill(rate, now);
            // what is larger than the bucket goes when the bucket is full
            return Math.Max(0, (Math.Min(amount, rate) - _level) * 60 / rate);
        }

        public void Take(double amount) => _level -= _perMinute == null ? 0 : amount;

        public void Learn(double? limit, double? left, TimeSpan now)
        {
            if (limit is not > 0)
                return;
            // a limit of the user's own is never raised
            double rate = _given is { } own ? Math.Min(own, limit.Value) : limit.Value;
            if (_perMinute == null)
                (_level, _at) = (left ?? rate, now);
            else
                Fill(_perMinute.Value, now);
            _perMinute = rate;
            _level = Math.Min(_level, Math.Min(rate, left ?? rate));
        }

        private void Fill(double rate, TimeSpan now)
        {
            if (now <= _at)
                return;
            _level = Math.Min(rate, _level + (now - _at).TotalSeconds * rate / 60);
            _at = now;
        }
    }
}
