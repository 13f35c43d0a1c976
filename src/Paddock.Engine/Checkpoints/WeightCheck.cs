using System.Numerics.Tensors;

namespace Paddock.Engine.Checkpoints;

/// <summary>Weights that are not numbers load without complaint and ruin a run much later; whoever loads weights asks here first.</summary>
public static class WeightCheck
{
    /// <summary>Throws an error that names the tensor and how many of its values are NaN or infinite, if any is.</summary>
    /// <param name="place">The file, as in <see cref="IWeightSource.Place"/>.</param>
    public static void CheckFinite(string place, string tensor, ReadOnlySpan<float> values)
    {
        if (values.IsEmpty || TensorPrimitives.IsFiniteAll(values)) // of nothing, IsFiniteAll is false
            return;
        long bad = 0;
        foreach (float value in values)
            if (!float.IsFinite(value))
                bad++;
        throw new BadInputException($"{place}: tensor '{JsonInput.Short(tensor)}' has {bad} of {values.Length} values that are NaN or infinite; the checkpoint is damaged or its training diverged");
    }
}
