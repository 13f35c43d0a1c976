namespace Paddock.Engine.Tokenizers;

/// <summary>Settings of <see cref="BpeTrainer"/>.</summary>
/// <param name="VocabularySize">Tokens in all: special ones, 256 bytes, merged ones. Training may end with fewer.</param>
/// <param name="MinFrequency">A pair is merged only when it occurs at least so often (and at least once).</param>
/// <param name="SpecialTokens">Get the first ids, in this order. The first is the end-of-text token of the result.</param>
/// <param name="AddPrefixSpace">Put a space before each text that has none, as RoBERTa does.</param>
/// <param name="IndividualDigits">Keep numeric characters apart, as SmolLM does.</param>
public sealed record BpeTrainerSettings(int VocabularySize, int MinFrequency = 0, IReadOnlyList<string>? SpecialTokens = null,
    bool AddPrefixSpace = false, bool IndividualDigits = false);

/// <summary>
/// Trains byte-level BPE. Each round merges the pair with the highest count (overlapping occurrences count each); of equals the one with
/// the smallest left id, then the smallest right id. The result depends only on the words and their counts, never on the corpus's order.
/// </summary>
public static class BpeTrainer
{
    private const string Place = "BPE training";

    /// <summary>Learns merges from texts; words never reach over the end of a text.</summary>
    /// <exception cref="BadInputException">A vocabulary size without room for the bytes, or a special token given twice or empty.</exception>
    public static Tokenizer Train(IEnumerable<string> corpus, BpeTrainerSettings settings)
    {
        ComponentJson components = settings.IndividualDigits ? TokenizerReader.SmolComponents : TokenizerReader.Gpt2Components;
        if (settings.AddPrefixSpace)
        {
            if (settings.IndividualDigits)
                throw new BadInputException($"{Place}: a prefix space together with individual digits is not supported");
            components = components with { PreTokenizer = components.PreTokenizer!.Replace("\"add_prefix_space\":false", "\"add_prefix_space\":true", StringComparison.Ordinal) };
        }

        Dictionary<string, int> ids = [];
        List<string> tokens = [];
        List<AddedToken> added = [];
        foreach (string special in settings.SpecialTokens ?? [])
        {
            if (special.Length == 0 || ids.ContainsKey(special))
                throw new BadInputException($"{Place}: special token '{special}' is empty or given twice");
            added.Add(new AddedToken(Add(special), special));
        }
        int room = settings.SpecialTokens?.Count + 256 ?? 256;
        if (settings.VocabularySize < room || settings.VocabularySize > Vocabulary.MaxId)
            throw new BadInputException($"{Place}: vocabulary size {settings.VocabularySize}; it must be from {room} to {Vocabulary.MaxId}");

        // Bytes in the order of the characters that spell them.
        int[] byteIds = new int[256];
        for (char c = '\0'; c < 0x144; c++)
            if (ByteAlphabet.TryToByte(c, out byte value))
                byteIds[value] = ids.TryGetValue(c.ToString(), out int known) ? known : Add(c.ToString());

        (PreTokenizer cut, bool prefixSpace, _) = new ComponentReader(Place, _ => null).PreTokenizer(components.PreTokenizer);
        PairCounts counts = new(BpeWords.Count(corpus, cut, prefixSpace, byteIds));
        List<(string, string)> merges = [];
        long least = Math.Max(1, settings.MinFrequency);
        while (tokens.Count < settings.VocabularySize && counts.TryTakeBest(least, out int left, out int right))
        {
            string joined = tokens[left] + tokens[right];
            if (!ids.TryGetValue(joined, out int merged))
                merged = Add(joined);
            merges.Add((tokens[left], tokens[right]));
            counts.Merge(left, right, merged);
        }

        TokenizerConfig? config = added.Count > 0 ? new TokenizerConfig(EosToken: added[0].Content) : null;
        return TokenizerReader.Assemble(new BpeModel(new Vocabulary(ids, Place), merges, null, ignoreMerges: false, Place), added, components, config, Place);

        int Add(string token)
        {
            ids.Add(token, tokens.Count);
            tokens.Add(token);
            return tokens.Count - 1;
        }
    }
}
