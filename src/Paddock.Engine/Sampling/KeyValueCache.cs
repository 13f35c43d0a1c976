using System.Runtime.InteropServices;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;

namespace Paddock.Engine.Sampling;

/// <summary>
/// Memory for keys and values in blocks of 16 tokens, counted so that samples of one prompt share its whole blocks. Blocks are
/// allocated when first needed, up to the budget, and kept for reuse.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly List<NativeBuffer> _blocks = [];
    private readonly List<int> _references = [];
    private readonly Stack<int> _free = new();

    public KeyValueCache(int layers, CacheShape shape, long budgetBytes)
    {
        Shape = shape;
        BlockFloats = checked((long)layers * shape.LayerFloats);
        Capacity = (int)Math.Min(budgetBytes / (BlockFloats * sizeof(float)), int.MaxValue);
    }

    public CacheShape Shape { get; }

    public long BlockFloats { get; }

    /// <summary>Blocks within the budget.</summary>
    public int Capacity { get; }

    /// <summary>Blocks promised to sequences; kept by the scheduler, so that no running sequence ever finds the cache full.</summary>
    public int Reserved { get; set; }

    public int InUse => _blocks.Count - _free.Count;

    public static int BlocksFor(int tokens) => (tokens + CacheShape.BlockTokens - 1) / CacheShape.BlockTokens;

    public int Take()
    {
        if (!_free.TryPop(out int id))
        {
            id = _blocks.Count;
            if (id == Capacity)
                throw new InvalidOperationException("the key/value cache is full although space was reserved");
            _blocks.Add(new(BlockFloats));
            _references.Add(0);
        }
        _references[id] = 1;
        return id;
    }

    public void Retain(int id) => _references[id]++;

    public void Release(int id)
    {
        if (--_references[id] == 0)
            _free.Push(id);
    }

    public float* Pointer(int id) => _blocks[id].Pointer;

    public void Copy(int from, int to) => NativeMemory.Copy(Pointer(from), Pointer(to), (nuint)BlockFloats * sizeof(float));

    public void Dispose()
    {
        foreach (NativeBuffer block in _blocks)
            block.Dispose();
        _blocks.Clear();
    }
}

/// <summary>One sequence's place in the cache: a table of blocks and the tokens filled so far.</summary>
internal sealed unsafe class CachedSequence : IDisposable
{
    private readonly KeyValueCache _cache;
    private readonly int[] _ids;
    private float** _table;
    private int _count;

    /// <param name="tokens">Most tokens it will hold.</param>
    public CachedSequence(KeyValueCache cache, int tokens)
    {
        _cache = cache;
        _ids = new int[KeyValueCache.BlocksFor(tokens)];
        _table = (float**)NativeMemory.AllocZeroed((nuint)Math.Max(_ids.Length, 1), (nuint)sizeof(float*));
    }

    ~CachedSequence() => NativeMemory.Free(_table);

    /// <summary>Tokens whose keys and values are stored, or will be by the pass being prepared.</summary>
    public int Length { get; private set; }

    /// <summary>A sequence that continues this one: whole blocks shared, the last partial one copied.</summary>
    public CachedSequence Fork(int tokens)
    {
        CachedSequence fork = new(_cache, tokens) { Length = Length };
        int whole = Length / CacheShape.BlockTokens;
        for (int i = 0; i < whole; i++)
        {
            _cache.Retain(_ids[i]);
            fork.Append(_ids[i]);
        }
        if (whole < _count)
        {
            int own = _cache.Take();
            _cache.Copy(_ids[whole], own);
            fork.Append(own);
        }
        return fork;
    }

    /// <summary>Makes room for the next token and returns where its row finds the cache.</summary>
    public CacheRow Extend()
    {
        if (Length == _count * CacheShape.BlockTokens)
            Append(_cache.Take());
        Length++;
        return new() { Blocks = _table, Length = Length };
    }

    public void Dispose()
    {
        if (_table == null)
            return;
        for (int i = 0; i < _count; i++)
            _cache.Release(_ids[i]);
        NativeMemory.Free(_table);
        _table = null;
        GC.SuppressFinalize(this);
    }

    private void Append(int id)
    {
        _table[_count] = _cache.Pointer(id);
        _ids[_count++] = id;
    }
}
