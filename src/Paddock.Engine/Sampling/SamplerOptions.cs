namespace Paddock.Engine.Sampling;

/// <summary>Turns ids into text; what the tokenizer's decode does. Called with all ids, or with the last few of them.</summary>
public delegate string TextOf(ReadOnlySpan<int> tokens);

/// <summary>How tokens are drawn. The order is that of Hugging Face's <c>generate</c>: repetition penalty, temperature, top-k, top-p, min-p.</summary>
/// <param name="MaxTokens">Most tokens of one sample, at least one.</param>
/// <param name="Temperature">0 is greedy: the arg max, the lowest id of equals.</param>
/// <param name="TopK">0 is off.</param>
/// <param name="TopP">1 is off.</param>
/// <param name="MinP">0 is off.</param>
/// <param name="RepetitionPenalty">1 is off; applies to every id of the prompt and of the sample.</param>
/// <param name="StopTokens">Ids that end a sample; the id itself is kept as its last token.</param>
/// <param name="StopStrings">Texts that end a sample; needs <paramref name="TextOf"/>.</param>
/// <param name="TextOf">Decoder of ids; when given, samples carry their text.</param>
/// <param name="FilteredLogProbs">Whether log-probs of the distribution really drawn from are wanted too.</param>
public sealed record SamplerOptions(
    int MaxTokens,
    float Temperature = 1f,
    int TopK = 0,
    float TopP = 1f,
    float MinP = 0f,
    float RepetitionPenalty = 1f,
    IReadOnlyList<int>? StopTokens = null,
    IReadOnlyList<string>? StopStrings = null,
    TextOf? TextOf = null,
    bool FilteredLogProbs = false)
{
    // far beyond any model's positions
    private const int MostTokens = 1 << 20;

    /// <summary>Throws <see cref="BadInputException"/> naming the first option out of range.</summary>
    public void Check()
    {
        Require(MaxTokens is >= 1 and <= MostTokens, "max tokens", MaxTokens, $"use 1 to {MostTokens}");
        Require(Temperature >= 0 && float.IsFinite(Temperature), "temperature", Temperature, "use 0 (greedy) or more");
        Require(TopK >= 0, "top-k", TopK, "use 0 (off) or more");
        Require(TopP is > 0 and <= 1, "top-p", TopP, "use more than 0 and at most 1 (off)");
        Require(MinP is >= 0 and <= 1, "min-p", MinP, "use 0 (off) to 1");
        Require(RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty), "repetition penalty", RepetitionPenalty, "use more than 0 (1 is off)");
        if (StopStrings is { Count: > 0 })
        {
            if (TextOf == null)
                throw new BadInputException("sampling: stop strings need a tokenizer that turns ids into text; give one or use stop tokens");
            foreach (string stop in StopStrings)
                if (string.IsNullOrEmpty(stop))
                    throw new BadInputException("sampling: a stop string is empty; remove it");
        }
    }

    private static void Require(bool met, string option, float value, string fix)
    {
        if (!met)
            throw new BadInputException(FormattableString.Invariant($"sampling: {option} is {value}; {fix}"));
    }
}
