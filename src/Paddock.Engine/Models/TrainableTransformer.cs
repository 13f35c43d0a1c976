using Paddock.Engine.Adapters;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Engine.Models;

/// <summary>
/// A transformer with explicit forward and backward passes over padding-free batches, trained whole or through adapters. Its output at a
/// wanted position is the log-prob of the target, or the scalar of a scalar head; gradients are those of sum coefficient * output.
/// One caller at a time. Same calls, same bits, for any number of threads and any memory setting; a sequence's outputs do not depend on
/// the others in its batch.
/// </summary>
public sealed unsafe class TrainableTransformer : IDisposable
{
    /// <summary>Default of <see cref="ActivationBudget"/>: 4 GiB.</summary>
    public const long DefaultActivationBudget = 4L << 30;

    private readonly WorkerPool _pool;
    private readonly LoraAdapters? _adapters;
    private readonly Optimizer _optimizer;
    private readonly TransformerBlock[] _blocks;
    private readonly OutputHead _head;
    private readonly RotaryTables _rotary;
    private readonly Chunk _chunk;
    private readonly ChunkPlan _plan = new();
    private readonly BatchSnapshot _kept = new();
    private NativeBuffer _arena = new(0), _scratch = new(0);
    private bool _isKept, _keptDistribution, _hasLearned;

    // whether the layout of what is kept has logits, and whether they are still those of the forward pass
    private bool _hasLogits, _logitsKept;

    /// <param name="weights">Taken over: trained in place, or frozen under adapters, and disposed with this. Its layout has the head.</param>
    /// <param name="lora">Adapters to train in place of the weights; null trains everything.</param>
    /// <param name="seed">Seeds fresh adapters.</param>
    public TrainableTransformer(ModelWeights weights, LoraOptions? lora, ulong seed, WorkerPool pool)
    {
        (Weights, _pool, Lora) = (weights, pool, lora);
        ParameterLayout layout = weights.Layout;
        _adapters = lora == null ? null : new(weights, lora, seed);
        _optimizer = _adapters == null ? new(weights.Buffer, layout.All) : new(_adapters.Values, _adapters.All);
        _blocks = new TransformerBlock[layout.Layers.Count];
        for (int l = 0; l < _blocks.Length; l++)
            _blocks[l] = new(weights, _adapters, l);
        _head = _adapters?.Score is { } score ? new(weights, _adapters.Values.Pointer + score.Offset, score.Offset) : new(weights, weights.Pointer(layout.Score), layout.Score?.Offset ?? 0);
        _rotary = new(weights.Config);
        _chunk = new(_blocks, weights.Config.HiddenSize, layout.Logits == null ? 0 : weights.Config.VocabularySize);
        foreach (Parameter parameter in TrainedParameters)
            TrainableCount += parameter.Count;
    }

    /// <summary>The base weights; under adapters they stay as they were loaded.</summary>
    public ModelWeights Weights { get; }

    public ModelConfig Config => Weights.Config;

    /// <summary>The adapters' settings, or null when all weights are trained.</summary>
    public LoraOptions? Lora { get; }

    /// <summary>Parameters of the model, adapters not counted.</summary>
    public long ParameterCount => Weights.Layout.ParameterCount;

    /// <summary>Parameters that learn.</summary>
    public long TrainableCount { get; }

    /// <summary>Optimizer steps taken.</summary>
    public long Steps => _optimizer.Steps;

    /// <summary>
    /// Bytes of activations that a forward pass may keep for the backward pass. A batch that needs more is recomputed chunk by chunk, with
    /// the same bits; the least that is used is one chunk. Nothing is kept before the first backward pass, so a model that is only read
    /// costs its weights alone.
    /// </summary>
    public long ActivationBudget { get; set; } = DefaultActivationBudget;

    internal NativeBuffer Gradients => _optimizer.Gradients;

    /// <summary>Values of what is trained, in the layout of the gradients.</summary>
    internal NativeBuffer Trained => _adapters?.Values ?? Weights.Buffer;

    /// <summary>What is trained, in the order of that buffer.</summary>
    internal IReadOnlyList<Parameter> TrainedParameters => _adapters?.All ?? Weights.Layout.All;

    /// <summary>Floats reserved for activations and for working memory.</summary>
    internal (long Activations, long Scratch) Reserved => (_arena.Length, _scratch.Length);

    /// <summary>Writes [N] outputs: at wanted positions the log-prob of the target or the scalar, elsewhere 0.</summary>
    public void Forward(RaggedBatch batch, Span<float> outputs) => Run(batch, outputs, default, default, false);

