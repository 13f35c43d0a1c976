namespace Paddock.Evaluation;

/// <summary>
/// An estimate with its uncertainty; nothing is reported without one. Fractions, not percent. NaN where the data do not determine it
/// (no rows; a spread from one row).
/// </summary>
/// <param name="StandardError">Of the mean, from the sample standard deviation (ddof 1) unless the method says otherwise.</param>
/// <param name="N">Independent units behind it, usually prompts.</param>
/// <param name="Low">Lower end of the two-sided 95 % interval.</param>
/// <param name="Method">How the interval was made: normal, Wilson, clustered, percentile, BCa.</param>
/// <param name="Unit">What N counts.</param>
public sealed record Interval(double Mean, double StandardError, int N, double Low, double High, string Method, string Unit = "prompts")
{
    /// <summary>Mean and standard error of independent values, normal interval.</summary>
    public static Interval OfMean(ReadOnlySpan<double> values, string unit = "prompts") => Normal(Moments.Mean(values), Moments.StandardError(values), values.Length, "normal", unit);

    /// <summary>mean +- z se.</summary>
    public static Interval Normal(double mean, double standardError, int n, string method, string unit = "prompts") =>
        new(mean, standardError, n, mean - Gaussian.Z95 * standardError, mean + Gaussian.Z95 * standardError, method, unit);

    /// <summary>The ends moved into the range the quantity can take.</summary>
    public Interval Within(double low, double high) => this with { Low = Math.Max(Low, low), High = Math.Min(High, high) };
}

/// <summary>Mean and spread in two passes.</summary>
public static class Moments
{
    /// <summary>NaN for none.</summary>
    public static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values)
            sum += value;
        return values.IsEmpty ? double.NaN : sum / values.Length;
    }

    /// <summary>Sample variance (ddof 1); NaN for fewer than two values.</summary>
    public static double Variance(ReadOnlySpan<double> values)
    {
        if (values.Length < 2)
            return double.NaN;
        double mean = Mean(values), sum = 0;
        foreach (double value in values)
            sum += (value - mean) * (value - mean);
        return sum / (values.Length - 1);
    }

    /// <summary>sd / sqrt n.</summary>
    public static double StandardError(ReadOnlySpan<double> values) => Math.Sqrt(Variance(values) / values.Length);
}
