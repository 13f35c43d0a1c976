using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Sampling;

/// <summary>Positions to be computed in one pass: decoded ones and pieces of prompts alike, each with its own place in the cache.</summary>
internal sealed class RowBatch(int capacity)
{
    public int Capacity { get; } = capacity;

    public int Count { get; private set; }

    public int WantedCount { get; private set; }

    public int[] Tokens { get; } = new int[capacity];

    public int[] Positions { get; } = new int[capacity];

    public CacheRow[] Cache { get; } = new CacheRow[capacity];

    /// <summary>Rows whose next-token distribution is wanted, in rising order.</summary>
    public int[] Wanted { get; } = new int[capacity];

    public int Free => Capacity - Count;

    public void Clear() => (Count, WantedCount) = (0, 0);

    /// <summary>Appends the next token of a sequence. Rows of one sequence follow each other.</summary>
    public void Add(int token, CachedSequence sequence, bool wanted)
    {
        Tokens[Count] = token;
        Positions[Count] = sequence.Length;
        Cache[Count] = sequence.Extend();
        if (wanted)
            Wanted[WantedCount++] = Count;
        Count++;
    }
}

/// <summary>
/// The forward pass over a key/value cache. Every kernel it calls treats rows independently, so a position's logits are the same bits
/// whether it is decoded alone, in a batch, or as part of a prompt.
/// </summary>
internal sealed unsafe class CachedForward : IDisposable
{
    private const long LogitBytes = 16L << 20;

    private readonly SamplerWeights _weights;
    private readonly ParameterLayout _layout;
    private readonly WorkerPool _pool;
    private readonly RotaryTables _rotary;
    private readonly CachedExperts? _experts;
    private readonly NativeBuffer _x, _norm, _qkv, _attention, _inner, _activated, _part, _mean, _deviation, _logits;
    private readonly CacheShape _shape;

    public CachedForward(SamplerWeights weights, WorkerPool pool, int maxRows)
    {
        (_weights, _pool, _layout) = (weights, pool, weights.Layout);
        ModelConfig config = weights.Config;
        _rotary = new(config);
        _shape = new(config.KeyValueHeadCount, config.HeadSize);
        long R = maxRows;
        _x = new(R * config.HiddenSize);
        _norm = new(R * config.HiddenSize);
        _qkv = new(R * _layout.QkvWidth);
        _attention = new(R * _layout.QueryWidth);
        _inner = new(R * _layout.GateUpWidth);
        _activated = new(R * config.FeedForwardSize);
        _part = new(config.Block is BlockKind.After or BlockKind.Around ? R * config.HiddenSize : 0);
        _experts = config.Experts == null ? null : new(weights, pool, maxRows);
        _mean = new(R);
        _deviation = new(R);
        LogitRows = (int)Math.Clamp(LogitBytes / sizeof(float) / config.VocabularySize, 1, 4096);
        _logits = new((long)LogitRows * config.VocabularySize);
    }

    /// <summary>Rows of <see cref="Logits"/> that can be computed at once.</summary>
    public int LogitRows { get; }

    /// <summary>
    /// Computes the batch, stores its keys and values, and writes the final normed state of each wanted row to
    /// <paramref name="hidden"/> [wanted, C].
    /// </summary>
    public void Run(RowBatch batch, float* hidden)
    {
        if (batch.Count == 0)
            return;
        ModelConfig config = _weights.Config;
        int rows = batch.Count, C = config.HiddenSize, H = config.HeadCount, KV = config.KeyValueHeadCount, D = config.HeadSize;
        int ldqkv = _layout.QkvWidth;
        float scale = config.ScoreScale > 0 ? (float)config.ScoreScale : 1f / MathF.Sqrt(D), cap = (float)config.ScoreCap;
        float* x = _x.Pointer, norm = _norm.Pointer, qkv = _qkv.Pointer;
        Embed(batch);
        fixed (int* positions = batch.Positions)
        fixed (CacheRow* cache = batch.Cache)
        {
            _rotary.Reserve(Longest(batch));
            for (int l = 0; l < _layout.Layers.Count; l++)
            {
                LayerParameters layer = _layout.Layers[l];
                long offset = (long)l * _shape.LayerFloats;
                float* input = layer.AttentionNorm == null ? x : norm;
                if (layer.AttentionNorm != null)
                    Norm(rows, x, layer.AttentionNorm, layer.AttentionNormBias, norm);
                Multiply(rows, layer.Qkv, layer.QkvBias, input, qkv, accumulate: false);
                if (layer.QueryNorm != null)
                    QueryKeyNorm.Forward(_pool, rows, QueryKeyNormLayer.ShapeOf(config), qkv, ldqkv, _weights.Vector(layer.QueryNorm), _weights.Vector(layer.KeyNorm), config.NormEpsilon, null, null);
                if (_rotary.Of(l) is { } rotary)
                    Rope.Apply(_pool, rows, H + KV, D, config.EffectiveRotarySize, qkv, ldqkv, positions, rotary.Cosines, rotary.Sines, inverse: false);
                DecodeAttention.Store(_pool, rows, cache, offset, KV, D, qkv + H * D, qkv + (H + KV) * D, ldqkv);
                DecodeAttention.Run(_pool, rows, cache, offset, H, KV, D, qkv, ldqkv, scale, _attention.Pointer, H * D, window: config.WindowOf(l), cap: cap);
                // a parallel block's MLP sees the stream as attention saw it
                if (config.Block == BlockKind.Parallel)
                    Norm(rows, x, layer.MlpNorm!, layer.MlpNormBias, norm);
                AddProjected(rows, layer.Out, layer.OutBias, _attention.Pointer, x, layer.AttentionOutNorm);
                if (config.Block != BlockKind.Parallel && layer.MlpNorm != null)
                    Norm(rows, x, layer.MlpNorm, layer.MlpNormBias, norm);
                Mlp(rows, layer, layer.MlpNorm == null ? x : norm, x);
            }
        }
        // wanted rows rise, so gathering them in place never overwrites one still needed
        for (int i = 0; i < batch.WantedCount; i++)
            new ReadOnlySpan<float>(x + (long)batch.Wanted[i] * C, C).CopyTo(new(x + (long)i * C, C));
        if (batch.WantedCount > 0)
            Norm(batch.WantedCount, x, _layout.FinalNorm, _layout.FinalNormBias, hidden);
    }

