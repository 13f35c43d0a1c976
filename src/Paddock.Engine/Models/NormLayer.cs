using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>RMSNorm or LayerNorm with its parameters; the mean is unused by the former.</summary>
internal sealed unsafe class NormLayer(ModelWeights weights, Parameter scale, Parameter? bias)
{
    private readonly NormScale _scale = new(weights, scale);
    private readonly float* _bias = weights.Pointer(bias);
    private readonly float _epsilon = weights.Config.NormEpsilon;

    /// <summary>x, y [rows, C]; mean, rstd [rows] are kept for the backward pass.</summary>
    public void Forward(WorkerPool pool, int rows, float* x, float* y, float* mean, float* rstd)
    {
        if (bias == null)
            RmsNorm.Forward(pool, rows, scale.Rows, x, _scale.Current, _epsilon, y, rstd);
        else
            LayerNorm.Forward(pool, rows, scale.Rows, x, _scale.Current, _bias, _epsilon, y, mean, rstd);
    }

    /// <summary>dx [rows, C] is added to or overwritten; the gradients of the parameters are added when the weights are trained.</summary>
    public void Backward(WorkerPool pool, int rows, float* dy, float* x, float* mean, float* rstd, float* dx, bool accumulate, in GradientBuffers gradients)
    {
        float* dScale = gradients.Weights == null ? null : gradients.Weights + scale.Offset;
        if (bias == null)
            RmsNorm.Backward(pool, rows, scale.Rows, dy, x, _scale.Current, rstd, dx, accumulate, dScale);
        else
            LayerNorm.Backward(pool, rows, scale.Rows, dy, x, _scale.Current, mean, rstd, dx, accumulate, dScale, dScale == null ? null : gradients.Weights + bias.Offset);
    }
}

/// <summary>The scale of a norm as kernels take it: the weights themselves, or 1 + weight.</summary>
internal sealed unsafe class NormScale
{
    private readonly float* _weights;
    private readonly float[]? _sums;

    public NormScale(ModelWeights weights, Parameter scale)
    {
        _weights = weights.Pointer(scale);
        if (weights.Config.NormsAddOne)
            _sums = GC.AllocateArray<float>(scale.Rows, pinned: true);
    }

    /// <summary>Valid until the next optimizer step.</summary>
    public float* Current
    {
        get
        {
            if (_sums == null)
                return _weights;
            for (int i = 0; i < _sums.Length; i++)
                _sums[i] = 1 + _weights[i];
            return (float*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _sums[0]); // pinned
        }
    }
}
