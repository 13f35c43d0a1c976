using System.Diagnostics.CodeAnalysis;
using Paddock.Engine.Memory;

namespace Paddock.Engine.Sampling;

/// <summary>
/// One call of the sampler as a state machine. A step computes one position of every running sample together with pieces of waiting
/// prompts, then draws a token for each; slots freed by finished samples are filled before the next step. What is drawn for a sample
/// depends on its prompt, options and stream alone; who shares a step with it changes no bit.
/// </summary>
internal sealed unsafe class SamplingRun : IDisposable
{
    private readonly IReadOnlyList<PromptRequest> _requests;
    private readonly SamplerOptions _options;
    private readonly Action<SampledToken>? _onToken;
    private readonly CachedForward _forward;
    private readonly TokenPicker _picker;
    private readonly KeyValueCache _cache;
    private readonly RowBatch _batch;
    private readonly NativeBuffer _hidden;
    private readonly int _slots, _width, _maxPositions;

    private readonly List<PromptGroup> _groups = []; // admitted, not all samples finished
    private readonly List<PromptGroup> _completing = []; // prompts whose last piece is in this step's pass
    private readonly List<ActiveSample> _active = [];
    private readonly FinishedSample?[][] _done;
    private int _nextRequest;
    private int _releaseRequest, _releaseSample;

    /// <param name="maxPositions">Hard limit on positions; int.MaxValue where there is none.</param>
    /// <param name="hidden">[slots + batch capacity, C].</param>
    public SamplingRun(IReadOnlyList<PromptRequest> requests, SamplerOptions options, Action<SampledToken>? onToken, CachedForward forward, TokenPicker picker,
        KeyValueCache cache, RowBatch batch, NativeBuffer hidden, int slots, int width, int maxPositions)
    {
        (_requests, _options, _onToken, _forward, _picker, _cache, _batch, _hidden) = (requests, options, onToken, forward, picker, cache, batch, hidden);
        (_slots, _width, _maxPositions) = (slots, width, maxPositions);
        _done = new FinishedSample?[requests.Count][];
        for (int i = 0; i < requests.Count; i++)
        {
            _done[i] = new FinishedSample?[requests[i].Count];
            int most = MostBlocks(requests[i]);
            if (most > cache.Capacity)
                throw new BadInputException($"request {i}: a prompt of {requests[i].Prompt.Length} tokens and {TokenLimit(requests[i])} new ones need {most * cache.BlockFloats * sizeof(float) / (1 << 20) + 1} MiB of key/value cache; raise its budget, or shorten the prompt or the answer");
        }
    }

    /// <summary>One pass and one token for every running sample; false when all samples have finished.</summary>
    public bool Step()
    {
        Admit();
        if (_groups.Count == 0)
            return false;
        _batch.Clear();
        foreach (ActiveSample sample in _active)
            _batch.Add(sample.Token, sample.Cache, wanted: true);
        AddPromptPieces();
        _forward.Run(_batch, _hidden.Pointer);
        KeepPromptStates();
        Fork();
        Draw();
        Retire();
        return true;
    }

    /// <summary>Finished samples in the order of the requests, as soon as all before them have finished.</summary>
    public bool TryTake([NotNullWhen(true)] out FinishedSample? sample)
    {
        sample = null;
        if (_releaseRequest == _done.Length || _done[_releaseRequest][_releaseSample] is not { } next)
            return false;
        sample = next;
        _done[_releaseRequest][_releaseSample] = null;
        if (++_releaseSample == _done[_releaseRequest].Length)
            (_releaseRequest, _releaseSample) = (_releaseRequest + 1, 0);
        return true;
    }

    public void Dispose()
    {
        foreach (ActiveSample sample in _active)
            sample.Cache.Dispose();
        foreach (PromptGroup group in _groups)
            group.Cache.Dispose();
        _cache.Reserved = 0;
    }

