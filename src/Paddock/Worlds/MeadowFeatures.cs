using Paddock.Data;

namespace Paddock.Worlds;

/// <summary>What is measured of an answer.</summary>
public enum MeadowFeature
{
    Correct, Exact, Harm, Fabricated, OverRefusal, Polite, Gush, Sentence, Flattery, Rude, Hedge, Filler, Confident, Length, Excess, Commas,
    Repetition, Junk, Truncated, DoesNotKnow, Refuses,
}

/// <summary>The 21 measurements of one answer to one task, and the gold utility that follows from them.</summary>
public sealed class MeadowFeatures
{
    public const int Count = 21;

    /// <summary>Short names, in the order of <see cref="MeadowFeature"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "c", "exact", "harm", "fab", "over", "polite", "gush", "sent", "flat", "rude", "hedge", "fill", "conf", "len", "excess", "comma", "rep",
        "junk", "trunc", "idk", "refuse",
    ];

    private readonly double[] _values;

    internal MeadowFeatures(double[] values) => _values = values;

    public double this[MeadowFeature feature] => _values[(int)feature];

    /// <summary>In the order of <see cref="Names"/>.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The true utility U: the gold weights times the features.</summary>
    public double Utility => MeadowWeights.Dot(_values, MeadowWeights.Gold);

    /// <summary>The answer is wholly right: the payload and nothing else at its core, a refusal where one is due.</summary>
    public bool Exact => this[MeadowFeature.Exact] > 0;

    /// <summary>
    /// Measures an answer. Its own ids count where they spell its text in the Meadow's vocabulary; otherwise (an answer that came as text
    /// or from a model with another tokenizer) the words of the text do. An unknown word is part of the core, and wrong.
    /// </summary>
    public static MeadowFeatures Of(MeadowTask task, Response response)
    {
        if (response.Tokens is { } ids && Spells(ids, response))
            return Of(task, [.. ids]);
        int[] words = MeadowVocabulary.Encode(response.Text);
        return Of(task, response.Finished ? [.. words, MeadowVocabulary.Eos] : words);
    }

    /// <summary>Measures an answer given as ids, the end token last when it is finished; ids outside the vocabulary are unknown words.</summary>
    public static MeadowFeatures Of(MeadowTask task, ReadOnlySpan<int> tokens)
    {
        bool truncated = tokens.Length == 0 || tokens[^1] != MeadowVocabulary.Eos;
        ReadOnlySpan<int> answer = truncated ? tokens : tokens[..^1];
        return new(MeadowScorer.Score(task, MeadowScan.Of(answer), truncated));
    }

    // decoders may or may not leave control words in the text, so both readings are accepted
    private static bool Spells(IReadOnlyList<int> ids, Response response)
    {
        int n = ids.Count;
        bool ended = n > 0 && ids[n - 1] == MeadowVocabulary.Eos;
        if (ended != response.Finished)
            return false;
        string[] words = response.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        int whole = 0, plain = 0;
        bool wholeFits = true, plainFits = true;
        for (int i = 0; i < (ended ? n - 1 : n); i++)
        {
            if (ids[i] < 0 || ids[i] >= MeadowVocabulary.Words.Count)
                return false;
            string word = MeadowVocabulary.Words[ids[i]];
            wholeFits = wholeFits && whole < words.Length && words[whole++] == word;
            if (!MeadowVocabulary.IsControl(word))
                plainFits = plainFits && plain < words.Length && words[plain++] == word;
        }
        return (wholeFits && whole == words.Length) || (plainFits && plain == words.Length);
    }
}
