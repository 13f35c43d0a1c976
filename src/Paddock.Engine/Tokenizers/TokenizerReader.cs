using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>Reads tokenizer.json and the older pair vocab.json, merges.txt.</summary>
internal static class TokenizerReader
{
    private const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";

    /// <summary>The parts of GPT-2 that carry no state; SmolLM's isolate digits before.</summary>
    public static ComponentJson Gpt2Components { get; } = new(null, ByteLevel, null, ByteLevel);

    public static ComponentJson SmolComponents { get; } = Gpt2Components with
    {
        PreTokenizer = $$"""{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{{ByteLevel}}]}""",
    };

    public static ComponentJson WordLevelComponents { get; } = new(null, """{"type":"WhitespaceSplit"}""", null, null);

    public static Tokenizer Load(string path)
    {
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        string file = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        if (File.Exists(file))
        {
            using JsonDocument document = TokenizerJson.Open(file);
            TokenizerConfig? config = TokenizerConfig.Load(folder);
            return TokenizerJson.Guard(file, () => Read(document.RootElement, config, file));
        }
        string vocabulary = Path.Combine(folder, "vocab.json"), merges = Path.Combine(folder, "merges.txt");
        if (Directory.Exists(path) && File.Exists(vocabulary) && File.Exists(merges))
            return ReadClassic(vocabulary, merges, TokenizerConfig.Load(folder));
        throw new BadInputException($"{path}: no tokenizer here; expected tokenizer.json, or vocab.json with merges.txt");
    }

    public static Tokenizer Read(JsonElement root, TokenizerConfig? config, string place)
    {
        JsonElement model = TokenizerJson.Required(root, "model", JsonValueKind.Object, place);
        List<AddedToken> added = ReadAdded(root, place);
        ComponentJson components = new(Raw("normalizer"), Raw("pre_tokenizer"), Raw("post_processor"), Raw("decoder"));
        return Assemble(ReadModel(model, place + ": model"), added, components, config, place);

        string? Raw(string key) => TokenizerJson.Optional(root, key, place)?.GetRawText();
    }

    /// <summary>Chooses the stateless parts by their JSON and joins everything.</summary>
    public static Tokenizer Assemble(TokenModel model, IReadOnlyList<AddedToken> added, ComponentJson components, TokenizerConfig? config, string place)
    {
        ComponentReader reader = new(place, token => Find(token));
        (PreTokenizer pre, bool prefixSpace, bool byteLevel) = reader.PreTokenizer(components.PreTokenizer);
        if (model is BpeModel != byteLevel)
            throw new BadInputException(byteLevel
                ? $"{place}: a ByteLevel pre_tokenizer needs a BPE model"
                : $"{place}: BPE without a ByteLevel pre_tokenizer is not supported");
        TokenizerParts parts = new(model, added, reader.Normalizer(components.Normalizer), pre, prefixSpace,
            reader.PostProcessor(components.PostProcessor), reader.Decoder(components.Decoder), components);
        return new Tokenizer(parts, config, place);

        int? Find(string token)
        {
            foreach (AddedToken known in added)
                if (known.Content == token)
                    return known.Id;
            return model.Vocabulary.TryGetId(token, out int id) ? id : null;
        }
    }

    private static Tokenizer ReadClassic(string vocabularyPath, string mergesPath, TokenizerConfig? config)
    {
        const string EndOfText = "<|endoftext|>";
        using JsonDocument document = TokenizerJson.Open(vocabularyPath);
        Vocabulary vocabulary = TokenizerJson.Guard(vocabularyPath, () => ReadVocabulary(document.RootElement, vocabularyPath));
        string[] lines = File.ReadAllLines(mergesPath);
        List<(string, string)> merges = new(lines.Length);
        for (int i = 0; i < lines.Length; i++)
            if (lines[i].Length > 0 && !(i == 0 && lines[i].StartsWith("#version", StringComparison.Ordinal)))
                merges.Add(SplitMerge(lines[i], $"{mergesPath} line {i + 1}"));
        List<AddedToken> added = vocabulary.TryGetId(EndOfText, out int id) ? [new AddedToken(id, EndOfText)] : [];
        config ??= added.Count > 0 ? new TokenizerConfig(EndOfText, EndOfText, null, EndOfText) : null;
        return Assemble(new BpeModel(vocabulary, merges, null, ignoreMerges: false, mergesPath), added, Gpt2Components, config, vocabularyPath);
    }