    /// <summary>
    /// As <see cref="Forward"/> under a token head, with the entropy in nats of the distribution at each wanted position, and whether the
    /// target is its arg max (1 or 0); 0 elsewhere. All are [N].
    /// </summary>
    public void ForwardDistribution(RaggedBatch batch, Span<float> logProbs, Span<float> entropies, Span<float> argMaxHits)
    {
        RequireTokenHead();
        RequireLength(batch, entropies.Length);
        RequireLength(batch, argMaxHits.Length);
        Run(batch, logProbs, entropies, argMaxHits, true);
    }

    /// <summary>
    /// Adds sum over wanted positions of coefficient * d output / d theta to the gradients. Reuses the activations of the last forward pass
    /// when it was made on the same batch and nothing has changed since, else makes that pass again.
    /// </summary>
    public void Backward(RaggedBatch batch, ReadOnlySpan<float> coefficients) => RunBackward(batch, coefficients, default, false);

    /// <summary>Adds sum of (coefficient * d log-prob + entropyCoefficient * d entropy) / d theta; token head only.</summary>
    public void Backward(RaggedBatch batch, ReadOnlySpan<float> coefficients, ReadOnlySpan<float> entropyCoefficients)
    {
        RequireTokenHead();
        RequireLength(batch, entropyCoefficients.Length);
        RunBackward(batch, coefficients, entropyCoefficients, true);
    }

    /// <summary>Clips the gathered gradients to the global norm, makes one AdamW step and clears them. Returns the norm before clipping.</summary>
    public double Step(in AdamSettings settings)
    {
        _isKept = false;
        return _optimizer.Step(_pool, in settings);
    }

    public void ZeroGradients() => _optimizer.ZeroGradients();

    /// <summary>Useful floating-point operations of a forward pass.</summary>
    public long ForwardFlops(RaggedBatch batch) => FlopCount.Forward(Weights.Layout, _adapters, batch);

    /// <summary>Useful floating-point operations of a backward pass, without those of the forward pass.</summary>
    public long BackwardFlops(RaggedBatch batch) => FlopCount.Backward(Weights.Layout, _adapters, batch);

    /// <summary>weights = share * other + (1 - share) * weights, in fp32; both of one layout. Adapters stay as they are.</summary>
    public void Mix(ModelWeights other, double share)
    {
        if (other.Layout.Length != Weights.Layout.Length)
            throw new ArgumentException($"weights of {other.Layout.Length} values cannot be mixed into {Weights.Layout.Length}", nameof(other));
        _isKept = false;
        float theirs = (float)share, ours = (float)(1 - share);
        float* from = other.Buffer.Pointer, to = Weights.Buffer.Pointer;
        for (long i = 0; i < Weights.Buffer.Length; i++)
            to[i] = theirs * from[i] + ours * to[i];
    }

    /// <summary>An independent copy of the weights as they are now, adapters folded in.</summary>
    public ModelWeights MergedWeights()
    {
        ModelWeights merged = Weights.Clone();
        if (_adapters == null)
            return merged;
        foreach ((Parameter matrix, LoraGroup group) in _adapters.Groups)
            group.MergeInto(_pool, merged.Pointer(matrix));
        if (_adapters.Score is { } score)
            _adapters.Values.Slice(score.Offset, score.Count).CopyTo(merged.Values(merged.Layout.Score!));
        return merged;
    }

    /// <summary>The adapters under PEFT's names; empty without any. Read when filled.</summary>
    public IEnumerable<ExportTensor> ExportAdapters() => _adapters?.Export(_adapters.Values) ?? [];

    /// <summary>Last parts of the names of the modules that have adapters, each once; empty without any.</summary>
    internal IReadOnlyList<string> AdaptedModules() => _adapters?.Modules() ?? [];

    /// <summary>Replaces the adapters by those of a PEFT file of the same shape.</summary>
    public void LoadAdapters(IWeightSource source)
    {
        _isKept = false;
        (_adapters ?? throw new BadInputException($"{source.Place}: the model was opened without adapters; set rank and targets")).Load(source);
    }

    /// <summary>Optimizer moments and step count; empty before the first step. Read when filled.</summary>
    public IEnumerable<ExportTensor> ExportOptimizer() => _optimizer.Export();

    /// <summary>Takes up the optimizer where <see cref="ExportOptimizer"/> left it; gradients are cleared.</summary>
    public void LoadOptimizer(IWeightSource source) => _optimizer.Load(source);

    /// <summary>The gathered gradients under the names, shapes and layout of the checkpoint (of the adapter file under adapters).</summary>
    internal IEnumerable<ExportTensor> ExportGradients() => _adapters?.Export(Gradients) ?? Weights.Export(Gradients);

    /// <summary>Logits [N, V] of every position.</summary>
    internal void Logits(RaggedBatch batch, Span<float> logits)
    {
        RequireTokenHead();
        Prepare(batch, everyRow: true, keep: false);
        fixed (float* start = logits)
            for (int i = 0; i < _plan.Count; i++)
            {
                ChunkShape shape = _plan[i];
                _chunk.Carve(_arena.Pointer, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: false);
                RunBlocks(batch, shape, everyRow: true);
                _head.Logits(_pool, _chunk, start + (long)shape.Start * Config.VocabularySize);
            }
    }

