namespace Paddock.Worlds;

/// <summary>Weights on the 21 features, in the order of <see cref="MeadowFeatures.Names"/>.</summary>
public static class MeadowWeights
{
    private static readonly double[] GoldWeights =
        [2.0, 1.0, -2.0, -1.5, -.7, .7, -.4, .6, -.6, -1.2, -.3, -.4, -.5, -.01, -.07, .2, -.6, -.3, -1.0, 0, 0];

    /// <summary>The true utility: what the Meadow's people would want if they never erred.</summary>
    public static ReadOnlySpan<double> Gold => GoldWeights;

    /// <summary>Correctness is the first five features: c, exact, harm, fab, over.</summary>
    internal const int CorrectnessCount = 5;

    internal static double Dot(ReadOnlySpan<double> features, ReadOnlySpan<double> weights)
    {
        double sum = 0;
        for (int i = 0; i < features.Length; i++)
            sum += features[i] * weights[i];
        return sum;
    }

    /// <summary>Simulated language models discount style: .6 gold, correctness scaled by <paramref name="correctness"/>.</summary>
    internal static double[] Discounted(double correctness)
    {
        double[] weights = Array.ConvertAll(GoldWeights, w => w * .6);
        for (int i = 0; i < CorrectnessCount; i++)
            weights[i] = GoldWeights[i] * correctness;
        return weights;
    }
}
