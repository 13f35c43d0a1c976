namespace Paddock.Evaluation;

/// <summary>Student's t with whole degrees of freedom, by the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4.</summary>
public static class StudentT
{
    /// <summary>P(T at most t).</summary>
    public static double Cdf(double t, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degrees);
        double theta = Math.Atan(t / Math.Sqrt(degrees)), cos = Math.Cos(theta), sin = Math.Sin(theta);
        double term = degrees % 2 == 1 ? cos : 1, sum = degrees == 1 ? 0 : term;
        for (int k = degrees % 2 == 1 ? 3 : 2; k < degrees; k += 2)
        {
            term *= cos * cos * (k - 1) / k;
            sum += term;
        }
        double middle = degrees % 2 == 1 ? 2 / Math.PI * (theta + sin * sum) : sin * sum;
        return 0.5 + 0.5 * middle;
    }

    /// <summary>t with Cdf(t) = p, for p inside (0, 1), by bisection to the last bits.</summary>
    public static double Quantile(double p, int degrees)
    {
        if (p is not (> 0 and < 1))
            return p == 0 ? double.NegativeInfinity : p == 1 ? double.PositiveInfinity : double.NaN;
        if (p < 0.5)
            return -Quantile(1 - p, degrees);
        double low = 0, high = 1;
        while (Cdf(high, degrees) < p && high < 1e12)
            high *= 2;
        for (int step = 0; step < 200; step++)
        {
            double middle = 0.5 * (low + high);
            if (middle <= low || middle >= high)
                break;
            if (Cdf(middle, degrees) < p)
                low = middle;
            else
                high = middle;
        }
        return 0.5 * (low + high);
    }
}
