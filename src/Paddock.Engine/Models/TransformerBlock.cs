using System.Runtime.InteropServices;
using Paddock.Engine.Adapters;
using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>
/// One block: attention and an MLP (or experts), each added to the residual stream, with norms where <see cref="BlockKind"/> has them. Forward
/// and backward are written out; the last block goes on after attention with the wanted rows only.
/// </summary>
internal sealed unsafe class TransformerBlock
{
    private readonly ModelConfig _config;
    private readonly NormLayer? _attentionNorm, _attentionOutNorm, _mlpNorm, _mlpOutNorm;
    private readonly bool _isFirst, _isFrozen;
    private readonly int _window;
    private readonly float _scale;

    public TransformerBlock(ModelWeights weights, LoraAdapters? adapters, int index)
    {
        _config = weights.Config;
        LayerParameters layer = weights.Layout.Layers[index];
        (_isFirst, _isFrozen) = (index == 0, adapters != null);
        _attentionNorm = Norm(layer.AttentionNorm, layer.AttentionNormBias);
        _attentionOutNorm = Norm(layer.AttentionOutNorm, null);
        _mlpNorm = Norm(layer.MlpNorm, layer.MlpNormBias);
        _mlpOutNorm = Norm(layer.MlpOutNorm, null);
        QueryKeyNorm = QueryKeyNormLayer.Of(weights, layer);
        Qkv = new(weights, layer.Qkv, layer.QkvBias, adapters?.Of(layer.Qkv));
        Out = new(weights, layer.Out, layer.OutBias, adapters?.Of(layer.Out));
        Experts = layer.Router == null ? null : new(weights, layer);
        GateUp = new(weights, layer.GateUp, layer.GateUpBias, adapters?.Of(layer.GateUp));
        Down = new(weights, layer.Down, layer.DownBias, adapters?.Of(layer.Down));
        _window = _config.WindowOf(index);
        _scale = (float)_config.EffectiveScoreScale;

        NormLayer? Norm(Parameter? scale, Parameter? bias) => scale == null ? null : new(weights, scale, bias);
    }

    public Projection Qkv { get; }

    public Projection Out { get; }

    /// <summary>Of the one MLP; unused where there are experts.</summary>
    public Projection GateUp { get; }

    public Projection Down { get; }

    public ExpertLayer? Experts { get; }

    public QueryKeyNormLayer? QueryKeyNorm { get; }

    /// <summary>Whether the outputs of attention and MLP are normed, so that they are kept.</summary>
    public bool NormsOutputs => _attentionOutNorm != null;

    /// <summary>H.</summary>
    public int HeadCount => _config.HeadCount;

    private int HiddenSize => _config.HiddenSize;

    private bool IsParallel => _config.Block == BlockKind.Parallel;

    private float Cap => (float)_config.ScoreCap;