    private static TokenModel ReadModel(JsonElement model, string place)
    {
        // Files written before the type was stored are BPE when they have merges.
        string type = TokenizerJson.Text(model, "type", place) ?? (model.TryGetProperty("merges", out _) ? "BPE" : "");
        switch (type)
        {
            case "BPE":
                foreach (string key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
                    if (!string.IsNullOrEmpty(TokenizerJson.Text(model, key, place)))
                        throw new BadInputException($"{place}: {key} is not supported");
                foreach (string key in (string[])["byte_fallback", "fuse_unk"])
                    if (TokenizerJson.Flag(model, key, false, place))
                        throw new BadInputException($"{place}: {key} is not supported");
                if (TokenizerJson.Optional(model, "dropout", place) is { } dropout
                    && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
                    throw new BadInputException($"{place}: dropout is not supported");
                string? unknown = TokenizerJson.Text(model, "unk_token", place);
                return new BpeModel(ReadVocabulary(TokenizerJson.Required(model, "vocab", JsonValueKind.Object, place), place),
                    ReadMerges(TokenizerJson.Required(model, "merges", JsonValueKind.Array, place), place),
                    unknown is "" ? null : unknown, TokenizerJson.Flag(model, "ignore_merges", false, place), place);
            case "WordLevel":
                return new WordLevelModel(ReadVocabulary(TokenizerJson.Required(model, "vocab", JsonValueKind.Object, place), place),
                    TokenizerJson.Text(model, "unk_token", place) ?? "<unk>");
            default:
                throw new BadInputException($"{place}: type '{Vocabulary.Shown(type)}' is not supported; BPE and WordLevel are");
        }
    }

    private static Vocabulary ReadVocabulary(JsonElement vocabulary, string place)
    {
        if (vocabulary.ValueKind != JsonValueKind.Object)
            throw new BadInputException($"{place}: the vocabulary must be an object of token to id");
        Dictionary<string, int> ids = [];
        foreach (JsonProperty entry in vocabulary.EnumerateObject())
        {
            string token = entry.Name;
            if (!ids.TryAdd(token, TokenizerJson.Integer(entry.Value, $"the id of '{Vocabulary.Shown(token)}'", place)))
                throw new BadInputException($"{place}: token '{Vocabulary.Shown(token)}' is there twice");
        }
        return new Vocabulary(ids, place);
    }

    private static List<(string, string)> ReadMerges(JsonElement merges, string place)
    {
        List<(string, string)> read = new(merges.GetArrayLength());
        foreach (JsonElement merge in merges.EnumerateArray())
        {
            string at = $"{place}: merge {read.Count}";
            if (merge.ValueKind == JsonValueKind.String)
                read.Add(SplitMerge(merge.GetString() ?? "", at));
            else if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
                && merge[0].ValueKind == JsonValueKind.String && merge[1].ValueKind == JsonValueKind.String)
                read.Add((merge[0].GetString() ?? "", merge[1].GetString() ?? ""));
            else
                throw new BadInputException($"{at} must be two strings, or one string with a space between two tokens");
        }
        return read;
    }

    public static (string Left, string Right) SplitMerge(string line, string place)
    {
        int space = line.IndexOf(' ');
        if (space <= 0 || space == line.Length - 1 || line.IndexOf(' ', space + 1) >= 0)
            throw new BadInputException($"{place} must be two tokens with one space between them, not '{Vocabulary.Shown(line)}'");
        return (line[..space], line[(space + 1)..]);
    }

    private static List<AddedToken> ReadAdded(JsonElement root, string place)
    {
        List<AddedToken> added = [];
        if (TokenizerJson.Optional(root, "added_tokens", place) is not { } list)
            return added;
        if (list.ValueKind != JsonValueKind.Array)
            throw new BadInputException($"{place}: 'added_tokens' must be an array");
        foreach (JsonElement entry in list.EnumerateArray())
        {
            string at = $"{place}: added_tokens[{added.Count}]";
            string content = TokenizerJson.Required(entry, "content", JsonValueKind.String, at).GetString() ?? "";
            bool special = TokenizerJson.Flag(entry, "special", false, at);
            added.Add(new AddedToken(TokenizerJson.Integer(TokenizerJson.Required(entry, "id", JsonValueKind.Number, at), "id", at), content, special,
                TokenizerJson.Flag(entry, "normalized", !special, at), TokenizerJson.Flag(entry, "single_word", false, at),
                TokenizerJson.Flag(entry, "lstrip", false, at), TokenizerJson.Flag(entry, "rstrip", false, at)));
        }
        return added;
    }
}
