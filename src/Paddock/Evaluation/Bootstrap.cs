using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>A statistic of resampled units: the indices say which rows, with repeats.</summary>
public delegate double ResampledStatistic(ReadOnlySpan<int> indices);

/// <summary>
/// Bootstrap intervals (Efron 1987). What is resampled are independent units, prompts as a rule: a statistic of rows must take all rows of
/// each prompt drawn. Resample b draws from its own stream, so the same seed gives the same interval.
/// </summary>
public static class Bootstrap
{
    /// <summary>Resamples used unless another number is asked for.</summary>
    public const int DefaultResamples = 2000;

    /// <summary>Ends at the 2.5 % and 97.5 % quantiles of the resampled statistic.</summary>
    public static Interval Percentile(int units, ResampledStatistic statistic, RandomStream stream, int resamples = DefaultResamples)
    {
        (double estimate, double[] draws) = Draw(units, statistic, stream, resamples);
        return OfSorted(estimate, draws, units);
    }

    /// <summary>
    /// Bias-corrected and accelerated: the quantiles are shifted by the share of resamples below the estimate and by the skewness of the
    /// jackknife. Costs <paramref name="units"/> further evaluations.
    /// </summary>
    public static Interval BiasCorrected(int units, ResampledStatistic statistic, RandomStream stream, int resamples = DefaultResamples)
    {
        (double estimate, double[] draws) = Draw(units, statistic, stream, resamples);
        double below = 0;
        foreach (double draw in draws)
            below += draw < estimate ? 1 : draw == estimate ? 0.5 : 0;
        double correction = Gaussian.Quantile(below / draws.Length), acceleration = Acceleration(units, statistic);
        return new(estimate, Math.Sqrt(Moments.Variance(draws)), units, Quantile(draws, Level(-Gaussian.Z95)), Quantile(draws, Level(Gaussian.Z95)), "BCa");

        double Level(double z)
        {
            double shifted = correction + z;
            return Gaussian.Cdf(correction + shifted / (1 - acceleration * shifted));
        }
    }

    /// <summary>Percentile interval from resampled estimates that were made elsewhere.</summary>
    /// <param name="draws">At least two, in any order; sorted in place.</param>
    public static Interval OfDraws(double estimate, double[] draws, int units)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws.Length, 2);
        Array.Sort(draws);
        return OfSorted(estimate, draws, units);
    }

    /// <summary>BCa interval of a plain mean over units.</summary>
    public static Interval OfMean(ReadOnlyMemory<double> values, RandomStream stream, int resamples = DefaultResamples) =>
        BiasCorrected(values.Length, indices =>
        {
            ReadOnlySpan<double> span = values.Span;
            double sum = 0;
            foreach (int i in indices)
                sum += span[i];
            return sum / indices.Length;
        }, stream, resamples);

    private static Interval OfSorted(double estimate, double[] draws, int units) =>
        new(estimate, Math.Sqrt(Moments.Variance(draws)), units, Quantile(draws, 0.025), Quantile(draws, 0.975), "percentile");

    private static (double Estimate, double[] Draws) Draw(int units, ResampledStatistic statistic, RandomStream stream, int resamples)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 2);
        int[] indices = new int[units];
        for (int i = 0; i < units; i++)
            indices[i] = i;
        double estimate = statistic(indices);
        double[] draws = new double[resamples];
        for (int b = 0; b < resamples; b++)
        {
            RandomStream own = stream.Split((ulong)b);
            for (int i = 0; i < units; i++)
                indices[i] = own.NextInt(units);
            draws[b] = statistic(indices);
        }
        Array.Sort(draws); // NaN sorts first, and a resample without a value leaves the interval without one
        return (estimate, draws);
    }

    // skewness of the jackknife, sum d^3 / (6 (sum d^2)^1.5)
    private static double Acceleration(int units, ResampledStatistic statistic)
    {
        if (units < 2)
            return 0;
        int[] indices = new int[units - 1];
        double[] left = new double[units];
        for (int omitted = 0; omitted < units; omitted++)
        {
            for (int i = 0; i < indices.Length; i++)
                indices[i] = i < omitted ? i : i + 1;
            left[omitted] = statistic(indices);
        }
        double mean = Moments.Mean(left), squares = 0, cubes = 0;
        foreach (double value in left)
        {
            double d = mean - value;
            squares += d * d;
            cubes += d * d * d;
        }
        return squares == 0 ? 0 : cubes / (6 * Math.Pow(squares, 1.5));
    }

    // linear between order statistics (type 7 of Hyndman and Fan 1996)
    private static double Quantile(double[] sorted, double p)
    {
        if (double.IsNaN(sorted[0]) || double.IsNaN(p))
            return double.NaN;
        double position = p * (sorted.Length - 1);
        int i = Math.Min((int)position, sorted.Length - 2);
        return sorted[i] + (position - i) * (sorted[i + 1] - sorted[i]);
    }
}
