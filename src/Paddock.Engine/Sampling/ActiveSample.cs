using System.Runtime.InteropServices;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Sampling;

/// <summary>A sample being decoded: its cache, its random stream and what it has drawn.</summary>
internal sealed class ActiveSample(PromptGroup group, int sample, CachedSequence cache, SamplerOptions options, bool guaranteed)
{
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbs = [];
    private readonly List<float>? _filtered = options.FilteredLogProbs ? [] : null;
    private readonly List<int>? _seen = options.RepetitionPenalty != 1f ? [.. group.DistinctPrompt] : null;
    private readonly HashSet<int>? _seenSet = options.RepetitionPenalty != 1f ? [.. group.DistinctPrompt] : null;
    private RandomStream _stream = new RandomStream(group.Request.Stream, "sample").Split((ulong)sample);

    // written by the thread that draws
    public int Token;
    public float LogProb;
    public float FilteredLogProb;

    public PromptGroup Group => group;

    public int Sample => sample;

    public CachedSequence Cache => cache;

    /// <summary>Whether it runs in the space its group reserved for one sample at a time.</summary>
    public bool Guaranteed => guaranteed;

    /// <summary>Every id of prompt and sample once; empty without a repetition penalty.</summary>
    public ReadOnlySpan<int> Seen => CollectionsMarshal.AsSpan(_seen);

    public double NextUniform() => _stream.NextDouble();

    /// <summary>Takes the drawn token in; the finished sample when it was the last one.</summary>
    public FinishedSample? Accept()
    {
        _tokens.Add(Token);
        _logProbs.Add(LogProb);
        _filtered?.Add(FilteredLogProb);
        if (_seenSet?.Add(Token) == true)
            _seen!.Add(Token);
        if (Contains(options.StopTokens, Token))
            return Finish(FinishReason.StopToken);
        if (options.StopStrings is { Count: > 0 } stops && StopText.Completed(_tokens, stops, options.TextOf!))
            return Finish(FinishReason.StopString);
        return _tokens.Count == group.TokenLimit ? Finish(FinishReason.Length) : null;
    }

    private FinishedSample Finish(FinishReason reason) => new(group.Index, sample, [.. _tokens], [.. _logProbs], _filtered?.ToArray(), reason,
        options.TextOf == null ? null : StopText.Final(_tokens, reason, options));

    private static bool Contains(IReadOnlyList<int>? tokens, int token)
    {
        for (int i = 0; tokens != null && i < tokens.Count; i++)
            if (tokens[i] == token)
                return true;
        return false;
    }
}

/// <summary>A prompt and its samples: computed once, then forked for each sample.</summary>
internal sealed class PromptGroup(int index, PromptRequest request, CachedSequence cache, int tokenLimit, int width)
{
    public int Index => index;

    public PromptRequest Request => request;

    /// <summary>The prompt's keys and values; released when the last sample has forked.</summary>
    public CachedSequence Cache => cache;

    /// <summary>Most tokens of one sample.</summary>
    public int TokenLimit => tokenLimit;

    /// <summary>[C] final state of the last prompt position, from which every sample draws its first token.</summary>
    public float[] Hidden { get; } = new float[width];

    /// <summary>Whether the prompt has been computed.</summary>
    public bool Ready { get; set; }

    public int Forked { get; set; }

    public int Finished { get; set; }

    /// <summary>Whether the space reserved for one sample is unused.</summary>
    public bool GuaranteeFree { get; set; } = true;

    public int Waiting => request.Count - Forked;

    public int[] DistinctPrompt => field ??= [.. new HashSet<int>(request.Prompt.ToArray())];
}
