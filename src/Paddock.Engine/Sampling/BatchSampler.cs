using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Sampling;

/// <summary>
/// Draws from a frozen token model, many sequences at a time: prompts are computed once for all their samples, finished samples make
/// room for the next. The same request gives the same bits whatever the threads, the number of sequences at once and the other requests.
/// One call at a time.
/// </summary>
public sealed unsafe class BatchSampler : IDisposable
{
    private readonly SamplerWeights _weights;
    private readonly SamplerSettings _settings;
    private readonly CachedForward _forward;
    private readonly TokenPicker _picker;
    private readonly KeyValueCache _cache;
    private readonly RowBatch _batch;
    private readonly NativeBuffer _hidden;
    private int _busy;

    /// <summary>Copies the weights as they are now; later training does not change the sampler.</summary>
    public BatchSampler(ModelWeights weights, WorkerPool pool, SamplerSettings? settings = null, WeightFormat format = WeightFormat.Float32)
        : this(SamplerWeights.Pack(weights, format), pool, settings, share: false) { }

    /// <summary>Shares packed weights; the caller's own hold on them stays.</summary>
    public BatchSampler(SamplerWeights weights, WorkerPool pool, SamplerSettings? settings = null) : this(weights, pool, settings, share: true) { }

    private BatchSampler(SamplerWeights weights, WorkerPool pool, SamplerSettings? settings, bool share)
    {
        _settings = settings ?? new();
        _settings.Check();
        _weights = share ? weights.Share() : weights;
        ModelConfig config = weights.Config;
        int rows = checked(_settings.MaxConcurrent + _settings.MaxRows);
        _forward = new(weights, pool, rows);
        _picker = new(pool, config.VocabularySize);
        _cache = new(config.LayerCount, new(config.KeyValueHeadCount, config.HeadSize), _settings.CacheBytes);
        _batch = new(rows);
        _hidden = new((long)rows * config.HiddenSize);
    }

    public ModelConfig Config => _weights.Config;

    public SamplerWeights Weights => _weights;

    /// <summary>Draws every request's samples and hands them over in the order of the requests, as soon as all before them are done.</summary>
    /// <param name="onToken">Called for every token as it is drawn, on the calling thread; a sample's tokens come in order.</param>
    /// <exception cref="BadInputException">An option is out of range, or a prompt is empty, too long or holds an unknown id.</exception>
    public IEnumerable<FinishedSample> Sample(IReadOnlyList<PromptRequest> requests, SamplerOptions options, Action<SampledToken>? onToken = null, CancellationToken cancellation = default)
    {
        options.Check();
        for (int i = 0; i < requests.Count; i++)
        {
            CheckTokens(requests[i].Prompt.Span, $"request {i}");
            if (requests[i].Count < 1)
                throw new BadInputException($"request {i}: asks for {requests[i].Count} samples; ask for 1 or more");
        }
        return Samples(requests, options, onToken, cancellation);
    }

    /// <summary>Draws one sample and hands over its tokens one by one, as for a chat. Stopping early is allowed.</summary>
    public IEnumerable<SampledToken> Stream(PromptRequest request, SamplerOptions options, CancellationToken cancellation = default)
    {
        options.Check();
        CheckTokens(request.Prompt.Span, "prompt");
        return Tokens(request with { Count = 1 }, options, cancellation);
    }

    /// <summary>Log-prob of every token given those before it; [0] is NaN.</summary>
    public IReadOnlyList<float[]> Score(IReadOnlyList<ReadOnlyMemory<int>> sequences, CancellationToken cancellation = default)
    {
        for (int i = 0; i < sequences.Count; i++)
            CheckTokens(sequences[i].Span, $"sequence {i}");
        Enter();
        try
        {
            return new ScoringRun(sequences, _forward, _picker, _cache, _batch, _hidden, _weights.Config.HiddenSize).Run(cancellation);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Logits [tokens, V] of every position; row t predicts token t + 1.</summary>
    public float[] Logits(ReadOnlySpan<int> tokens)
    {
        CheckTokens(tokens, "sequence 0");
        Enter();
        try
        {
            int V = _weights.Config.VocabularySize, C = _weights.Config.HiddenSize;
            float[] logits = new float[checked(tokens.Length * V)];
            using CachedSequence sequence = new(_cache, tokens.Length);
            for (int done = 0; done < tokens.Length;)
            {
                _batch.Clear();
                while (_batch.Free > 0 && sequence.Length < tokens.Length)
                    _batch.Add(tokens[sequence.Length], sequence, wanted: true);
                _forward.Run(_batch, _hidden.Pointer);
                for (int first = 0; first < _batch.Count; first += _forward.LogitRows)
                {
                    int rows = Math.Min(_forward.LogitRows, _batch.Count - first);
                    new ReadOnlySpan<float>(_forward.Logits(rows, _hidden.Pointer + (long)first * C), rows * V).CopyTo(logits.AsSpan((done + first) * V));
                }
                done += _batch.Count;
            }
            return logits;
        }
        finally
        {
            Leave();
        }
    }

    public void Dispose()
    {
        _forward.Dispose();
        _cache.Dispose();
        _hidden.Dispose();
        _weights.Dispose();
    }

    private IEnumerable<FinishedSample> Samples(IReadOnlyList<PromptRequest> requests, SamplerOptions options, Action<SampledToken>? onToken, CancellationToken cancellation)
    {
        Enter();
        try
        {
            using SamplingRun run = Start(requests, options, onToken);
            while (run.Step())
            {
                while (run.TryTake(out FinishedSample? sample))
                    yield return sample;
                cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            Leave();
        }
    }

    private IEnumerable<SampledToken> Tokens(PromptRequest request, SamplerOptions options, CancellationToken cancellation)
    {
        Enter();
        try
        {
            Queue<SampledToken> drawn = new();
            using SamplingRun run = Start([request], options, drawn.Enqueue);
            while (run.Step())
            {
                while (drawn.TryDequeue(out SampledToken token))
                    yield return token;
                cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            Leave();
        }
    }

    private SamplingRun Start(IReadOnlyList<PromptRequest> requests, SamplerOptions options, Action<SampledToken>? onToken) =>
        new(requests, options, onToken, _forward, _picker, _cache, _batch, _hidden, _settings.MaxConcurrent, _weights.Config.HiddenSize,
            _weights.Config.Position == PositionKind.Learned ? _weights.Config.MaxPositions : int.MaxValue);

    private void CheckTokens(ReadOnlySpan<int> tokens, string name)
    {
        ModelConfig config = _weights.Config;
        if (tokens.IsEmpty)
            throw new BadInputException($"{name}: has no tokens; give at least one, such as the begin-of-sequence id");
        if (tokens.Length > config.MaxPositions)
            throw new BadInputException($"{name}: {tokens.Length} tokens are more than the model's {config.MaxPositions} positions; shorten it");
        foreach (int token in tokens)
            if ((uint)token >= (uint)config.VocabularySize)
                throw new BadInputException($"{name}: id {token} is outside the model's vocabulary of {config.VocabularySize}; the tokenizer belongs to another model");
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException("the sampler is already in use: finish or stop the running call first");
    }

    private void Leave() => Volatile.Write(ref _busy, 0);
}
