using Paddock.Engine.Adapters;
using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>A matrix of the model with its bias and its adapters: y = x W^T + b + adapters.</summary>
internal sealed unsafe class Projection(ModelWeights weights, Parameter matrix, Parameter? bias, LoraGroup? adapters)
{
    private readonly float* _w = weights.Pointer(matrix), _b = weights.Pointer(bias);

    /// <summary>Width of the input.</summary>
    public int In => matrix.Columns;

    /// <summary>Width of the output.</summary>
    public int Out => matrix.Rows;

    /// <summary>Width of what the adapters keep per row, 0 without any.</summary>
    public int AdapterWidth => adapters?.Width ?? 0;

    /// <summary>y [rows, Out] = (or +=) the projection of x [rows, In]; u [rows, AdapterWidth] is kept for the backward pass.</summary>
    public void Forward(WorkerPool pool, int rows, float* x, float* y, bool accumulate, float* u)
    {
        MatMul.NT(pool, rows, Out, In, x, In, _w, In, y, Out, accumulate);
        if (_b != null)
            Bias.Add(pool, rows, Out, y, Out, _b);
        adapters?.Forward(pool, rows, x, y, Out, u);
    }

    /// <summary>Adds the gradients of what is trained; dx [rows, In] is overwritten, or null when not wanted.</summary>
    /// <param name="du">Scratch, [rows, AdapterWidth].</param>
    public void Backward(WorkerPool pool, int rows, float* x, float* dy, float* u, float* du, float* dx, in GradientBuffers gradients)
    {
        if (dx != null)
            MatMul.NN(pool, rows, In, Out, dy, Out, _w, In, dx, In, false);
        if (gradients.Weights != null)
        {
            MatMul.TN(pool, Out, In, rows, dy, Out, x, In, gradients.Weights + matrix.Offset, In, true);
            if (bias != null)
                Bias.Backward(pool, rows, Out, dy, Out, gradients.Weights + bias.Offset);
        }
        adapters?.Backward(pool, rows, x, dy, Out, u, du, dx, gradients.Adapters);
    }
}

/// <summary>Where gradients are gathered: exactly one of the two is there.</summary>
internal readonly unsafe struct GradientBuffers(float* weights, float* adapters)
{
    /// <summary>In the layout of the weights, or null when they are frozen.</summary>
    public float* Weights => weights;

    /// <summary>In the layout of the adapters, or null without any.</summary>
    public float* Adapters => adapters;
}
