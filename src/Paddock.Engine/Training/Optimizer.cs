using Paddock.Engine.Checkpoints;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Training;

/// <summary>
/// AdamW over one flat buffer. Gradients appear with the first backward pass and moments with the first step, so a model that is only
/// read costs its weights alone.
/// </summary>
internal sealed unsafe class Optimizer : IDisposable
{
    // as the reference recipe: keeps the clip factor defined at a zero norm
    private const double ClipEpsilon = 1e-6;

    // a step count is stored as fp32, which is exact up to here
    private const long MaxSteps = 1 << 24;

    private readonly NativeBuffer _values;
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly long _decayed;
    private NativeBuffer? _gradients, _first, _second;

    /// <param name="values">What is trained: matrices first, as <see cref="LayoutBuilder"/> lays them.</param>
    public Optimizer(NativeBuffer values, IReadOnlyList<Parameter> parameters)
    {
        (_values, _parameters) = (values, parameters);
        _decayed = values.Length;
        foreach (Parameter parameter in parameters)
            if (parameter.Dimensions == 1)
                _decayed = Math.Min(_decayed, parameter.Offset);
    }

    /// <summary>Steps taken.</summary>
    public long Steps { get; private set; }

    /// <summary>Gathered gradients, in the layout of the values; zero on first use.</summary>
    public NativeBuffer Gradients => _gradients ??= new(_values.Length);

    public void ZeroGradients() => _gradients?.Clear();

    /// <summary>Clips, updates and clears the gradients. Returns their norm before clipping.</summary>
    /// <exception cref="BadInputException">The norm is not finite; nothing was changed.</exception>
    public double Step(WorkerPool pool, in AdamSettings settings)
    {
        settings.Check();
        NativeBuffer gradients = Gradients;
        double norm = Math.Sqrt(Vectors.SumOfSquares(pool, gradients.Length, gradients.Pointer));
        if (!double.IsFinite(norm))
            throw new BadInputException($"the gradient is not finite at optimizer step {Steps + 1}; the weights were left as they were. Lower the learning rate or check the loss");
        (_first, _second) = (_first ?? new(_values.Length), _second ?? new(_values.Length));
        Steps++;
        double scale = settings.ClipNorm > 0 ? Math.Min(1, settings.ClipNorm / (norm + ClipEpsilon)) : 1;
        AdamWStep step = new((float)settings.LearningRate, (float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon, (float)settings.WeightDecay,
            (float)(1 - Math.Pow(settings.Beta1, Steps)), (float)(1 - Math.Pow(settings.Beta2, Steps)), (float)scale);
        Run(pool, 0, _decayed, in step);
        AdamWStep plain = step with { Decay = 0 };
        Run(pool, _decayed, _values.Length - _decayed, in plain);
        return norm;
    }

    /// <summary>Moments and step count as tensors <c>m.NAME</c>, <c>v.NAME</c> and <c>step</c>; empty before the first step.</summary>
    public IEnumerable<ExportTensor> Export()
    {
        if (_first == null || _second == null)
            yield break;
        yield return new("step", [1], destination => destination[0] = Steps);
        foreach (Parameter parameter in _parameters)
        {
            yield return Map("m.", parameter).Export(_first);
            yield return Map("v.", parameter).Export(_second);
        }
    }

    /// <summary>Reads what <see cref="Export"/> gave; a source without tensors means no step was taken. Gradients are cleared.</summary>
    public void Load(IWeightSource source)
    {
        ZeroGradients();
        if (source.Tensors.Count == 0)
        {
            _first?.Clear();
            _second?.Clear();
            Steps = 0;
            return;
        }
        foreach (Parameter parameter in _parameters)
        {
            Map("m.", parameter).Check(source, "m." + parameter.Name);
            Map("v.", parameter).Check(source, "v." + parameter.Name);
        }
        if (!source.Tensors.TryGetValue("step", out TensorInfo? info) || info.Count != 1)
            throw new BadInputException($"{source.Place}: tensor 'step' of one value is missing; this is not an optimizer state");
        float[] step = new float[1];
        source.Read("step", step);
        if (!(step[0] >= 0 && step[0] <= MaxSteps && step[0] == MathF.Floor(step[0])))
            throw new BadInputException($"{source.Place}: tensor 'step' holds {step[0]}; it is a whole number of steps, 0 to {MaxSteps}");
        (_first, _second) = (_first ?? new(_values.Length), _second ?? new(_values.Length));
        foreach (Parameter parameter in _parameters)
        {
            Map("m.", parameter).Read(source, "m." + parameter.Name, _first);
            Map("v.", parameter).Read(source, "v." + parameter.Name, _second);
        }
        Steps = (long)step[0];
    }

    public void Dispose()
    {
        _gradients?.Dispose();
        _first?.Dispose();
        _second?.Dispose();
    }

    private static TensorMap Map(string prefix, Parameter parameter) => new(prefix + parameter.Name, parameter);

    private void Run(WorkerPool pool, long start, long count, in AdamWStep step)
    {
        if (count > 0)
            AdamW.Step(pool, count, _values.Pointer + start, Gradients.Pointer + start, _first!.Pointer + start, _second!.Pointer + start, in step);
    }
}
