namespace Paddock.Engine.Tokenizers;

/// <summary>Token roles and chat template of a GGUF file (<c>tokenizer.ggml.bos_token_id</c> and the like); all optional.</summary>
public sealed record GgufSpecials(int? BosId = null, int? EosId = null, int? PadId = null, int? UnknownId = null, bool AddBos = false,
    string? ChatTemplate = null);

/// <summary>Builds a tokenizer from the metadata arrays of a GGUF file.</summary>
internal static class GgufTokenizer
{
    private const string Place = "GGUF tokenizer";

    public static Tokenizer Build(IReadOnlyList<string> tokens, IReadOnlyList<string> merges, IReadOnlyList<int>? types, string? pre, GgufSpecials specials)
    {
        if (tokens.Count > Vocabulary.MaxId)
            throw new BadInputException($"{Place}: {tokens.Count} tokens; at most {Vocabulary.MaxId} are possible");
        if (types != null && types.Count != tokens.Count)
            throw new BadInputException($"{Place}: {tokens.Count} tokens but {types.Count} token types");
        Dictionary<string, int> ids = new(tokens.Count);
        List<AddedToken> added = [];
        for (int id = 0; id < tokens.Count; id++)
        {
            if (!ids.TryAdd(tokens[id], id))
                throw new BadInputException($"{Place}: token '{Vocabulary.Shown(tokens[id])}' is there twice");
            if (types?[id] is 3 or 4)
                added.Add(new AddedToken(id, tokens[id], Special: types[id] == 3));
        }
        List<(string, string)> pairs = new(merges.Count);
        for (int i = 0; i < merges.Count; i++)
            pairs.Add(TokenizerReader.SplitMerge(merges[i], $"{Place}: merge {i}"));

        ComponentJson components = pre switch
        {
            null or "" or "default" or "gpt-2" or "gpt2" => TokenizerReader.Gpt2Components,
            "smollm" => TokenizerReader.SmolComponents,
            _ => throw new BadInputException($"{Place}: tokenizer.ggml.pre '{Vocabulary.Shown(pre)}' is not supported; gpt-2 and smollm are"),
        };
        TokenizerConfig config = new(Token(specials.BosId, "bos"), Token(specials.EosId, "eos"), Token(specials.PadId, "padding"),
            Token(specials.UnknownId, "unknown"), specials.ChatTemplate);
        if (specials.AddBos)
            components = components with { PostProcessor = BosTemplate(specials.BosId, config.BosToken) };
        BpeModel model = new(new Vocabulary(ids, Place), pairs, null, ignoreMerges: false, Place);
        return TokenizerReader.Assemble(model, added, components, config, Place);

        string? Token(int? id, string role) => id == null ? null : id >= 0 && id < tokens.Count
            ? tokens[id.Value]
            : throw new BadInputException($"{Place}: {role}_token_id {id} is out of range; there are {tokens.Count} tokens");
    }

    private static string BosTemplate(int? id, string? token)
    {
        if (id == null || token == null)
            throw new BadInputException($"{Place}: add_bos_token without bos_token_id");
        string name = $"\"{System.Text.Json.JsonEncodedText.Encode(token)}\"";
        string special = $"{{\"SpecialToken\":{{\"id\":{name},\"type_id\":0}}}}";
        const string First = "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}", Second = "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}";
        return $"{{\"type\":\"TemplateProcessing\",\"single\":[{special},{First}],\"pair\":[{special},{First},{Second}],"
            + $"\"special_tokens\":{{{name}:{{\"id\":{name},\"ids\":[{id}],\"tokens\":[{name}]}}}}}}";
    }
}
