using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// GGUF files of Llama 3.1 and later store the result of the llama3 frequency scaling, a divisor per frequency, in place of its four
/// parameters. The published models differ in the factor alone (low 1, high 4, original length 8192), so the parameters are found by
/// reading the factor off the slowest frequency and checking that all divisors follow.
/// </summary>
internal static class GgufRope
{
    private const string Divisors = "rope_freqs.weight";

    public static bool Owns(string tensor) => tensor == Divisors;

    /// <summary>Null when the file has no divisors.</summary>
    public static RopeScaling? Scaling(GgufFile file, ModelConfig config)
    {
        if (!file.Tensors.TryGetValue(Divisors, out TensorInfo? tensor))
            return null;
        int half = config.HeadSize / 2;
        if (tensor.Count != half || tensor.Shape.Count != 1)
            throw new BadInputException($"{file.Place}: {Divisors} must have {half} values, one per rotary frequency, but has {tensor.Count}");
        float[] divisors = new float[half];
        file.ReadRows(Divisors, 0, divisors);
        RopeScaling scaling = new(divisors[^1], 1, 4, 8192);
        for (int j = 0; j < half; j++)
            if (!(Math.Abs(divisors[j] - Divisor(scaling, config, j)) <= 1e-4 * divisors[j]))
                throw new BadInputException($"{file.Place}: {Divisors} is not the scaling of a published Llama 3 model; use the Hugging Face folder");
        return scaling;
    }

    /// <summary>Unscaled frequency over scaled frequency, by transformers' rule for <c>rope_type</c> llama3.</summary>
    internal static double Divisor(RopeScaling scaling, ModelConfig config, int j)
    {
        double frequency = Math.Pow(config.RopeTheta, -2.0 * j / config.HeadSize), turns = scaling.OriginalMaxPositions * frequency / (2 * Math.PI);
        if (turns < scaling.LowFrequencyFactor)
            return scaling.Factor;
        if (turns > scaling.HighFrequencyFactor)
            return 1;
        double smooth = (turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return 1 / ((1 - smooth) / scaling.Factor + smooth);
    }
}
