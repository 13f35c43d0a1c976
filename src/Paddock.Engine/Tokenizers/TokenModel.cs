using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>Turns one piece into ids. Immutable; whatever changes lives in the scratch.</summary>
internal abstract class TokenModel(Vocabulary vocabulary)
{
    public Vocabulary Vocabulary { get; } = vocabulary;

    public abstract void Encode(ReadOnlySpan<char> piece, EncodeScratch scratch, List<int> output);

    /// <summary>Writes the value of <c>model</c> in a tokenizer.json.</summary>
    public abstract void Write(Utf8JsonWriter json);
}

/// <summary>Token strings and their ids; ids may have holes, strings and ids are unique.</summary>
internal sealed class Vocabulary
{
    /// <summary>More than any published vocabulary, and small enough that a hostile id cannot exhaust memory.</summary>
    public const int MaxId = 4_000_000;

    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;

    /// <exception cref="BadInputException">An id is negative, too large or used twice.</exception>
    public Vocabulary(Dictionary<string, int> ids, string place)
    {
        int size = 0;
        foreach ((string token, int id) in ids)
        {
            if (id is < 0 or >= MaxId)
                throw new BadInputException($"{place}: token '{Shown(token)}' has id {id}; ids must be from 0 to {MaxId - 1}");
            size = Math.Max(size, id + 1);
        }
        _tokens = new string?[size];
        foreach ((string token, int id) in ids)
        {
            if (_tokens[id] is { } other)
                throw new BadInputException($"{place}: tokens '{Shown(other)}' and '{Shown(token)}' have the same id {id}");
            _tokens[id] = token;
        }
        _ids = ids;
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _tokens.Length;

    public bool TryGetId(string token, out int id) => _ids.TryGetValue(token, out id);

    public bool TryGetId(ReadOnlySpan<char> token, out int id) =>
        _ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(token, out id);

    public bool TryGetToken(int id, [NotNullWhen(true)] out string? token)
    {
        token = (uint)id < (uint)_tokens.Length ? _tokens[id] : null;
        return token != null;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("vocab");
        for (int id = 0; id < _tokens.Length; id++)
            if (_tokens[id] is { } token)
                json.WriteNumber(token, id);
        json.WriteEndObject();
    }

    /// <summary>A token as an error message shows it: cut, so that a message stays one line.</summary>
    public static string Shown(string token) => token.Length <= 40 ? token : string.Concat(token.AsSpan(0, 40), "...");
}

/// <summary>What one call of encode needs and the next can use again: buffers and the word cache. Used by one thread at a time.</summary>
internal sealed class EncodeScratch
{
    private const int MaxCachedWords = 32_768;
    private const int MaxWordLength = 48;

    private readonly Dictionary<string, int[]> _cache = [];
    private readonly Dictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public EncodeScratch() => _lookup = _cache.GetAlternateLookup<ReadOnlySpan<char>>();

    public List<Piece> Pieces { get; } = [];

    public byte[] Bytes { get; private set; } = new byte[256];

    public BpeMerger Merger { get; } = new();

    /// <summary>False when a huge text has grown the buffers: then it is cheaper to drop them than to keep them.</summary>
    public bool WorthKeeping => Bytes.Length <= 1 << 20 && Pieces.Capacity <= 1 << 20 && Merger.Capacity <= 1 << 20;

    public byte[] ReserveBytes(int count)
    {
        if (Bytes.Length < count)
            Bytes = new byte[Math.Max(count, 2 * Bytes.Length)];
        return Bytes;
    }

    public bool TryGetCached(ReadOnlySpan<char> word, [NotNullWhen(true)] out int[]? ids) => _lookup.TryGetValue(word, out ids);

    /// <summary>Keeps the ids of a word. The cache is emptied when full, so hostile text cannot grow it; results do not depend on it.</summary>
    public void Cache(ReadOnlySpan<char> word, ReadOnlySpan<int> ids)
    {
        if (word.Length > MaxWordLength)
            return;
        if (_cache.Count >= MaxCachedWords)
            _cache.Clear();
        _cache[word.ToString()] = ids.ToArray();
    }
}
