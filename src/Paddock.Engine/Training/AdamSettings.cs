namespace Paddock.Engine.Training;

/// <summary>
/// One AdamW step with decoupled decay (Loshchilov and Hutter 2019, arXiv 1711.05101). Decay touches tensors of two or more dimensions.
/// </summary>
/// <param name="ClipNorm">Global L2 norm that gradients are scaled down to; 0 is off.</param>
public readonly record struct AdamSettings(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, double ClipNorm = 1.0)
{
    /// <summary>Throws when a number is out of range.</summary>
    public void Check()
    {
        Require(double.IsFinite(LearningRate) && LearningRate >= 0, "learning rate", LearningRate, "0 or more");
        Require(Beta1 is >= 0 and < 1, "beta1", Beta1, "at least 0 and below 1");
        Require(Beta2 is >= 0 and < 1, "beta2", Beta2, "at least 0 and below 1");
        // an epsilon that vanishes in fp32 would divide zero by zero where a gradient is zero
        Require(double.IsFinite(Epsilon) && (float)Epsilon > 0, "epsilon", Epsilon, "positive");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "weight decay", WeightDecay, "0 or more");
        Require(double.IsFinite(ClipNorm) && ClipNorm >= 0, "clip norm", ClipNorm, "0 (off) or more");
    }

    private static void Require(bool met, string what, double value, string range)
    {
        if (!met)
            throw new BadInputException($"adam: {what} {value} is out of range; it is {range}");
    }
}
