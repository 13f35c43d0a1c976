using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>RMSNorm or LayerNorm with its parameters; the mean is unused by the former.</summary>
internal sealed unsafe class NormLayer(ModelWeights weights, Parameter scale, Parameter? bias)
{
    private readonly float* _scale = weights.Pointer(scale), _bias = weights.Pointer(bias);
    private readonly float _epsilon = weights.Config.NormEpsilon;

    /// <summary>x, y [rows, C]; mean, rstd [rows] are kept for the backward pass.</summary>
    public void Forward(WorkerPool pool, int rows, float* x, float* y, float* mean, float* rstd)
    {
        if (bias == null)
            RmsNorm.Forward(pool, rows, scale.Rows, x, _scale, _epsilon, y, rstd);
        else
            LayerNorm.Forward(pool, rows, scale.Rows, x, _scale, _bias, _epsilon, y, mean, rstd);
    }

    /// <summary>dx [rows, C] is added to or overwritten; the gradients of the parameters are added when the weights are trained.</summary>
    public void Backward(WorkerPool pool, int rows, float* dy, float* x, float* mean, float* rstd, float* dx, bool accumulate, in GradientBuffers gradients)
    {
        float* dScale = gradients.Weights == null ? null : gradients.Weights + scale.Offset;
        if (bias == null)
            RmsNorm.Backward(pool, rows, scale.Rows, dy, x, _scale, rstd, dx, accumulate, dScale);
        else
            LayerNorm.Backward(pool, rows, scale.Rows, dy, x, _scale, mean, rstd, dx, accumulate, dScale, dScale == null ? null : gradients.Weights + bias.Offset);
    }
}
