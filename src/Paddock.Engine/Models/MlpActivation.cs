using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>The kernels of each <see cref="ActivationKind"/>.</summary>
internal static unsafe class MlpActivation
{
    /// <summary>inner [rows, 2F] (or [rows, F] without a gate) to activated [rows, F].</summary>
    public static void Forward(ActivationKind kind, WorkerPool pool, int rows, int F, float* inner, float* activated)
    {
        switch (kind)
        {
            case ActivationKind.SiluGated:
                SwiGlu.Forward(pool, rows, F, inner, activated);
                break;
            case ActivationKind.GeluTanh:
                Gelu.Forward(pool, checked(rows * F), inner, activated);
                break;
            case ActivationKind.GeluTanhGated:
                Activation<TanhGeluActivation>.GatedForward(pool, rows, F, inner, activated);
                break;
            case ActivationKind.Gelu:
                Activation<ExactGeluActivation>.Forward(pool, checked(rows * F), inner, activated);
                break;
            default:
                Activation<ReluActivation>.Forward(pool, checked(rows * F), inner, activated);
                break;
        }
    }

    /// <summary>The gradient of activated to that of inner, which is overwritten.</summary>
    public static void Backward(ActivationKind kind, WorkerPool pool, int rows, int F, float* inner, float* dActivated, float* dInner)
    {
        switch (kind)
        {
            case ActivationKind.SiluGated:
                SwiGlu.Backward(pool, rows, F, inner, dActivated, dInner);
                break;
            case ActivationKind.GeluTanh:
                Gelu.Backward(pool, checked(rows * F), inner, dActivated, dInner);
                break;
            case ActivationKind.GeluTanhGated:
                Activation<TanhGeluActivation>.GatedBackward(pool, rows, F, inner, dActivated, dInner);
                break;
            case ActivationKind.Gelu:
                Activation<ExactGeluActivation>.Backward(pool, checked(rows * F), inner, dActivated, dInner);
                break;
            default:
                Activation<ReluActivation>.Backward(pool, checked(rows * F), inner, dActivated, dInner);
                break;
        }
    }
}
