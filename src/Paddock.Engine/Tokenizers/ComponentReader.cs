using System.Text;
using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>Chooses the pipeline's parts from their JSON: closed switches, so a part that is not supported is an error by name.</summary>
internal sealed class ComponentReader(string place, Func<string, int?> find)
{
    private const string Tail = @"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?" + Tail;
    private static readonly string Qwen2 = Llama3.Replace("{1,3}", "", StringComparison.Ordinal);

    public Normalizer? Normalizer(string? json)
    {
        return json == null ? null : With(json, "normalizer", (part, type) => Step(part, type, 0));

        Normalizer Step(JsonElement part, string type, int depth)
        {
            string at = $"{place}: normalizer {type}";
            switch (type)
            {
                case "Sequence" when depth == 0:
                    List<Normalizer> steps = [];
                    foreach (JsonElement step in TokenizerJson.Required(part, "normalizers", JsonValueKind.Array, at).EnumerateArray())
                        steps.Add(Step(step, TypeOf(step, "normalizer"), 1));
                    return new SequenceNormalizer([.. steps]);
                case "Replace":
                    string? pattern = TokenizerJson.Text(TokenizerJson.Required(part, "pattern", JsonValueKind.Object, at), "String", at);
                    if (string.IsNullOrEmpty(pattern))
                        throw new BadInputException($"{at}: only a pattern that is a String is supported");
                    return new ReplaceNormalizer(pattern, TokenizerJson.Text(part, "content", at) ?? "");
                default:
                    throw Unsupported("normalizer", type);
            }
        }
    }

    /// <summary>The cut, whether a space goes before each stretch, and whether words are spelled in bytes.</summary>
    public (PreTokenizer Cut, bool PrefixSpace, bool ByteLevel) PreTokenizer(string? json)
    {
        if (json == null)
            return (new WholePreTokenizer(), false, false);
        bool prefixSpace = false, byteLevel = false;
        PreTokenizer cut = With(json, "pre_tokenizer", (part, type) => Step(part, type, 0, true));
        return (cut, prefixSpace, byteLevel);

        PreTokenizer Step(JsonElement part, string type, int depth, bool first)
        {
            string at = $"{place}: pre_tokenizer {type}";
            if (byteLevel)
                throw new BadInputException($"{place}: pre_tokenizer {type} after ByteLevel is not supported");
            switch (type)
            {
                case "Sequence" when depth == 0:
                    List<PreTokenizer> steps = [];
                    foreach (JsonElement step in TokenizerJson.Required(part, "pretokenizers", JsonValueKind.Array, at).EnumerateArray())
                        steps.Add(Step(step, TypeOf(step, "pre_tokenizer"), 1, steps.Count == 0));
                    return steps.Count > 0 ? new SequencePreTokenizer([.. steps]) : new WholePreTokenizer();
                case "ByteLevel":
                    byteLevel = true;
                    prefixSpace = TokenizerJson.Flag(part, "add_prefix_space", true, at);
                    if (prefixSpace && !first)
                        throw new BadInputException($"{at} with add_prefix_space after another step is not supported");
                    return TokenizerJson.Flag(part, "use_regex", true, at) ? new Gpt2PreTokenizer() : new WholePreTokenizer();
                case "Digits":
                    return new DigitsPreTokenizer(TokenizerJson.Flag(part, "individual_digits", false, at));
                case "WhitespaceSplit":
                    return new WhitespacePreTokenizer();
                case "Split":
                    return Split(part, at);
                default:
                    throw Unsupported("pre_tokenizer", type);
            }
        }
    }