    private void Admit()
    {
        int waiting = _active.Count;
        foreach (PromptGroup group in _groups)
            waiting += group.Waiting;
        while (_nextRequest < _requests.Count && waiting < _slots)
        {
            PromptRequest request = _requests[_nextRequest];
            int blocks = MostBlocks(request);
            if (_cache.Reserved + blocks > _cache.Capacity)
                return;
            _cache.Reserved += blocks;
            _groups.Add(new(_nextRequest++, request, new(_cache, request.Prompt.Length), TokenLimit(request), _width));
            waiting += request.Count;
        }
    }

    private void AddPromptPieces()
    {
        _completing.Clear();
        foreach (PromptGroup group in _groups)
        {
            if (group.Ready)
                continue;
            ReadOnlySpan<int> prompt = group.Request.Prompt.Span;
            while (_batch.Free > 0 && group.Cache.Length < prompt.Length)
                _batch.Add(prompt[group.Cache.Length], group.Cache, wanted: group.Cache.Length == prompt.Length - 1);
            if (group.Cache.Length < prompt.Length)
                return;
            group.Ready = true;
            _completing.Add(group);
        }
    }

    private void KeepPromptStates()
    {
        for (int i = 0; i < _completing.Count; i++)
            _hidden.Slice((long)(_active.Count + i) * _width, _width).CopyTo(_completing[i].Hidden);
    }

    private void Fork()
    {
        foreach (PromptGroup group in _groups)
        {
            int blocks = SampleBlocks(group.Request);
            while (group.Ready && group.Waiting > 0 && _active.Count < _slots && (group.GuaranteeFree || _cache.Reserved + blocks <= _cache.Capacity))
            {
                bool guaranteed = group.GuaranteeFree;
                if (guaranteed)
                    group.GuaranteeFree = false;
                else
                    _cache.Reserved += blocks;
                group.Hidden.CopyTo(_hidden.Slice((long)_active.Count * _width, _width));
                _active.Add(new(group, group.Forked++, group.Cache.Fork(MostCached(group.Request)), _options, guaranteed));
                if (group.Waiting == 0)
                    group.Cache.Dispose();
            }
        }
    }

    private void Draw()
    {
        for (int first = 0; first < _active.Count; first += _forward.LogitRows)
        {
            int rows = Math.Min(_forward.LogitRows, _active.Count - first);
            _picker.Pick(rows, _forward.Logits(rows, _hidden.Pointer + (long)first * _width), _options, _active, first);
        }
    }

    private void Retire()
    {
        int kept = 0;
        for (int i = 0; i < _active.Count; i++)
        {
            ActiveSample sample = _active[i];
            _onToken?.Invoke(new(sample.Group.Index, sample.Sample, sample.Token, sample.LogProb));
            if (sample.Accept() is not { } finished)
            {
                _active[kept++] = sample;
                continue;
            }
            _done[finished.Request][finished.Sample] = finished;
            sample.Cache.Dispose();
            if (sample.Guaranteed)
                sample.Group.GuaranteeFree = true;
            else
                _cache.Reserved -= SampleBlocks(sample.Group.Request);
            if (++sample.Group.Finished == sample.Group.Request.Count)
            {
                _cache.Reserved -= MostBlocks(sample.Group.Request);
                _groups.Remove(sample.Group);
            }
        }
        _active.RemoveRange(kept, _active.Count - kept);
    }

    // n tokens take n - 1 positions after the prompt: the last one is never fed back
    private int TokenLimit(PromptRequest request) => (int)Math.Min(_options.MaxTokens, (long)_maxPositions - request.Prompt.Length + 1);

    private int MostCached(PromptRequest request) => checked(request.Prompt.Length + TokenLimit(request) - 1);

    private int SampleBlocks(PromptRequest request) => KeyValueCache.BlocksFor(MostCached(request)) - request.Prompt.Length / Kernels.CacheShape.BlockTokens;

    // the prompt's own blocks and those of one sample, so that every admitted prompt can always go on
    private int MostBlocks(PromptRequest request) => KeyValueCache.BlocksFor(request.Prompt.Length) + SampleBlocks(request);
}
