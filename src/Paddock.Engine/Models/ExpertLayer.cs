using System.Numerics.Tensors;
using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>What a mixture of experts keeps of m rows for its backward pass. K choices a row, in the order of their places.</summary>
internal unsafe struct ExpertActivations
{
    public ExpertChoices Choices;

    /// <summary>[m K, C].</summary>
    public float* Inputs, Outputs;

    /// <summary>[m K, 2F], or [m K, F] without a gate.</summary>
    public float* GateUp;

    /// <summary>[m K, F].</summary>
    public float* Activated;

    public static ExpertActivations Carve(ref Carver carver, ExpertLayer layer, long rows) => new()
    {
        Choices = ExpertChoices.Carve(ref carver, layer.Mixture, rows),
        Inputs = carver.Take(rows * layer.PerToken * layer.Width),
        Outputs = carver.Take(rows * layer.PerToken * layer.Width),
        GateUp = carver.Take(rows * layer.PerToken * layer.InnerWidth),
        Activated = carver.Take(rows * layer.PerToken * layer.Mixture.FeedForwardSize),
    };
}

/// <summary>
/// y += sum over the chosen experts of weight * down(activation(gateUp(x))). The choice itself has no gradient; the weights have one, which
/// reaches the router through its softmax.
/// </summary>
internal sealed unsafe class ExpertLayer
{
    private readonly ActivationKind _activation;
    private readonly Parameter _router;
    private readonly float* _routerWeights;
    private readonly Projection[] _gateUps, _downs;

    public ExpertLayer(ModelWeights weights, LayerParameters layer)
    {
        (Mixture, _activation, _router) = (weights.Config.Experts!, weights.Config.Activation, layer.Router!);
        _routerWeights = weights.Pointer(_router);
        _gateUps = new Projection[Mixture.Count];
        _downs = new Projection[Mixture.Count];
        for (int e = 0; e < Mixture.Count; e++)
        {
            MlpParameters expert = layer.Mlps[e];
            _gateUps[e] = new(weights, expert.GateUp, expert.GateUpBias, null);
            _downs[e] = new(weights, expert.Down, expert.DownBias, null);
        }
    }

    public ExpertMixture Mixture { get; }

    public int PerToken => Mixture.PerToken;

    /// <summary>C.</summary>
    public int Width => _router.Columns;

    /// <summary>Width of gates and ups.</summary>
    public int InnerWidth => _gateUps[0].Out;

    /// <summary>Floats of scratch that <see cref="Backward"/> needs.</summary>
    public long ScratchFloats(long rows)
    {
        Carver carver = new(null);
        Scratch.Carve(ref carver, this, rows);
        return carver.Used;
    }

    /// <summary>x and y are [rows, C].</summary>
    public void Forward(WorkerPool pool, int rows, float* x, float* y, in ExpertActivations a)
    {
        (int C, int E, int K) = (Width, Mixture.Count, PerToken);
        MatMul.NT(pool, rows, E, C, x, C, _routerWeights, C, a.Choices.Probabilities, E, false);
        ExpertRouting.Choose(Mixture, rows, in a.Choices);
        for (long c = 0; c < (long)rows * K; c++)
            Row(x, c / K).CopyTo(Row(a.Inputs, a.Choices.Places[c]));
        for (int e = 0; e < E; e++)
        {
            (long start, int count) = Places(in a.Choices, e);
            _gateUps[e].Forward(pool, count, a.Inputs + start * C, a.GateUp + start * InnerWidth, false, null);
        }
        MlpActivation.Forward(_activation, pool, rows * K, Mixture.FeedForwardSize, a.GateUp, a.Activated);
        for (int e = 0; e < E; e++)
        {
            (long start, int count) = Places(in a.Choices, e);
            _downs[e].Forward(pool, count, a.Activated + start * Mixture.FeedForwardSize, a.Outputs + start * C, false, null);
        }
        for (long c = 0; c < (long)rows * K; c++)
            TensorPrimitives.MultiplyAdd(Row(a.Outputs, a.Choices.Places[c]), a.Choices.Weights[c], Row(y, c / K), Row(y, c / K));
    }