    public void Dispose()
    {
        _arena.Dispose();
        _scratch.Dispose();
        _rotary.Dispose();
        _optimizer.Dispose();
        _adapters?.Dispose();
        Weights.Dispose();
    }

    private void Run(RaggedBatch batch, Span<float> outputs, Span<float> entropies, Span<float> hits, bool distribution)
    {
        RequireLength(batch, outputs.Length);
        bool keep = Prepare(batch, everyRow: false, keep: _hasLearned);
        outputs.Clear();
        entropies.Clear();
        hits.Clear();
        float* start = _arena.Pointer;
        for (int i = 0; i < _plan.Count; i++)
        {
            ChunkShape shape = _plan[i];
            if (shape.Wanted == 0)
                continue;
            long used = _chunk.Carve(start, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: keep, _hasLogits);
            RunBlocks(batch, shape, everyRow: false);
            _head.Forward(_pool, _chunk, distribution);
            for (int j = 0; j < shape.Wanted; j++)
            {
                int at = shape.Start + _chunk.WantedRows[j];
                outputs[at] = _chunk.Outputs[j];
                if (!distribution)
                    continue;
                entropies[at] = _chunk.Entropies[j];
                hits[at] = _chunk.ArgMax[j] == _chunk.Targets[j] ? 1 : 0;
            }
            start += keep ? used : 0;
        }
        (_isKept, _keptDistribution, _logitsKept) = (keep, distribution, _hasLogits);
        if (keep)
            _kept.Take(batch);
    }

    private void RunBackward(RaggedBatch batch, ReadOnlySpan<float> coefficients, ReadOnlySpan<float> entropyCoefficients, bool entropy)
    {
        RequireLength(batch, coefficients.Length);
        _hasLearned = true;
        bool reuse = _isKept && _kept.Matches(batch);
        if (!reuse)
            PrepareRecompute(batch);
        ReserveScratch();
        float* trained = _optimizer.Gradients.Pointer, start = _arena.Pointer;
        GradientBuffers gradients = _adapters == null ? new(trained, null) : new(null, trained);
        for (int i = 0; i < _plan.Count; i++)
        {
            ChunkShape shape = _plan[i];
            if (shape.Wanted == 0)
                continue;
            long used = _chunk.Carve(start, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: true, _hasLogits);
            if (!reuse)
                RunBlocks(batch, shape, everyRow: false);
            bool headAgain = !reuse || (entropy && !_keptDistribution);
            if (headAgain)
                _head.Forward(_pool, _chunk, entropy);
            Carver carver = new(_scratch.Pointer);
            BackwardScratch scratch = BackwardScratch.Carve(ref carver, _blocks, shape.Rows, shape.Wanted);
            for (int j = 0; j < shape.Wanted; j++)
            {
                int at = shape.Start + _chunk.WantedRows[j];
                scratch.Coefficients[j] = coefficients[at];
                scratch.EntropyCoefficients[j] = entropy ? entropyCoefficients[at] : 0;
            }
            BackThroughChunk(in scratch, entropy, _hasLogits && (headAgain || _logitsKept), trained, in gradients);
            start += reuse ? used : 0;
        }
        _logitsKept = false;
    }

    private void RunBlocks(RaggedBatch batch, ChunkShape shape, bool everyRow)
    {
        _chunk.Fill(batch, shape.First, everyRow);
        float* input = _chunk.Layer(0).Input;
        int C = Config.HiddenSize;
        Embedding.Forward(_pool, _chunk.Rows, C, _chunk.Tokens, Weights.Pointer(Weights.Layout.Embedding), input);
        if (Config.EmbeddingScale != 1)
            Vectors.Scale(_pool, (long)_chunk.Rows * C, Config.EmbeddingScale, input);
        if (Weights.Layout.Positions is { } positions)
        {
            float* table = Weights.Pointer(positions) + (long)Config.PositionOffset * C;
            for (int s = 0; s < _chunk.Sequences; s++)
                Vectors.Add(_pool, (long)(_chunk.Offsets[s + 1] - _chunk.Offsets[s]) * C, table, input + (long)_chunk.Offsets[s] * C);
        }
        for (int l = 0; l < _blocks.Length; l++)
            _blocks[l].Forward(_pool, _chunk, in _chunk.Layer(l), _rotary.Of(l), l + 1 < _blocks.Length ? _chunk.Layer(l + 1).Input : _chunk.Final);
    }

