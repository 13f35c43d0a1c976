using System.Numerics.Tensors;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Sampling;

/// <summary>Mixtures of experts over packed weights: each expert once for all rows that chose it. A row's result does not depend on the others.</summary>
internal sealed unsafe class CachedExperts : IDisposable
{
    private readonly SamplerWeights _weights;
    private readonly WorkerPool _pool;
    private readonly ExpertMixture _mixture;
    private readonly ActivationKind _activation;
    private readonly int _width, _innerWidth;
    private readonly NativeBuffer _memory;
    private readonly ExpertChoices _choices;
    private readonly float* _inputs, _outputs, _inner, _activated;

    public CachedExperts(SamplerWeights weights, WorkerPool pool, int maxRows)
    {
        ModelConfig config = weights.Config;
        (_weights, _pool, _mixture, _activation, _width) = (weights, pool, config.Experts!, config.Activation, config.HiddenSize);
        _innerWidth = config.IsGated ? 2 * _mixture.FeedForwardSize : _mixture.FeedForwardSize;
        Carver count = new(null);
        Carve(ref count, maxRows);
        _memory = new(count.Used);
        Carver carver = new(_memory.Pointer);
        Places places = Carve(ref carver, maxRows);
        _choices = places.Choices;
        _inputs = places.Inputs;
        _outputs = places.Outputs;
        _inner = places.Inner;
        _activated = places.Activated;
    }

    /// <summary>y += the experts of a layer on x; both are [rows, C].</summary>
    public void Run(LayerParameters layer, int rows, float* x, float* y)
    {
        (int C, int K, int F) = (_width, _mixture.PerToken, _mixture.FeedForwardSize);
        Multiply(rows, layer.Router!, null, x, _choices.Probabilities);
        ExpertRouting.Choose(_mixture, rows, in _choices);
        for (int c = 0; c < rows * K; c++)
            Row(x, c / K).CopyTo(Row(_inputs, _choices.Places[c]));
        for (int e = 0; e < _mixture.Count; e++)
        {
            long start = _choices.Starts[e];
            int count = _choices.Starts[e + 1] - _choices.Starts[e];
            if (count == 0)
                continue;
            MlpParameters expert = layer.Mlps[e];
            Multiply(count, expert.GateUp, expert.GateUpBias, _inputs + start * C, _inner + start * _innerWidth);
            MlpActivation.Forward(_activation, _pool, count, F, _inner + start * _innerWidth, _activated + start * F);
            Multiply(count, expert.Down, expert.DownBias, _activated + start * F, _outputs + start * C);
        }
        for (int c = 0; c < rows * K; c++)
            TensorPrimitives.MultiplyAdd(Row(_outputs, _choices.Places[c]), _choices.Weights[c], Row(y, c / K), Row(y, c / K));
    }

    public void Dispose() => _memory.Dispose();

    private void Multiply(int rows, Parameter matrix, Parameter? bias, float* x, float* y)
    {
        DecodeMatrix w = _weights.Matrix(matrix);
        DecodeMatMul.Run(_pool, rows, w, x, w.K, y, w.N, _weights.Vector(bias), accumulate: false);
    }

    private Span<float> Row(float* rows, long index) => new(rows + index * _width, _width);

    private Places Carve(ref Carver carver, long rows) => new()
    {
        Choices = ExpertChoices.Carve(ref carver, _mixture, rows),
        Inputs = carver.Take(rows * _mixture.PerToken * _width),
        Outputs = carver.Take(rows * _mixture.PerToken * _width),
        Inner = carver.Take(rows * _mixture.PerToken * _innerWidth),
        Activated = carver.Take(rows * _mixture.PerToken * _mixture.FeedForwardSize),
    };

    private struct Places
    {
        public ExpertChoices Choices;
        public float* Inputs, Outputs, Inner, Activated;
    }
}