    /// <summary>dx [rows, C] is overwritten by the gradient of x, given that of y.</summary>
    public void Backward(WorkerPool pool, int rows, float* x, float* dy, float* dx, in ExpertActivations a, float* scratch, in GradientBuffers gradients)
    {
        (int C, int E, int K, int F) = (Width, Mixture.Count, PerToken, Mixture.FeedForwardSize);
        Carver carver = new(scratch);
        Scratch s = Scratch.Carve(ref carver, this, rows);
        for (long c = 0; c < (long)rows * K; c++)
            TensorPrimitives.Multiply(Row(dy, c / K), a.Choices.Weights[c], Row(s.Outputs, a.Choices.Places[c]));
        for (int e = 0; e < E; e++)
        {
            (long start, int count) = Places(in a.Choices, e);
            _downs[e].Backward(pool, count, a.Activated + start * F, s.Outputs + start * C, null, null, s.Activated + start * F, in gradients);
        }
        MlpActivation.Backward(_activation, pool, rows * K, F, a.GateUp, s.Activated, s.GateUp);
        for (int e = 0; e < E; e++)
        {
            (long start, int count) = Places(in a.Choices, e);
            _gateUps[e].Backward(pool, count, a.Inputs + start * C, s.GateUp + start * InnerWidth, null, null, s.Inputs + start * C, in gradients);
        }
        for (int r = 0; r < rows; r++)
            RouterGradient(in a, r, dy, s.Scores + (long)r * E);
        MatMul.NN(pool, rows, C, E, s.Scores, E, _routerWeights, C, dx, C, false);
        if (gradients.Weights != null)
            MatMul.TN(pool, E, C, rows, s.Scores, E, x, C, gradients.Weights + _router.Offset, C, true);
        for (long c = 0; c < (long)rows * K; c++)
            TensorPrimitives.Add(Row(dx, c / K), Row(s.Inputs, a.Choices.Places[c]), Row(dx, c / K));
    }

    // With g the gradient of a weight w: where the weights are a softmax of the chosen scores, d score = w (g - sum w g) for these alone;
    // where they are probabilities p of all experts, d score = p (g - sum p g) with g = 0 for those not chosen.
    private void RouterGradient(in ExpertActivations a, int r, float* dy, float* dScores)
    {
        int E = Mixture.Count, K = PerToken;
        float mean = 0;
        new Span<float>(dScores, E).Clear();
        for (long c = (long)r * K; c < (r + 1L) * K; c++)
        {
            float g = TensorPrimitives.Dot<float>(Row(dy, r), Row(a.Outputs, a.Choices.Places[c]));
            mean += a.Choices.Weights[c] * g;
            dScores[a.Choices.Experts[c]] = g;
        }
        if (!Mixture.Renormalise)
        {
            for (int e = 0; e < E; e++)
                dScores[e] = a.Choices.Probabilities[(long)r * E + e] * (dScores[e] - mean);
            return;
        }
        for (long c = (long)r * K; c < (r + 1L) * K; c++)
            dScores[a.Choices.Experts[c]] = a.Choices.Weights[c] * (dScores[a.Choices.Experts[c]] - mean);
    }

    private Span<float> Row(float* rows, long index) => new(rows + index * Width, Width);

    private static (long Start, int Count) Places(in ExpertChoices choices, int expert) => (choices.Starts[expert], choices.Starts[expert + 1] - choices.Starts[expert]);

    private struct Scratch
    {
        public float* Inputs, Outputs, GateUp, Activated, Scores;

        public static Scratch Carve(ref Carver carver, ExpertLayer layer, long rows) => new()
        {
            Inputs = carver.Take(rows * layer.PerToken * layer.Width),
            Outputs = carver.Take(rows * layer.PerToken * layer.Width),
            GateUp = carver.Take(rows * layer.PerToken * layer.InnerWidth),
            Activated = carver.Take(rows * layer.PerToken * layer.Mixture.FeedForwardSize),
            Scores = carver.Take(rows * layer.Mixture.Count),
        };
    }
}