    /// <summary>Runs the block on a.Input and writes the new residual stream, [N, C] or [n, C] in the last block, to output.</summary>
    public void Forward(WorkerPool pool, Chunk chunk, in BlockActivations a, RotaryTable? rotary, float* output)
    {
        int rows = chunk.Rows;
        _attentionNorm?.Forward(pool, rows, a.Input, a.Normed, a.Mean, a.Rstd);
        Qkv.Forward(pool, rows, _attentionNorm == null ? a.Input : a.Normed, a.Qkv, false, a.QkvAdapters);
        QueryKeyNorm?.Forward(pool, rows, a.Qkv, Qkv.Out, a.RawQueryKeys, a.QueryKeyRstd);
        if (rotary != null)
            Rotate(pool, chunk, a.Qkv, rotary, inverse: false);
        Attention.Forward(pool, chunk.Sequences, chunk.Offsets, HeadCount, _config.KeyValueHeadCount, _config.HeadSize, a.Qkv, Qkv.Out, _scale, a.Attended, a.LogSumExp,
            _window, Cap);

        int after = rows;
        if (a.Gathered != a.Attended)
        {
            after = chunk.Wanted;
            Gather(chunk, Out.In, a.Attended, a.Gathered);
            Gather(chunk, HiddenSize, a.Input, a.Middle);
        }
        else
        {
            Vectors.Copy(pool, (long)rows * HiddenSize, a.Input, a.Middle);
        }
        long size = (long)after * HiddenSize;
        if (IsParallel)
            Vectors.Copy(pool, size, a.Middle, output);
        if (_attentionOutNorm == null)
        {
            Out.Forward(pool, after, a.Gathered, IsParallel ? output : a.Middle, true, a.OutAdapters);
        }
        else
        {
            // the input of the MLP's norm is not there yet, so its place is free
            Out.Forward(pool, after, a.Gathered, a.AttentionOut, false, a.OutAdapters);
            _attentionOutNorm.Forward(pool, after, a.AttentionOut, a.MiddleNormed, null, a.AttentionOutRstd);
            Vectors.Add(pool, size, a.MiddleNormed, a.Middle);
        }
        _mlpNorm?.Forward(pool, after, a.Middle, a.MiddleNormed, a.MiddleMean, a.MiddleRstd);
        Mlp(pool, after, in a, output);
    }

    /// <summary>
    /// Turns the gradient of the block's output (s.WantedStream where rows were gathered, else s.Stream) into that of its input in s.Stream,
    /// and adds the gradients of its parameters. Nothing is computed that no trained parameter needs.
    /// </summary>
    public void Backward(WorkerPool pool, Chunk chunk, in BlockActivations a, RotaryTable? rotary, in BackwardScratch s, in GradientBuffers gradients)
    {
        bool gathered = a.Gathered != a.Attended;
        int rows = chunk.Rows, after = gathered ? chunk.Wanted : rows;
        float* stream = gathered ? s.WantedStream : s.Stream;
        MlpBackward(pool, after, in a, stream, in s, in gradients);
        if (!IsParallel)
            ThroughMlpNorm(pool, after, in a, stream, in s, in gradients);

        bool inputWanted = !(_isFirst && _isFrozen), attentionWanted = inputWanted || Qkv.AdapterWidth > 0;
        float* dOut = stream;
        if (_attentionOutNorm != null)
            _attentionOutNorm.Backward(pool, after, stream, a.AttentionOut, null, a.AttentionOutRstd, dOut = s.PartOut, false, in gradients);
        Out.Backward(pool, after, a.Gathered, dOut, a.OutAdapters, s.Adapters, !attentionWanted ? null : gathered ? s.Gathered : s.Attended, in gradients);
        if (!attentionWanted)
            return;
        // attention and MLP of a parallel block both see the gradient of the output, so the MLP's share is added after both
        if (IsParallel)
            ThroughMlpNorm(pool, after, in a, stream, in s, in gradients);
        if (gathered)
        {
            Scatter(chunk, Out.In, s.Gathered, s.Attended);
            Scatter(chunk, HiddenSize, s.WantedStream, s.Stream);
        }
        Attention.Backward(pool, chunk.Sequences, chunk.Offsets, HeadCount, _config.KeyValueHeadCount, _config.HeadSize, a.Qkv, Qkv.Out, _scale, a.Attended, a.LogSumExp,
            s.Attended, s.Qkv, Qkv.Out, _window, Cap);
        if (rotary != null)
            Rotate(pool, chunk, s.Qkv, rotary, inverse: true);
        QueryKeyNorm?.Backward(pool, rows, s.Qkv, Qkv.Out, a.RawQueryKeys, a.QueryKeyRstd, in gradients);
        Qkv.Backward(pool, rows, _attentionNorm == null ? a.Input : a.Normed, s.Qkv, a.QkvAdapters, s.Adapters, inputWanted ? s.Normed : null, in gradients);
        if (!inputWanted)
            return;
        if (_attentionNorm != null)
            _attentionNorm.Backward(pool, rows, s.Normed, a.Input, a.Mean, a.Rstd, s.Stream, true, in gradients);
        else
            Vectors.Add(pool, (long)rows * HiddenSize, s.Normed, s.Stream);
    }

