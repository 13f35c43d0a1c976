namespace Paddock.Worlds;

/// <summary>
/// An answer taken apart: greedy longest phrase match from the left; what is neither a phrase nor punctuation is core. The core of a
/// <c>to repeat :</c> is left out, until a phrase of another sort ends the repetition.
/// </summary>
internal sealed class MeadowScan
{
    private static readonly int Comma = MeadowVocabulary.Id(","), Dot = MeadowVocabulary.Id("."), Colon = MeadowVocabulary.Id(":");

    // phrases by their first id, longest first (a stable order among equals)
    private static readonly (MeadowPhrase Kind, int Number, int[] Ids)[]?[] ByFirst = Index();

    private readonly int[] _counts = new int[Enum.GetValues<MeadowPhrase>().Length];

    private MeadowScan(int length, bool endsSentence) => (Length, EndsSentence) = (length, endsSentence);

    /// <summary>Words without the end token.</summary>
    public int Length { get; }

    /// <summary>The last word is punctuation other than a comma.</summary>
    public bool EndsSentence { get; }

    public List<int> Core { get; } = [];

    /// <summary>Phrases said before, and announced repetitions.</summary>
    public int Repeated { get; private set; }

    public int Commas { get; private set; }

    /// <summary>Punctuation outside of phrases that is neither comma nor full stop.</summary>
    public int Stray { get; private set; }

    public int this[MeadowPhrase phrase] => _counts[(int)phrase];

    public static MeadowScan Of(ReadOnlySpan<int> answer)
    {
        MeadowScan scan = new(answer.Length, answer.Length > 0 && IsPunctuation(answer[^1]) && answer[^1] != Comma);
        ulong seen = 0;
        bool repeating = false;
        for (int i = 0; i < answer.Length;)
        {
            if (Match(answer[i..]) is not (MeadowPhrase kind, int number, int[] ids))
            {
                int word = answer[i++];
                if (word == Comma)
                    scan.Commas++;
                else if (!IsPunctuation(word))
                {
                    if (!repeating)
                        scan.Core.Add(word);
                }
                else if (word != Dot)
                    scan.Stray++;
                continue;
            }
            scan._counts[(int)kind]++;
            if ((seen >> number & 1) != 0)
                scan.Repeated++;
            seen |= 1ul << number;
            i += ids.Length;
            if (kind == MeadowPhrase.Repeat)
            {
                repeating = true;
                scan.Repeated++;
            }
            else if (kind is MeadowPhrase.Filler or MeadowPhrase.Confident or MeadowPhrase.Close or MeadowPhrase.Open or MeadowPhrase.Flat or MeadowPhrase.Rude)
                repeating = false;
        }
        return scan;
    }

    private static (MeadowPhrase Kind, int Number, int[] Ids)? Match(ReadOnlySpan<int> rest)
    {
        if ((uint)rest[0] < (uint)ByFirst.Length && ByFirst[rest[0]] is { } candidates)
            foreach ((MeadowPhrase Kind, int Number, int[] Ids) phrase in candidates)
                if (rest.StartsWith(phrase.Ids))
                    return phrase;
        return null;
    }

    private static bool IsPunctuation(int id) => id >= Dot && id <= Colon;

    private static (MeadowPhrase, int, int[])[]?[] Index()
    {
        (MeadowPhrase Kind, int Number, int[] Ids)[] all = [.. MeadowLexicon.Phrases
            .SelectMany(group => group.Texts.Select(text => (group.Kind, Ids: MeadowVocabulary.Encode(text))))
            .Select((phrase, number) => (phrase.Kind, number, phrase.Ids))];
        var index = new (MeadowPhrase, int, int[])[]?[MeadowVocabulary.Words.Count];
        foreach (var group in all.GroupBy(p => p.Ids[0]))
            index[group.Key] = [.. group.OrderByDescending(p => p.Ids.Length)];
        return index;
    }
}