    public PostProcessor PostProcessor(string? json)
    {
        if (json == null)
            return Tokenizers.PostProcessor.None;
        List<int> before = [], after = [];
        bool template = false;
        With(json, "post_processor", (part, type) =>
        {
            Step(part, type, 0);
            return 0;
        });
        return new PostProcessor([.. before], [.. after]);

        void Step(JsonElement part, string type, int depth)
        {
            string at = $"{place}: post_processor {type}";
            switch (type)
            {
                case "ByteLevel":
                    return; // moves offsets only
                case "Sequence" when depth == 0:
                    foreach (JsonElement step in TokenizerJson.Required(part, "processors", JsonValueKind.Array, at).EnumerateArray())
                        Step(step, TypeOf(step, "post_processor"), 1);
                    return;
                case "TemplateProcessing" when !template:
                    template = true;
                    Template(part, at);
                    return;
                case "RobertaProcessing" when !template:
                    template = true;
                    before.Add(Pair("cls"));
                    after.Add(Pair("sep"));
                    return;
                default:
                    throw Unsupported("post_processor", type);
            }

            int Pair(string key)
            {
                JsonElement pair = TokenizerJson.Required(part, key, JsonValueKind.Array, at);
                if (pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String)
                    throw new BadInputException($"{at}: '{key}' must be a token and its id");
                return Known(pair[0].GetString() ?? "", TokenizerJson.Integer(pair[1], key, at), at);
            }
        }

        void Template(JsonElement part, string at)
        {
            bool sequence = false;
            foreach (JsonElement item in TokenizerJson.Required(part, "single", JsonValueKind.Array, at).EnumerateArray())
            {
                if (TokenizerJson.Optional(item, "Sequence", at) != null)
                {
                    if (sequence)
                        throw new BadInputException($"{at}: a template with its sequence twice is not supported");
                    sequence = true;
                    continue;
                }
                JsonElement special = TokenizerJson.Required(item, "SpecialToken", JsonValueKind.Object, at);
                string name = TokenizerJson.Text(special, "id", at) ?? "";
                JsonElement tokens = TokenizerJson.Required(part, "special_tokens", JsonValueKind.Object, at);
                JsonElement entry = TokenizerJson.Required(tokens, name, JsonValueKind.Object, $"{at}: special_tokens");
                foreach (JsonElement id in TokenizerJson.Required(entry, "ids", JsonValueKind.Array, at).EnumerateArray())
                    (sequence ? after : before).Add(InRange(TokenizerJson.Integer(id, "an id of special_tokens", at), at));
            }
        }

        int Known(string token, int id, string at) => find(token) == id
            ? id
            : throw new BadInputException($"{at}: '{Vocabulary.Shown(token)}' does not have the id {id} in the vocabulary");

        static int InRange(int id, string at) => id is >= 0 and < Vocabulary.MaxId
            ? id
            : throw new BadInputException($"{at}: id {id} is out of range");
    }

    public Decoder Decoder(string? json) => json == null ? new SpaceDecoder() : With<Decoder>(json, "decoder", (part, type) => type switch
    {
        "ByteLevel" => new ByteLevelDecoder(),
        _ => throw Unsupported("decoder", type),
    });

    private static Cl100kPreTokenizer Split(JsonElement part, string at)
    {
        JsonElement pattern = TokenizerJson.Required(part, "pattern", JsonValueKind.Object, at);
        string regex = TokenizerJson.Text(pattern, "Regex", at) ?? "";
        bool isolated = TokenizerJson.Text(part, "behavior", at) == "Isolated" && !TokenizerJson.Flag(part, "invert", false, at);
        int digits = regex == Llama3 ? 3 : regex == Qwen2 ? 1 : 0;
        if (digits == 0 || !isolated)
            throw new BadInputException($"{at}: the pattern '{Vocabulary.Shown(regex)}' is not one of those supported");
        return new Cl100kPreTokenizer(digits);
    }

    private T With<T>(string json, string kind, Func<JsonElement, string, T> choose)
    {
        using JsonDocument document = TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), place);
        return choose(document.RootElement, TypeOf(document.RootElement, kind));
    }

    private string TypeOf(JsonElement part, string kind) =>
        TokenizerJson.Required(part, "type", JsonValueKind.String, $"{place}: {kind}").GetString() ?? "";

    private BadInputException Unsupported(string kind, string type) => new($"{place}: {kind} '{Vocabulary.Shown(type)}' is not supported");
}