    private void Mlp(WorkerPool pool, int after, in BlockActivations a, float* output)
    {
        long size = (long)after * HiddenSize;
        float* input = _mlpNorm == null ? a.Middle : a.MiddleNormed;
        if (_mlpOutNorm == null && !IsParallel)
            Vectors.Copy(pool, size, a.Middle, output);
        if (Experts != null)
        {
            Experts.Forward(pool, after, input, output, in a.Experts);
            return;
        }
        GateUp.Forward(pool, after, input, a.GateUp, false, a.GateUpAdapters);
        MlpActivation.Forward(_config.Activation, pool, after, Down.In, a.GateUp, a.Activated);
        if (_mlpOutNorm == null)
        {
            Down.Forward(pool, after, a.Activated, output, true, a.DownAdapters);
            return;
        }
        Down.Forward(pool, after, a.Activated, a.MlpOut, false, a.DownAdapters);
        _mlpOutNorm.Forward(pool, after, a.MlpOut, output, null, a.MlpOutRstd);
        Vectors.Add(pool, size, a.Middle, output);
    }

    // leaves the gradient of the MLP's input in s.Normed
    private void MlpBackward(WorkerPool pool, int after, in BlockActivations a, float* stream, in BackwardScratch s, in GradientBuffers gradients)
    {
        float* input = _mlpNorm == null ? a.Middle : a.MiddleNormed, dOut = stream;
        if (Experts != null)
        {
            Experts.Backward(pool, after, input, stream, s.Normed, in a.Experts, s.Experts, in gradients);
            return;
        }
        if (_mlpOutNorm != null)
            _mlpOutNorm.Backward(pool, after, stream, a.MlpOut, null, a.MlpOutRstd, dOut = s.PartOut, false, in gradients);
        Down.Backward(pool, after, a.Activated, dOut, a.DownAdapters, s.Adapters, s.Activated, in gradients);
        MlpActivation.Backward(_config.Activation, pool, after, Down.In, a.GateUp, s.Activated, s.GateUp);
        GateUp.Backward(pool, after, input, s.GateUp, a.GateUpAdapters, s.Adapters, s.Normed, in gradients);
    }

    private void ThroughMlpNorm(WorkerPool pool, int after, in BlockActivations a, float* stream, in BackwardScratch s, in GradientBuffers gradients)
    {
        if (_mlpNorm != null)
            _mlpNorm.Backward(pool, after, s.Normed, a.Middle, a.MiddleMean, a.MiddleRstd, stream, true, in gradients);
        else
            Vectors.Add(pool, (long)after * HiddenSize, s.Normed, stream);
    }

    // queries and keys lie side by side, so one call turns both
    private void Rotate(WorkerPool pool, Chunk chunk, float* qkv, RotaryTable rotary, bool inverse) =>
        Rope.Apply(pool, chunk.Rows, HeadCount + _config.KeyValueHeadCount, _config.HeadSize, _config.EffectiveRotarySize, qkv, Qkv.Out, chunk.Positions, rotary.Cosines, rotary.Sines,
            inverse);

    private static void Gather(Chunk chunk, int width, float* all, float* wanted)
    {
        for (int i = 0; i < chunk.Wanted; i++)
            Copy(all + (long)chunk.WantedRows[i] * width, wanted + (long)i * width, width);
    }

    private static void Scatter(Chunk chunk, int width, float* wanted, float* all)
    {
        NativeMemory.Clear(all, (nuint)chunk.Rows * (nuint)width * sizeof(float));
        for (int i = 0; i < chunk.Wanted; i++)
            Copy(wanted + (long)i * width, all + (long)chunk.WantedRows[i] * width, width);
    }

    private static void Copy(float* from, float* to, long floats) => NativeMemory.Copy(from, to, (nuint)floats * sizeof(float));
}
