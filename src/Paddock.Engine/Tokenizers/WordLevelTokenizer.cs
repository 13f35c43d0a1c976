namespace Paddock.Engine.Tokenizers;

/// <summary>Builds word-level tokenizers: one token per word between white space.</summary>
public static class WordLevelTokenizer
{
    /// <summary>
    /// A tokenizer whose ids are the positions in <paramref name="vocabulary"/>; its text form is the words joined by single spaces.
    /// </summary>
    /// <param name="vocabulary">Words without white space, each once.</param>
    /// <param name="specialTokens">Those of them that a decode may skip; they are also found inside a word.</param>
    /// <param name="config">Token roles and chat template, saved as tokenizer_config.json by <see cref="TokenizerConfig.Save"/>.</param>
    /// <param name="unknownToken">Stands for words outside the vocabulary; when it is not in it, encoding such a word is an error.</param>
    /// <exception cref="BadInputException">A word that is empty, has white space, or is there twice; a special token that is not there.</exception>
    public static Tokenizer Build(IReadOnlyList<string> vocabulary, IReadOnlyList<string> specialTokens, TokenizerConfig? config = null,
        string unknownToken = "<unk>")
    {
        const string Place = "word-level vocabulary";
        Dictionary<string, int> ids = new(vocabulary.Count);
        for (int id = 0; id < vocabulary.Count; id++)
        {
            string word = vocabulary[id];
            bool spaced = word.Length == 0;
            foreach (char c in word)
                spaced |= CodePoints.IsSpace(c);
            if (spaced)
                throw new BadInputException($"{Place}: word {id} is empty or has white space: '{Vocabulary.Shown(word)}'");
            if (!ids.TryAdd(word, id))
                throw new BadInputException($"{Place}: '{Vocabulary.Shown(word)}' is there twice");
        }
        List<AddedToken> added = [];
        foreach (string special in specialTokens)
            added.Add(ids.TryGetValue(special, out int id)
                ? new AddedToken(id, special)
                : throw new BadInputException($"{Place}: special token '{Vocabulary.Shown(special)}' is not in it"));
        return TokenizerReader.Assemble(new WordLevelModel(new Vocabulary(ids, Place), unknownToken), added,
            TokenizerReader.WordLevelComponents, config, Place);
    }
}
