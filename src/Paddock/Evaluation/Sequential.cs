namespace Paddock.Evaluation;

/// <summary>
/// A comparison that may be looked at after every verdict, and stopped at any. Increments x are in [-1, 1] (a win 1, a loss -1, or the
/// difference of two scores), so they are 1-sub-Gaussian about their mean, and Robbins's normal mixture (1970; Howard et al. 2021, arXiv
/// 1810.08240, proposition 5) gives |mean_t - mu| at most sqrt((t + r) log((t + r) / (r alpha^2))) / t for all t at once with
/// probability 1 - alpha.
/// </summary>
/// <param name="Count">Verdicts so far, t.</param>
/// <param name="Sum">Of their increments.</param>
public readonly record struct SequentialTest(int Count, double Sum)
{
    /// <summary>Tunes the boundary: it is tightest about this many verdicts (times a small factor); any value is valid.</summary>
    public const double DefaultTuning = 300;

    /// <summary>One verdict more.</summary>
    public SequentialTest Add(double increment) => increment is >= -1 and <= 1
        ? new(Count + 1, Sum + increment)
        : throw new ArgumentOutOfRangeException(nameof(increment), increment, "an increment is between -1 and 1");

    public double Mean => Sum / Count;

    /// <summary>Half width of the interval that holds at all times together.</summary>
    public static double Radius(int count, double alpha = 0.05, double tuning = DefaultTuning) =>
        Math.Sqrt((count + tuning) * Math.Log((count + tuning) / (tuning * alpha * alpha))) / count;

    /// <summary>Any-time-valid interval of the mean increment.</summary>
    public Interval Interval(double alpha = 0.05, double tuning = DefaultTuning)
    {
        double radius = Count == 0 ? 2 : Radius(Count, alpha, tuning), mean = Count == 0 ? 0 : Mean;
        return new Interval(mean, double.NaN, Count, mean - radius, mean + radius, "any-time valid", "verdicts").Within(-1, 1);
    }

    /// <summary>Whether the interval leaves out 0: one side is better, and sampling may stop.</summary>
    public bool IsDecided(double alpha = 0.05, double tuning = DefaultTuning) => Count > 0 && Math.Abs(Mean) > Radius(Count, alpha, tuning);

    /// <summary>
    /// Any-time-valid p-value of "the mean is 0", the alpha at which the boundary is just reached: sqrt((t + r)/r) exp(-S^2 / (2 (t + r))), at most 1.
    /// </summary>
    public double PValue(double tuning = DefaultTuning) =>
        Math.Min(1, Math.Sqrt((Count + tuning) / tuning) * Math.Exp(-Sum * Sum / (2 * (Count + tuning))));
}

/// <summary>Which pairs of a ranking are decided, at any time, with one error probability for all of them together.</summary>
public static class SequentialRanking
{
    /// <summary>
    /// Holm's steps on any-time-valid p-values (Holm 1979): of m pairs the smallest is held against alpha/m, the next against alpha/(m - 1),
    /// until one fails. Valid at any stopping time, since each p-value is; never decides less than alpha/m for every pair does.
    /// </summary>
    public static bool[] Decided(ReadOnlySpan<SequentialTest> pairs, double alpha = 0.05, double tuning = SequentialTest.DefaultTuning)
    {
        double[] p = new double[pairs.Length];
        for (int i = 0; i < p.Length; i++)
            p[i] = pairs[i].PValue(tuning);
        double[] adjusted = Comparisons.Holm(p);
        bool[] decided = new bool[p.Length];
        for (int i = 0; i < p.Length; i++)
            decided[i] = adjusted[i] < alpha;
        return decided;
    }
}
