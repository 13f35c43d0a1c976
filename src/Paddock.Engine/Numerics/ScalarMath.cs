namespace Paddock.Engine.Numerics;

/// <summary>
/// Scalar functions in double that neither overflow nor cancel, written by branch. Natural logarithms throughout.
/// </summary>
public static class ScalarMath
{
    /// <summary>ln 2: what a pairwise logistic loss is where both answers score alike.</summary>
    public const double Ln2 = 0.6931471805599453;

    /// <summary>1 / (1 + e^-x).</summary>
    public static double Sigmoid(double x)
    {
        if (x >= 0)
            return 1.0 / (1.0 + Math.Exp(-x));
        double e = Math.Exp(x);
        return e / (1.0 + e);
    }

    /// <summary>log(1 / (1 + e^-x)) = min(x, 0) - log(1 + e^-|x|).</summary>
    public static double LogSigmoid(double x) => x >= 0 ? -Log1p(Math.Exp(-x)) : x - Log1p(Math.Exp(x));

    /// <summary>Sigmoid(x) * Sigmoid(-x), the derivative of the sigmoid.</summary>
    public static double SigmoidSlope(double x)
    {
        double e = Math.Exp(-Math.Abs(x)), one = 1.0 + e;
        return e / (one * one);
    }

    /// <summary>log(1 + e^x).</summary>
    public static double Softplus(double x) => -LogSigmoid(-x);

    /// <summary>log(1 + x) to full precision near 0 (Kahan's correction of the rounding in 1 + x).</summary>
    public static double Log1p(double x)
    {
        double u = 1.0 + x;
        if (u == 1.0)
            return x;
        return double.IsInfinity(u) ? u : Math.Log(u) * (x / (u - 1.0));
    }

    /// <summary>e^x - 1 to full precision near 0 (Kahan; Higham 2002, "Accuracy and stability of numerical algorithms", 1.14).</summary>
    public static double Expm1(double x)
    {
        double u = Math.Exp(x);
        if (u == 1.0)
            return x;
        double minusOne = u - 1.0;
        if (minusOne == -1.0)
            return -1.0;
        return double.IsInfinity(u) ? u : minusOne * (x / Math.Log(u));
    }

    /// <summary>
    /// log(1 - e^a) for a of 0 or less: log(-expm1(a)) above -ln 2, log1p(-e^a) below (Maechler 2012, "Accurately computing
    /// log(1 - exp(-|a|))"). 0 gives negative infinity; a positive argument NaN.
    /// </summary>
    public static double LogOneMinusExp(double a) => a > -Ln2 ? Math.Log(-Expm1(a)) : Log1p(-Math.Exp(a));

    /// <summary>log of the sum of e^x over <paramref name="values"/>; negative infinity for none.</summary>
    public static double LogSumExp(ReadOnlySpan<double> values)
    {
        double max = double.NegativeInfinity;
        foreach (double value in values)
            max = Math.Max(max, value);
        if (!double.IsFinite(max))
            return max;
        double sum = 0;
        foreach (double value in values)
            sum += Math.Exp(value - max);
        return max + Math.Log(sum);
    }

    /// <summary>log(odds) of a probability: log p - log(1 - p).</summary>
    public static double Logit(double p) => Math.Log(p) - Log1p(-p);
}
