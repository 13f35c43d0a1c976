using System.Text.Json.Serialization;
using Paddock.Data;

namespace Paddock.Judging;

/// <summary>What became of a comparison. Only the first two count in a win rate; the others are shown beside it.</summary>
public enum VerdictState
{
    /// <summary>One answer was preferred, perhaps softly.</summary>
    Judged,

    /// <summary>Neither answer was preferred.</summary>
    Tie,

    /// <summary>A reply came and holds no verdict that could be read.</summary>
    Unparsed,

    /// <summary>The judge declined, or a filter cut it off.</summary>
    Refused,

    /// <summary>The reply ended at its length limit before a verdict.</summary>
    CutOff,

    /// <summary>No reply came.</summary>
    Failed,
}

/// <summary>A generated token, its log-prob and the likeliest alternatives.</summary>
public sealed record TokenLogProb(string Token, double LogProb, IReadOnlyList<TokenAlternative> Top);

/// <param name="LogProb">In nats.</param>
public sealed record TokenAlternative(string Token, double LogProb);

/// <summary>One question to a model and what came back.</summary>
/// <param name="Judge">Who was asked; a member's name in a jury.</param>
/// <param name="Shown">Which answers it saw, in order: <c>1,2</c>, <c>2,1</c>, or one alone.</param>
/// <param name="Messages">The exact prompt.</param>
/// <param name="Model">Model that was asked for.</param>
/// <param name="ServedModel">Model that the server says answered.</param>
/// <param name="Fingerprint">The server's fingerprint of its system.</param>
/// <param name="Reply">The raw reply; null when none came.</param>
/// <param name="Trace">Reasoning, where the reply or the provider has it apart.</param>
/// <param name="Finish">Why the reply ended.</param>
/// <param name="Value">What was read: a preference of 1 to 2 in the answers' own order, or a score; null when nothing could be.</param>
/// <param name="Problem">Why nothing could be read.</param>
/// <param name="Price">Of this call, earlier tries included; null when the model's price is not known.</param>
/// <param name="Seconds">Of the try that gave the reply, when it was made; a reply from the cache keeps it.</param>
/// <param name="Tries">Replies that were asked for until one could be read.</param>
public sealed record JudgeCall(string Judge, string Shown, IReadOnlyList<ChatMessage> Messages, string Model, string? ServedModel, string? Fingerprint, string? Reply, string? Trace, string? Finish,
    IReadOnlyList<TokenLogProb>? LogProbs, double? Value, string? Problem, long InputTokens, long OutputTokens, double? Price, double Seconds, int Tries);

/// <summary>A judge's verdict with everything it rests on.</summary>
/// <param name="Preference">On AlpacaEval's scale: 1 the first answer wins, 2 the second, 1.5 a tie, between soft; null when missing.</param>
/// <param name="Reason">Why the verdict is missing, or why nobody was asked.</param>
public sealed record JudgeVerdict(double? Preference, VerdictState State, string? Reason, IReadOnlyList<JudgeCall> Calls)
{
    /// <summary>Of all calls; null when the price of one is not known.</summary>
    [JsonIgnore]
    public double? Price => Calls.Any(c => c.Price == null) ? null : Calls.Sum(c => c.Price!.Value);

    public static JudgeVerdict Of(double preference, IReadOnlyList<JudgeCall> calls, string? reason = null) => preference is >= 1 and <= 2
        ? new(preference, preference == 1.5 ? VerdictState.Tie : VerdictState.Judged, reason, calls)
        : throw new ArgumentOutOfRangeException(nameof(preference), preference, "a preference is from 1 to 2");

    public static JudgeVerdict Missing(VerdictState state, string reason, IReadOnlyList<JudgeCall> calls) => new(null, state, reason, calls);

    /// <summary>As studies know it.</summary>
    public Verdict ToVerdict() => Preference is { } p ? Verdict.Of(2 - p) : Verdict.Missing($"{Words(State)}: {Reason}");

    /// <summary>A state in the words of messages.</summary>
    public static string Words(VerdictState state) => state switch
    {
        VerdictState.Judged => "judged",
        VerdictState.Tie => "tie",
        VerdictState.Unparsed => "not readable",
        VerdictState.Refused => "refused",
        VerdictState.CutOff => "cut off",
        _ => "failed",
    };
}

/// <summary>Someone who compares two answers and says on what grounds.</summary>
public interface IJudge
{
    string Name { get; }

    /// <summary>Changes whenever a verdict could: model, prompt, parser, order, seed.</summary>
    string Version { get; }

    /// <summary>A verdict, missing ones included. Throws only what must end the run: no key, a cap that is reached, a reply that a replay lacks. Thread-safe.</summary>
    Task<JudgeVerdict> JudgeAsync(Comparison comparison, CancellationToken cancellation);
}
