using System.Runtime.InteropServices;
using System.Text;

namespace Paddock.Engine.Tokenizers;

/// <summary>A distinct word of a corpus as ids, and how often it occurs.</summary>
internal sealed class CountedWord(int[] ids)
{
    public int[] Ids { get; } = ids;

    public int Length { get; set; } = ids.Length;

    public long Count { get; set; }
}

/// <summary>Cuts a corpus into words.</summary>
internal static class BpeWords
{
    public static List<CountedWord> Count(IEnumerable<string> corpus, PreTokenizer cut, bool prefixSpace, int[] byteIds)
    {
        Dictionary<string, CountedWord> words = [];
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        List<CountedWord> ordered = [];
        List<Piece> pieces = [];
        foreach (string given in corpus)
        {
            string text = prefixSpace && given.Length > 0 && given[0] != ' ' ? " " + given : given;
            pieces.Clear();
            if (text.Length > 0)
                cut.Split(text, new Piece(0, text.Length), pieces);
            foreach (Piece piece in pieces)
            {
                ReadOnlySpan<char> span = text.AsSpan(piece.Start, piece.Length);
                if (!lookup.TryGetValue(span, out CountedWord? word))
                {
                    byte[] bytes = Encoding.UTF8.GetBytes(span.ToString());
                    word = new CountedWord(Array.ConvertAll(bytes, b => byteIds[b]));
                    words.Add(span.ToString(), word);
                    ordered.Add(word);
                }
                word.Count++;
            }
        }
        return ordered;
    }
}

/// <summary>
/// Counts of neighbouring ids over a set of words, kept exact while pairs merge. A heap orders pairs by (count descending, left, right);
/// its entries may be stale and are checked against the table when they come up.
/// </summary>
internal sealed class PairCounts
{
    private readonly List<CountedWord> _words;
    private readonly Dictionary<ulong, long> _counts = [];
    private readonly Dictionary<ulong, List<int>> _where = [];
    private readonly PriorityQueue<ulong, (long MinusCount, ulong Pair)> _heap = new();
    private readonly HashSet<ulong> _grown = [];

    public PairCounts(List<CountedWord> words)
    {
        _words = words;
        for (int i = 0; i < words.Count; i++)
            Change(i, +1);
        Requeue();
    }

    /// <summary>The pair with the highest count, if that is at least <paramref name="least"/>.</summary>
    public bool TryTakeBest(long least, out int left, out int right)
    {
        while (_heap.TryDequeue(out ulong pair, out (long MinusCount, ulong) entry))
        {
            long count = _counts.GetValueOrDefault(pair);
            if (count < -entry.MinusCount)
            {
                // The count fell since: queue it again where it belongs now.
                if (count > 0)
                    _heap.Enqueue(pair, (-count, pair));
                continue;
            }
            if (count > -entry.MinusCount)
                continue; // an entry with the higher count is in the heap as well
            (left, right) = ((int)(pair >> 32), (int)(uint)pair);
            return count >= least;
        }
        left = right = -1;
        return false;
    }

    /// <summary>Replaces a pair by one id in every word, left to right without overlap.</summary>
    public void Merge(int left, int right, int merged)
    {
        if (!_where.Remove(Key(left, right), out List<int>? places))
            return;
        foreach (int place in places)
        {
            CountedWord word = _words[place];
            if (!Contains(word, left, right))
                continue; // listed twice, or changed by an earlier merge
            Change(place, -1);
            int kept = 0;
            int[] ids = word.Ids;
            for (int i = 0; i < word.Length; i++)
            {
                bool match = ids[i] == left && i + 1 < word.Length && ids[i + 1] == right;
                ids[kept++] = match ? merged : ids[i];
                i += match ? 1 : 0;
            }
            word.Length = kept;
            Change(place, +1);
        }
        _counts.Remove(Key(left, right), out long rest);
        if (rest > 0)
            _counts[Key(left, right)] = rest;
        Requeue();
    }

    private static bool Contains(CountedWord word, int left, int right)
    {
        for (int i = 0; i + 1 < word.Length; i++)
            if (word.Ids[i] == left && word.Ids[i + 1] == right)
                return true;
        return false;
    }

    /// <summary>Adds or takes away all pairs of one word.</summary>
    private void Change(int place, int sign)
    {
        CountedWord word = _words[place];
        for (int i = 0; i + 1 < word.Length; i++)
        {
            ulong pair = Key(word.Ids[i], word.Ids[i + 1]);
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, pair, out _) += sign * word.Count;
            if (sign < 0)
                continue;
            _grown.Add(pair);
            ref List<int>? places = ref CollectionsMarshal.GetValueRefOrAddDefault(_where, pair, out _);
            places ??= [];
            if (places.Count == 0 || places[^1] != place)
                places.Add(place);
        }
    }

    private void Requeue()
    {
        foreach (ulong pair in _grown)
            if (_counts[pair] > 0)
                _heap.Enqueue(pair, (-_counts[pair], pair));
        _grown.Clear();
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;
}
