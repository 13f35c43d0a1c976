namespace Paddock.Evaluation;

/// <summary>The standard normal distribution, to about 1e-15.</summary>
public static class Gaussian
{
    /// <summary>Quantile of 0.975: half width of a two-sided 95 % interval in standard errors.</summary>
    public const double Z95 = 1.959963984540054;

    /// <summary>P(Z at most x).</summary>
    public static double Cdf(double x) => x < 0 ? UpperTail(-x) : 1 - UpperTail(x);

    /// <summary>x with Cdf(x) = p; infinite at 0 and 1, NaN outside.</summary>
    public static double Quantile(double p)
    {
        if (p is not (> 0 and < 1))
            return p == 0 ? double.NegativeInfinity : p == 1 ? double.PositiveInfinity : double.NaN;
        if (p > 0.5)
            return -Quantile(1 - p);
        // start: Abramowitz and Stegun 26.2.23 (error below 4.5e-4); then Halley steps on the lower tail, which triple the digits
        double t = Math.Sqrt(-2 * Math.Log(p));
        double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
        for (int step = 0; step < 3; step++)
        {
            double u = (Cdf(x) - p) / Density(x);
            x -= u / (1 + x * u / 2);
        }
        return x;
    }

    private static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    // P(Z > x) for x of 0 or more: the series of Abramowitz and Stegun 26.2.11 near 0, the continued fraction 26.2.14 in the tail
    private static double UpperTail(double x)
    {
        if (x > 38.5)
            return 0;
        if (x < 3)
        {
            double term = x, sum = x;
            for (int k = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); k++)
            {
                term *= x * x / (2 * k + 1);
                sum += term;
            }
            return 0.5 - Density(x) * sum;
        }
        double fraction = x;
        for (int k = 200; k >= 1; k--)
            fraction = x + k / fraction;
        return Density(x) / fraction;
    }
}