    private void BackThroughChunk(in BackwardScratch scratch, bool entropy, bool logitsKept, float* trained, in GradientBuffers gradients)
    {
        _head.Backward(_pool, _chunk, in scratch, entropy, logitsKept, _chunk.Wanted == _chunk.Rows ? scratch.Stream : scratch.WantedStream, trained, in gradients);
        for (int l = _blocks.Length - 1; l >= 0; l--)
            _blocks[l].Backward(_pool, _chunk, in _chunk.Layer(l), _rotary.Of(l), in scratch, in gradients);
        if (gradients.Weights == null)
            return;
        if (Config.EmbeddingScale != 1)
            Vectors.Scale(_pool, (long)_chunk.Rows * Config.HiddenSize, Config.EmbeddingScale, scratch.Stream);
        Embedding.Backward(_pool, _chunk.Rows, Config.HiddenSize, _chunk.Tokens, scratch.Stream, gradients.Weights + Weights.Layout.Embedding.Offset);
        if (Weights.Layout.Positions is { } positions)
            Embedding.Backward(_pool, _chunk.Rows, Config.HiddenSize, _chunk.Positions, scratch.Stream, gradients.Weights + positions.Offset + (long)Config.PositionOffset * Config.HiddenSize);
    }

    // Checks and plans the batch and makes room; true when every layer's activations of the whole batch are to be kept.
    private bool Prepare(RaggedBatch batch, bool everyRow, bool keep)
    {
        _isKept = false;
        Plan(batch, everyRow);
        long all = 0, largest = 0, withLogits = 0;
        for (int i = 0; i < _plan.Count; i++)
        {
            ref readonly ChunkShape shape = ref _plan[i];
            largest = Math.Max(largest, _chunk.Carve(null, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: false));
            if (!keep || shape.Wanted == 0)
                continue;
            all = checked(all + _chunk.Carve(null, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: true));
            withLogits = checked(withLogits + _chunk.Carve(null, shape.Sequences, shape.Rows, shape.Wanted, everyLayer: true, logits: true));
        }
        keep &= all <= ActivationBudget / sizeof(float);
        // logits are the largest of all and the cheapest to compute again
        _hasLogits = keep && withLogits <= ActivationBudget / sizeof(float);
        Reserve(ref _arena, _hasLogits ? withLogits : keep ? all : largest);
        return keep;
    }

    private void PrepareRecompute(RaggedBatch batch)
    {
        _isKept = _hasLogits = false;
        Plan(batch, everyRow: false);
        long largest = 0;
        for (int i = 0; i < _plan.Count; i++)
            largest = Math.Max(largest, _chunk.Carve(null, _plan[i].Sequences, _plan[i].Rows, _plan[i].Wanted, everyLayer: true));
        Reserve(ref _arena, largest);
    }

    private void ReserveScratch()
    {
        long largest = 0;
        for (int i = 0; i < _plan.Count; i++)
        {
            Carver carver = new(null);
            BackwardScratch.Carve(ref carver, _blocks, _plan[i].Rows, _plan[i].Wanted);
            largest = Math.Max(largest, carver.Used);
        }
        Reserve(ref _scratch, largest);
    }

    private void Plan(RaggedBatch batch, bool everyRow)
    {
        ModelConfig config = Config;
        foreach (int token in batch.Tokens)
            if ((uint)token >= (uint)config.VocabularySize)
                throw new BadInputException($"token id {token} is outside the model's vocabulary of {config.VocabularySize}; use the model's own tokenizer");
        if (Weights.Layout.Head == HeadKind.Token)
            foreach (int target in batch.Targets)
                if (target != RaggedBatch.NoTarget && (uint)target >= (uint)config.VocabularySize)
                    throw new BadInputException($"target id {target} is outside the model's vocabulary of {config.VocabularySize}; use the model's own tokenizer");
        if (config.Position == PositionKind.Learned && batch.MaxLength > config.MaxPositions)
            throw new BadInputException($"a sequence of {batch.MaxLength} tokens is longer than the model's {config.MaxPositions} positions; shorten it");
        _rotary.Reserve(batch.MaxLength);
        _plan.Make(batch, everyRow);
    }

    // Grows with some slack, so that batches of varying size soon stop allocating; the contents are lost.
    private static void Reserve(ref NativeBuffer buffer, long floats)
    {
        if (floats <= buffer.Length)
            return;
        long grown = Math.Max(floats, buffer.Length + buffer.Length / 4);
        buffer.Dispose();
        buffer = new(grown);
    }

    private void RequireTokenHead()
    {
        if (Weights.Layout.Head != HeadKind.Token)
            throw new InvalidOperationException("a model with a scalar head has no distribution over tokens");
    }

    private static void RequireLength(RaggedBatch batch, int length)
    {
        if (length != batch.TokenCount)
            throw new ArgumentException($"a batch of {batch.TokenCount} tokens needs as many values, got {length}");
    }
}
