using Microsoft.Extensions.AI;
using Paddock.Engine.Numerics;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Paddock.Judging.Clients;

/// <summary>Tries again what may pass, with exponential back-off and jitter, or when the server says (Retry-After); all tries within one time limit.</summary>
public sealed class RetryChatClient : DelegatingChatClient
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200), Longest = TimeSpan.FromSeconds(30);

    private readonly ResiliencePipeline<ChatResponse> _pipeline;
    private readonly TimeSpan _longestCall;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private RandomStream _jitter;

    /// <param name="retries">After the first try.</param>
    /// <param name="longestCall">Of a call with all its tries.</param>
    /// <param name="jitter">Draws of the back-off; they change no verdict.</param>
    public RetryChatClient(IChatClient inner, int retries, TimeSpan longestCall, RandomStream jitter, TimeProvider time) : base(inner)
    {
        (_longestCall, _time, _jitter) = (longestCall, time, jitter);
        ResiliencePipelineBuilder<ChatResponse> builder = new() { TimeProvider = time };
        if (retries > 0)
            builder.AddRetry(new RetryStrategyOptions<ChatResponse>
            {
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = First,
                MaxDelay = Longest,
                Randomizer = Draw,
                ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is JudgeCallException { MayPass: true }),
                DelayGenerator = attempt => ValueTask.FromResult((attempt.Outcome.Exception as JudgeCallException)?.RetryAfter),
            });
        _pipeline = builder.Build();
    }

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource late = new(_longestCall, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        JudgeCallException? last = null;
        try
        {
            return await _pipeline.ExecuteAsync(async token =>
            {
                try
                {
                    return await base.GetResponseAsync(messages, options, token).ConfigureAwait(false);
                }
                catch (JudgeCallException e)
                {
                    last = e;
                    throw;
                }
            }, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new JudgeCallException(CallFault.Unavailable, $"no reply within {_longestCall.TotalSeconds:0} s{(last == null ? "" : $"; the last try: {last.Message}")}", e);
        }
    }

    private double Draw()
    {
        lock (_gate)
            return _jitter.NextDouble();
    }
}

/// <summary>Ends a try that takes too long: a server that sends a byte now and then would hold a place for ever.</summary>
public sealed class TimeLimitChatClient(IChatClient inner, TimeSpan longestTry, TimeProvider time) : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource late = new(longestTry, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await base.GetResponseAsync(messages, options, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new JudgeCallException(CallFault.Unavailable, $"no reply within {longestTry.TotalSeconds:0.##} s", e);
        }
    }
}

/// <summary>Leaves a server alone for a while when nearly nothing comes back from it; a 429 is an answer and does not count.</summary>
public sealed class CircuitBreakerChatClient : DelegatingChatClient
{
    private readonly ResiliencePipeline<ChatResponse> _pipeline;

    public CircuitBreakerChatClient(IChatClient inner, TimeProvider time) : base(inner) => _pipeline = new ResiliencePipelineBuilder<ChatResponse> { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<ChatResponse>
        {
            FailureRatio = 0.9,
            MinimumThroughput = 20,
            SamplingDuration = TimeSpan.FromSeconds(10),
            BreakDuration = TimeSpan.FromSeconds(5),
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is JudgeCallException { Fault: CallFault.Unavailable }),
        }).Build();

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _pipeline.ExecuteAsync(async token => await base.GetResponseAsync(messages, options, token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (BrokenCircuitException e)
        {
            throw new JudgeCallException(CallFault.Unavailable, "the server has answered nearly nothing for some seconds and is left alone for a while", e) { RetryAfter = e.RetryAfter };
        }
    }
}

/// <summary>
/// Refuses a reply that another request of this process has had already: its id is known. A reply that reaches a wrong request before its own cannot be told
/// from a right one. The check rests while duplicates outnumber new ids, because then the server does not number its replies.
/// </summary>
public sealed class DuplicateChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    private const int Remembered = 4096, FewestToRest = 5;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private long _new, _again;

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatResponse response = await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        return response.ResponseId is { Length: > 0 } id && IsDuplicate(id) ? throw new JudgeCallException(CallFault.Damaged, "a reply that another request has had already") : response;
    }

    private bool IsDuplicate(string id)
    {
        lock (_gate)
        {
            if (!_seen.Add(id))
                return ++_again < FewestToRest || _again <= _new;
            _new++;
            _order.Enqueue(id);
            if (_order.Count > Remembered)
                _seen.Remove(_order.Dequeue());
            return false;
        }
    }
}
