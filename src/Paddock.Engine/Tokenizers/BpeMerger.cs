namespace Paddock.Engine.Tokenizers;

/// <summary>
/// Pairs of ids that merge, each with its rank (lower merges first) and the id it becomes. Open addressing: this look-up is the inner
/// loop of byte-pair encoding.
/// </summary>
internal sealed class MergeTable
{
    private readonly ulong[] _keys;
    private readonly (int Rank, int Id)[] _values;
    private readonly int _mask;

    public MergeTable(IReadOnlyList<(int Left, int Right, int Id)> merges)
    {
        int capacity = 16;
        while (capacity < merges.Count * 2)
            capacity *= 2;
        _mask = capacity - 1;
        _keys = new ulong[capacity];
        _values = new (int, int)[capacity];
        for (int rank = 0; rank < merges.Count; rank++)
        {
            // A merge listed twice has the rank of its last line, as in the reference library.
            (int left, int right, int id) = merges[rank];
            int slot = Slot(Key(left, right));
            _keys[slot] = Key(left, right);
            _values[slot] = (rank, id);
        }
    }

    /// <summary>Rank of a pair, or <see cref="int.MaxValue"/>.</summary>
    public int Rank(int left, int right, out int id)
    {
        ulong key = Key(left, right);
        int slot = Slot(key);
        if (_keys[slot] == key)
        {
            (int rank, id) = _values[slot];
            return rank;
        }
        id = -1;
        return int.MaxValue;
    }

    // Never 0, which marks a free slot: ids are below int.MaxValue.
    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)(right + 1);

    private int Slot(ulong key)
    {
        ulong hash = key * 0x9E3779B97F4A7C15;
        int slot = (int)(hash >> 32) & _mask;
        while (_keys[slot] != 0 && _keys[slot] != key)
            slot = (slot + 1) & _mask;
        return slot;
    }
}

/// <summary>
/// Applies merges to one word: always the pair of lowest rank, the leftmost of equals. Short words are scanned; long ones use a heap over
/// a linked list, so a word of n bytes costs n log n whatever it contains.
/// </summary>
internal sealed class BpeMerger
{
    private const int ScanLimit = 40;

    private readonly int[] _ranks = new int[ScanLimit];
    private readonly int[] _merged = new int[ScanLimit];
    private readonly PriorityQueue<int, ulong> _heap = new();
    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>The word's ids; the first call after <see cref="Reserve"/> fills them in.</summary>
    public int[] Ids { get; private set; } = new int[256];

    public int Capacity => Ids.Length;

    public int[] Reserve(int count)
    {
        if (Ids.Length < count)
            Ids = new int[Math.Max(count, 2 * Ids.Length)];
        return Ids;
    }

    /// <summary>Merges <see cref="Ids"/>[0..count] in place and returns how many remain.</summary>
    public int Merge(int count, MergeTable merges) => count <= ScanLimit ? MergeByScan(count, merges) : MergeByHeap(count, merges);

    internal int MergeByScan(int count, MergeTable merges)
    {
        int[] ids = Ids, ranks = _ranks, merged = _merged;
        for (int i = 0; i + 1 < count; i++)
            ranks[i] = merges.Rank(ids[i], ids[i + 1], out merged[i]);
        while (count > 1)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 0; i + 1 < count; i++)
                if (ranks[i] < best)
                {
                    best = ranks[i];
                    at = i;
                }
            if (at < 0)
                break;
            ids[at] = merged[at];
            count--;
            for (int i = at + 1; i < count; i++)
            {
                ids[i] = ids[i + 1];
                ranks[i] = ranks[i + 1];
                merged[i] = merged[i + 1];
            }
            if (at > 0)
                ranks[at - 1] = merges.Rank(ids[at - 1], ids[at], out merged[at - 1]);
            if (at + 1 < count)
                ranks[at] = merges.Rank(ids[at], ids[at + 1], out merged[at]);
        }
        return count;
    }

    internal int MergeByHeap(int count, MergeTable merges)
    {
        if (_next.Length < count)
        {
            _next = new int[Ids.Length];
            _previous = new int[Ids.Length];
        }
        int[] ids = Ids, next = _next, previous = _previous;
        _heap.Clear();
        for (int i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : -1;
            if (i + 1 < count)
                Push(i, merges.Rank(ids[i], ids[i + 1], out _));
        }
        while (_heap.TryDequeue(out int at, out ulong priority))
        {
            int right = next[at];
            if (ids[at] < 0 || right < 0)
                continue;
            int rank = merges.Rank(ids[at], ids[right], out int merged);
            if (rank != (int)(priority >> 32))
                continue; // the pair has changed since it was queued
            ids[at] = merged;
            ids[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0)
            {
                previous[next[at]] = at;
                Push(at, merges.Rank(merged, ids[next[at]], out _));
            }
            if (previous[at] >= 0)
                Push(previous[at], merges.Rank(ids[previous[at]], merged, out _));
        }
        int kept = 0;
        for (int i = 0; i >= 0; i = next[i])
            ids[kept++] = ids[i];
        return kept;
    }

    private void Push(int at, int rank)
    {
        if (rank != int.MaxValue)
            _heap.Enqueue(at, ((ulong)(uint)rank << 32) | (uint)at);
    }
}
