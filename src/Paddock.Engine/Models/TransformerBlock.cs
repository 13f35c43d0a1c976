using System.Runtime.InteropServices;
using Paddock.Engine.Adapters;
using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>
/// One pre-norm block: x += out(attention(norm x)); x += down(activation(gateUp(norm x))). Forward and backward are written out; the
/// last block goes on after attention with the wanted rows only.
/// </summary>
internal sealed unsafe class TransformerBlock
{
    private readonly ModelConfig _config;
    private readonly NormLayer _attentionNorm, _mlpNorm;
    private readonly bool _isFirst, _isFrozen;
    private readonly float _scale;

    public TransformerBlock(ModelWeights weights, LoraAdapters? adapters, int index)
    {
        _config = weights.Config;
        LayerParameters layer = weights.Layout.Layers[index];
        (_isFirst, _isFrozen) = (index == 0, adapters != null);
        _attentionNorm = new(weights, layer.AttentionNorm, layer.AttentionNormBias);
        _mlpNorm = new(weights, layer.MlpNorm, layer.MlpNormBias);
        Qkv = new(weights, layer.Qkv, layer.QkvBias, adapters?.Of(layer.Qkv));
        Out = new(weights, layer.Out, layer.OutBias, adapters?.Of(layer.Out));
        GateUp = new(weights, layer.GateUp, layer.GateUpBias, adapters?.Of(layer.GateUp));
        Down = new(weights, layer.Down, layer.DownBias, adapters?.Of(layer.Down));
        _scale = (float)(1 / Math.Sqrt(_config.HeadSize));
    }

    public Projection Qkv { get; }

    public Projection Out { get; }

    public Projection GateUp { get; }

    public Projection Down { get; }

    /// <summary>H.</summary>
    public int HeadCount => _config.HeadCount;

    private int HiddenSize => _config.HiddenSize;

    /// <summary>Runs the block on a.Input and writes the new residual stream, [N, C] or [n, C] in the last block, to output.</summary>
    public void Forward(WorkerPool pool, Chunk chunk, in BlockActivations a, RotaryTable? rotary, float* output)
    {
        int rows = chunk.Rows;
        _attentionNorm.Forward(pool, rows, a.Input, a.Normed, a.Mean, a.Rstd);
        Qkv.Forward(pool, rows, a.Normed, a.Qkv, false, a.QkvAdapters);
        if (rotary != null)
            Rotate(pool, chunk, a.Qkv, rotary, inverse: false);
        Attention.Forward(pool, chunk.Sequences, chunk.Offsets, HeadCount, _config.KeyValueHeadCount, _config.HeadSize, a.Qkv, Qkv.Out, _scale, a.Attended, a.LogSumExp);

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
        Out.Forward(pool, after, a.Gathered, a.Middle, true, a.OutAdapters);

        _mlpNorm.Forward(pool, after, a.Middle, a.MiddleNormed, a.MiddleMean, a.MiddleRstd);
        GateUp.Forward(pool, after, a.MiddleNormed, a.GateUp, false, a.GateUpAdapters);
        if (_config.Activation == ActivationKind.SiluGated)
            SwiGlu.Forward(pool, after, Down.In, a.GateUp, a.Activated);
        else
            Gelu.Forward(pool, checked(after * Down.In), a.GateUp, a.Activated);
        Vectors.Copy(pool, (long)after * HiddenSize, a.Middle, output);
        Down.Forward(pool, after, a.Activated, output, true, a.DownAdapters);
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
        Down.Backward(pool, after, a.Activated, stream, a.DownAdapters, s.Adapters, s.Activated, in gradients);
        if (_config.Activation == ActivationKind.SiluGated)
            SwiGlu.Backward(pool, after, Down.In, a.GateUp, s.Activated, s.GateUp);
        else
            Gelu.Backward(pool, checked(after * Down.In), a.GateUp, s.Activated, s.GateUp);
        GateUp.Backward(pool, after, a.MiddleNormed, s.GateUp, a.GateUpAdapters, s.Adapters, s.Normed, in gradients);
        _mlpNorm.Backward(pool, after, s.Normed, a.Middle, a.MiddleMean, a.MiddleRstd, stream, true, in gradients);

        bool inputWanted = !(_isFirst && _isFrozen), attentionWanted = inputWanted || Qkv.AdapterWidth > 0;
        Out.Backward(pool, after, a.Gathered, stream, a.OutAdapters, s.Adapters, !attentionWanted ? null : gathered ? s.Gathered : s.Attended, in gradients);
        if (!attentionWanted)
            return;
        if (gathered)
        {
            Scatter(chunk, Out.In, s.Gathered, s.Attended);
            Scatter(chunk, HiddenSize, s.WantedStream, s.Stream);
        }
        Attention.Backward(pool, chunk.Sequences, chunk.Offsets, HeadCount, _config.KeyValueHeadCount, _config.HeadSize, a.Qkv, Qkv.Out, _scale, a.Attended, a.LogSumExp,
            s.Attended, s.Qkv, Qkv.Out);
        if (rotary != null)
            Rotate(pool, chunk, s.Qkv, rotary, inverse: true);
        Qkv.Backward(pool, rows, a.Normed, s.Qkv, a.QkvAdapters, s.Adapters, inputWanted ? s.Normed : null, in gradients);
        if (inputWanted)
            _attentionNorm.Backward(pool, rows, s.Normed, a.Input, a.Mean, a.Rstd, s.Stream, true, in gradients);
    }

    // queries and keys lie side by side, so one call turns both
    private void Rotate(WorkerPool pool, Chunk chunk, float* qkv, RotaryTable rotary, bool inverse) =>
        Rope.Apply(pool, chunk.Rows, HeadCount + _config.KeyValueHeadCount, _config.HeadSize, qkv, Qkv.Out, chunk.Positions, rotary.Cosines, rotary.Sines, inverse);

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
