using System.Text;
using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>
/// Byte-level byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909; bytes as in GPT-2). A piece becomes its UTF-8 bytes (a lone
/// surrogate becomes U+FFFD), each byte its token, then pairs merge in the order of the merge list.
/// </summary>
internal sealed class BpeModel : TokenModel
{
    private readonly int[] _byteIds = new int[256];
    private readonly List<(int Left, int Right, int Id)> _merges;
    private readonly MergeTable _table;
    private readonly string? _unknown;
    private readonly bool _ignoreMerges;

    /// <param name="unknown">Stands for a byte without a token; without it such a byte is dropped, as the reference library does.</param>
    /// <param name="ignoreMerges">A piece that is a token by itself is that token, whatever the merges say.</param>
    /// <exception cref="BadInputException">A merge names a token that the vocabulary lacks.</exception>
    public BpeModel(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, string? unknown, bool ignoreMerges, string place)
        : base(vocabulary)
    {
        _unknown = unknown;
        _ignoreMerges = ignoreMerges;
        int fallback = -1;
        if (unknown != null && !vocabulary.TryGetId(unknown, out fallback))
            throw new BadInputException($"{place}: unk_token '{Vocabulary.Shown(unknown)}' is not in the vocabulary");
        for (int b = 0; b < 256; b++)
            _byteIds[b] = vocabulary.TryGetId(ByteAlphabet.ToChar((byte)b).ToString(), out int id) ? id : fallback;

        _merges = new List<(int, int, int)>(merges.Count);
        for (int i = 0; i < merges.Count; i++)
        {
            (string left, string right) = merges[i];
            _merges.Add((Id(left, i), Id(right, i), Id(left + right, i)));
        }
        _table = new MergeTable(_merges);

        int Id(string token, int merge) => vocabulary.TryGetId(token, out int id)
            ? id
            : throw new BadInputException($"{place}: merge {merge} needs the token '{Vocabulary.Shown(token)}', which is not in the vocabulary");
    }

    public override void Encode(ReadOnlySpan<char> piece, EncodeScratch scratch, List<int> output)
    {
        if (scratch.TryGetCached(piece, out int[]? known))
        {
            output.AddRange(known);
            return;
        }
        byte[] bytes = scratch.ReserveBytes(Encoding.UTF8.GetMaxByteCount(piece.Length));
        int length = Encoding.UTF8.GetBytes(piece, bytes);
        int[] ids = scratch.Merger.Reserve(length);
        int count = 0;
        if (_ignoreMerges && TryWhole(bytes.AsSpan(0, length), out int whole))
            ids[count++] = whole;
        else
        {
            foreach (byte b in bytes.AsSpan(0, length))
                if (_byteIds[b] >= 0)
                    ids[count++] = _byteIds[b];
            count = scratch.Merger.Merge(count, _table);
        }
        ReadOnlySpan<int> result = scratch.Merger.Ids.AsSpan(0, count);
        output.AddRange(result);
        scratch.Cache(piece, result);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", _unknown);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", _ignoreMerges);
        Vocabulary.Write(json);
        json.WriteStartArray("merges");
        foreach ((int left, int right, _) in _merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(Vocabulary.TryGetToken(left, out string? a) ? a : "");
            json.WriteStringValue(Vocabulary.TryGetToken(right, out string? b) ? b : "");
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private bool TryWhole(ReadOnlySpan<byte> bytes, out int id)
    {
        const int Longest = 512;
        id = -1;
        if (bytes.Length > Longest)
            return false;
        Span<char> spelled = stackalloc char[Longest];
        ByteAlphabet.Encode(bytes, spelled);
        return Vocabulary.TryGetId(spelled[..bytes.Length], out id);
    }
}
