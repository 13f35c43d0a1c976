namespace Paddock.Judging.Clients;

/// <summary>Why a call gave no reply.</summary>
public enum CallFault
{
    /// <summary>Too many requests; the server says when to come back, or not.</summary>
    Throttled,

    /// <summary>Down, overloaded, too slow, or a connection that broke.</summary>
    Unavailable,

    /// <summary>A reply that cannot be one: half a body, wrong JSON, nothing in it, somebody else's.</summary>
    Damaged,

    /// <summary>The server will not answer this request, however often it is asked.</summary>
    Rejected,
}

/// <summary>A call without a reply. What must end the whole run (no key, a cap, a missing recording) is a <see cref="Engine.BadInputException"/> instead.</summary>
public sealed class JudgeCallException(CallFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public CallFault Fault => fault;

    /// <summary>Another try may succeed.</summary>
    public bool MayPass => fault != CallFault.Rejected;

    /// <summary>How long the server asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the server's headers said of its limits.</summary>
    public RateLimits? Limits { get; init; }
}
