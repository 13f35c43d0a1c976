namespace Paddock.Evaluation;

/// <summary>What best-of-n costs in KL and what it gains, without sampling it.</summary>
public static class BestOfNStatistics
{
    /// <summary>
    /// KL(best-of-n || policy) = log n - (n-1)/n in nats: exact where no two scores are equal, an upper bound otherwise (Beirami et al.
    /// 2024, arXiv 2401.01879).
    /// </summary>
    public static double AnalyticKl(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        return Math.Log(n) - (n - 1.0) / n;
    }

    /// <summary>
    /// Unbiased estimate of best-of-n's gold score from N samples of one prompt: sum over samples in ascending proxy order of
    /// C(i-1, n-1) / C(N, n) gold_i (Nakano et al. 2021, arXiv 2112.09332). Samples of equal proxy share their mean gold, as best-of-n
    /// would pick any of them.
    /// </summary>
    /// <param name="n">1 to N.</param>
    public static double ExpectedGold(ReadOnlySpan<double> proxy, ReadOnlySpan<double> gold, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gold.Length, proxy.Length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, proxy.Length);
        int total = proxy.Length;
        double[] keys = proxy.ToArray(), values = gold.ToArray();
        Array.Sort(keys, values);
        for (int i = 0, end; i < total; i = end)
        {
            end = i + 1;
            while (end < total && keys[end] == keys[i])
                end++;
            if (end > i + 1)
                values.AsSpan(i, end - i).Fill(Moments.Mean(values.AsSpan(i, end - i)));
        }
        // the weight of the best is n/N; that of the i-th (from 1) follows as w_i = w_(i+1) (i - n + 1) / i, with no large binomials
        double sum = 0, weight = (double)n / total;
        for (int i = total; i >= n; i--)
        {
            sum += weight * values[i - 1];
            weight *= (double)(i - n) / (i - 1);
        }
        return sum;
    }
}