    /// <summary>Logits [rows, V] of final states [rows, C]; rows is at most <see cref="LogitRows"/>. Valid until the next call; may be written to.</summary>
    public float* Logits(int rows, float* hidden)
    {
        Multiply(rows, _layout.Logits!, null, hidden, _logits.Pointer, accumulate: false);
        SoftCap.Apply(_pool, rows, _weights.Config.VocabularySize, _logits.Pointer, _weights.Config.VocabularySize, (float)_weights.Config.LogitCap);
        return _logits.Pointer;
    }

    public void Dispose()
    {
        _rotary.Dispose();
        _experts?.Dispose();
        foreach (NativeBuffer buffer in new[] { _x, _norm, _qkv, _attention, _inner, _activated, _part, _mean, _deviation, _logits })
            buffer.Dispose();
    }

    private void Embed(RowBatch batch)
    {
        DecodeMatrix table = _weights.Matrix(_layout.Embedding);
        float* positions = _weights.Vector(_layout.Positions);
        int C = _weights.Config.HiddenSize, first = _weights.Config.PositionOffset;
        float factor = _weights.Config.EmbeddingScale;
        for (int r = 0; r < batch.Count; r++)
        {
            float* x = _x.Pointer + (long)r * C;
            table.CopyRow(batch.Tokens[r], x);
            for (int c = 0; factor != 1 && c < C; c++)
                x[c] *= factor;
            if (positions == null)
                continue;
            float* position = positions + (long)(batch.Positions[r] + first) * C;
            for (int c = 0; c < C; c++)
                x[c] += position[c];
        }
    }

    private void Mlp(int rows, LayerParameters layer, float* input, float* x)
    {
        if (layer.Router != null)
        {
            _experts!.Run(layer, rows, input, x);
            return;
        }
        Multiply(rows, layer.GateUp, layer.GateUpBias, input, _inner.Pointer, accumulate: false);
        MlpActivation.Forward(_weights.Config.Activation, _pool, rows, _weights.Config.FeedForwardSize, _inner.Pointer, _activated.Pointer);
        AddProjected(rows, layer.Down, layer.DownBias, _activated.Pointer, x, layer.MlpOutNorm);
    }

    // x += norm(projection of y), or without the norm
    private void AddProjected(int rows, Parameter matrix, Parameter? bias, float* y, float* x, Parameter? norm)
    {
        if (norm == null)
        {
            Multiply(rows, matrix, bias, y, x, accumulate: true);
            return;
        }
        Multiply(rows, matrix, bias, y, _part.Pointer, accumulate: false);
        Norm(rows, _part.Pointer, norm, null, _norm.Pointer);
        Vectors.Add(_pool, (long)rows * _weights.Config.HiddenSize, _norm.Pointer, x);
    }

    private void Norm(int rows, float* x, Parameter scale, Parameter? bias, float* y)
    {
        ModelConfig config = _weights.Config;
        if (config.Norm == NormKind.RmsNorm)
            RmsNorm.Forward(_pool, rows, config.HiddenSize, x, _weights.Vector(scale), config.NormEpsilon, y, _deviation.Pointer);
        else
            LayerNorm.Forward(_pool, rows, config.HiddenSize, x, _weights.Vector(scale), _weights.Vector(bias), config.NormEpsilon, y, _mean.Pointer, _deviation.Pointer);
    }

    private void Multiply(int rows, Parameter matrix, Parameter? bias, float* x, float* y, bool accumulate)
    {
        DecodeMatrix w = _weights.Matrix(matrix);
        DecodeMatMul.Run(_pool, rows, w, x, w.K, y, w.N, _weights.Vector(bias), accumulate);
    }

    private static int Longest(RowBatch batch)
    {
        int longest = 0;
        for (int r = 0; r < batch.Count; r++)
            longest = Math.Max(longest, batch.Positions[r] + 1);
        return longest;
    }
}
