using System.Text;

namespace Paddock.Engine.Tokenizers;

/// <summary>
/// Text to token ids and back, by the pipeline of a tokenizer.json: added tokens, pre-tokenizer, model, post-processor, decoder. Immutable;
/// any number of threads may use one instance.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _normalized;
    private readonly Dictionary<string, int> _addedIds = [];
    private readonly string?[] _tokens;
    private readonly byte[]?[] _bytes;
    private readonly bool[] _special;
    private EncodeScratch? _spare;

    internal Tokenizer(TokenizerParts parts, TokenizerConfig? config, string place)
    {
        _parts = parts;
        Config = config ?? new TokenizerConfig();
        Vocabulary vocabulary = parts.Model.Vocabulary;
        int size = vocabulary.Size;
        foreach (AddedToken token in parts.Added)
            size = token.Id is >= 0 and < Vocabulary.MaxId ? Math.Max(size, token.Id + 1) : throw new BadInputException(
                $"{place}: added token '{Vocabulary.Shown(token.Content)}' has id {token.Id}; ids must be from 0 to {Vocabulary.MaxId - 1}");
        _tokens = new string?[size];
        _bytes = new byte[]?[size];
        _special = new bool[size];
        for (int id = 0; id < vocabulary.Size; id++)
            if (vocabulary.TryGetToken(id, out string? token))
                Set(id, token);

        List<AddedToken> raw = [], normalized = [];
        foreach (AddedToken token in parts.Added)
        {
            string shown = Vocabulary.Shown(token.Content);
            if (_tokens[token.Id] is { } other && other != token.Content)
                throw new BadInputException($"{place}: added token '{shown}' has the id {token.Id} of '{Vocabulary.Shown(other)}'");
            if (vocabulary.TryGetId(token.Content, out int known) && known != token.Id || !_addedIds.TryAdd(token.Content, token.Id))
                throw new BadInputException($"{place}: added token '{shown}' is there twice with different ids; give it one id");
            Set(token.Id, token.Content);
            _special[token.Id] = token.Special;
            (token.Normalized ? normalized : raw).Add(token);
        }
        _raw = new AddedTokenMatcher(raw);
        _normalized = new AddedTokenMatcher(normalized);
        BosId = IdOf(Config.BosToken, "bos_token", place);
        EosId = IdOf(Config.EosToken, "eos_token", place);
        PadId = IdOf(Config.PadToken, "pad_token", place);
        UnknownId = IdOf(Config.UnknownToken, "unk_token", place);

        void Set(int id, string token)
        {
            _tokens[id] = token;
            _bytes[id] = parts.Decoder.Bytes(token);
        }
    }

    /// <summary>What tokenizer_config.json adds: special tokens by role, the chat template.</summary>
    public TokenizerConfig Config { get; }

    /// <summary>One more than the largest id, holes included: the least number of rows an embedding needs.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Id of the token that begins a text, if the configuration names one.</summary>
    public int? BosId { get; }

    /// <summary>Id of the token that ends a text, if the configuration names one.</summary>
    public int? EosId { get; }

    /// <summary>Id of the token that pads a batch, if the configuration names one.</summary>
    public int? PadId { get; }

    /// <summary>Id of the token for unknown words, if the configuration names one.</summary>
    public int? UnknownId { get; }

    /// <summary>Tokens found in the text before the model sees it, in the order of the file.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _parts.Added;

    internal TokenizerParts Parts => _parts;

    /// <summary>
    /// Reads a folder (tokenizer.json, or vocab.json with merges.txt; beside it tokenizer_config.json and chat_template.jinja if there) or
    /// one tokenizer.json.
    /// </summary>
    /// <exception cref="BadInputException">Missing, malformed or inconsistent file, or a component that is not supported, by name.</exception>
    public static Tokenizer Load(string path) => TokenizerReader.Load(path);

    /// <summary>
    /// The tokenizer inside a GGUF file, from its metadata arrays (<c>tokenizer.ggml.tokens</c>, <c>merges</c>, <c>token_type</c>, <c>pre</c>):
    /// byte-level BPE only. Control tokens (type 3) are special, user-defined ones (4) are added tokens.
    /// </summary>
    /// <exception cref="BadInputException">An unknown <paramref name="pre"/>, or arrays that do not fit together.</exception>
    public static Tokenizer FromGguf(IReadOnlyList<string> tokens, IReadOnlyList<string> merges, IReadOnlyList<int>? tokenTypes, string? pre,
        GgufSpecials? specials = null) => GgufTokenizer.Build(tokens, merges, tokenTypes, pre, specials ?? new GgufSpecials());

    /// <summary>Writes tokenizer.json into a folder, or to a path that ends in .json. The file appears whole.</summary>
    public void Save(string path) => TokenizerWriter.Save(this, path);

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; a lone surrogate is read as U+FFFD.</param>
    /// <param name="addSpecialTokens">Let the post-processor add its tokens (BOS and the like).</param>
    /// <param name="parseSpecialTokens">Recognise special tokens spelled in the text; false reads them as plain text.</param>
    public int[] Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = true)
    {
        List<int> output = new(text.Length / 3 + 8);
        Encode(text.AsSpan(), output, addSpecialTokens, parseSpecialTokens);
        return [.. output];
    }

    /// <summary>As <see cref="Encode(string, bool, bool)"/>, appended to a list of the caller's.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> output, bool addSpecialTokens = true, bool parseSpecialTokens = true)
    {
        EncodeScratch scratch = Interlocked.Exchange(ref _spare, null) ?? new EncodeScratch();
        if (addSpecialTokens)
            output.AddRange(_parts.Post.Before);
        int from = 0;
        if (!_raw.IsEmpty)
            while (from < text.Length && _raw.Find(text, from, !parseSpecialTokens, out int start, out int end) is { } token)
            {
                EncodeStretch(text[from..start], scratch, output, parseSpecialTokens);
                output.Add(token.Id);
                from = end;
            }
        EncodeStretch(text[from..], scratch, output, parseSpecialTokens);
        if (addSpecialTokens)
            output.AddRange(_parts.Post.After);
        if (scratch.WorthKeeping)
            Interlocked.Exchange(ref _spare, scratch);
    }

    /// <summary>The text of ids. Unknown ids are left out; bytes that are no UTF-8 become U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        List<byte> bytes = new(ids.Length * 4);
        bool first = true;
        foreach (int id in ids)
            first &= !AppendBytes(id, skipSpecialTokens, first, bytes);
        return Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>Id of a token's spelling (in the vocabulary's own alphabet), or null.</summary>
    public int? TokenToId(string token) =>
        _addedIds.TryGetValue(token, out int id) || _parts.Model.Vocabulary.TryGetId(token, out id) ? id : null;

    /// <summary>Spelling of an id, or null.</summary>
    public string? IdToToken(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>Whether a decode that skips special tokens leaves this id out.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>Appends what an id stands for; false when that is nothing at all (unknown or skipped).</summary>
    internal bool AppendBytes(int id, bool skipSpecialTokens, bool first, List<byte> output)
    {
        if ((uint)id >= (uint)_bytes.Length || _bytes[id] is not { } bytes || (skipSpecialTokens && _special[id]))
            return false;
        if (!first)
            output.AddRange(_parts.Decoder.Separator);
        output.AddRange(bytes.AsSpan());
        return true;
    }

    private void EncodeStretch(ReadOnlySpan<char> text, EncodeScratch scratch, List<int> output, bool parseSpecialTokens)
    {
        if (text.IsEmpty)
            return;
        if (_parts.Normalizer != null)
            text = _parts.Normalizer.Apply(text.ToString());
        int from = 0;
        if (!_normalized.IsEmpty)
            while (from < text.Length && _normalized.Find(text, from, !parseSpecialTokens, out int start, out int end) is { } token)
            {
                EncodeWords(text[from..start], scratch, output);
                output.Add(token.Id);
                from = end;
            }
        EncodeWords(text[from..], scratch, output);
    }

    private void EncodeWords(ReadOnlySpan<char> text, EncodeScratch scratch, List<int> output)
    {
        if (text.IsEmpty)
            return;
        if (_parts.AddPrefixSpace && text[0] != ' ')
            text = string.Concat(" ", text);
        List<Piece> pieces = scratch.Pieces;
        pieces.Clear();
        _parts.PreTokenizer.Split(text, new Piece(0, text.Length), pieces);
        foreach (Piece piece in pieces)
            _parts.Model.Encode(text.Slice(piece.Start, piece.Length), scratch, output);
    }

    private int? IdOf(string? token, string role, string place) => token == null ? null : TokenToId(token)
        ?? throw new BadInputException($"{place}: {role} '{Vocabulary.Shown(token)}' of tokenizer_config.json is not in the vocabulary");
}
