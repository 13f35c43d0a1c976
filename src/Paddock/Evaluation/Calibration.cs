using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>Equal-mass bins of forecasts against outcomes.</summary>
/// <param name="Ece">Expected calibration error: share-weighted gap between mean forecast and mean outcome. Biased up; bootstrap it.</param>
/// <param name="Mce">Largest gap of a bin.</param>
/// <param name="Reliability">Share-weighted squared gap.</param>
/// <param name="Resolution">Share-weighted squared distance of bin outcomes from the overall one.</param>
/// <param name="Uncertainty">Variance of the outcome.</param>
/// <param name="Remainder">Brier - (reliability - resolution + uncertainty): spread of forecasts inside bins.</param>
public sealed record CalibrationBins(double Ece, double Mce, double Reliability, double Resolution, double Uncertainty, double Remainder);

/// <summary>
/// Calibration of probabilities: a judge's verdicts, a reward model's s(margin), soft labels. Outcomes are 0 or 1, or shares between.
/// </summary>
public static class Calibration
{
    /// <summary>Mean squared error (Brier 1950).</summary>
    public static double Brier(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        Check(probabilities, outcomes);
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
            sum += (probabilities[i] - outcomes[i]) * (probabilities[i] - outcomes[i]);
        return sum / probabilities.Length;
    }

    /// <summary>Mean negative log-likelihood in nats; infinite when a certain forecast was wrong.</summary>
    public static double LogLoss(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        Check(probabilities, outcomes);
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            double p = probabilities[i], y = outcomes[i];
            sum -= (y == 0 ? 0 : y * Math.Log(p)) + (y == 1 ? 0 : (1 - y) * ScalarMath.Log1p(-p));
        }
        return sum / probabilities.Length;
    }

    /// <summary>Share of outcomes on the forecast's side of 1/2; a forecast of 1/2 scores half.</summary>
    public static double Accuracy(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        Check(probabilities, outcomes);
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
            sum += probabilities[i] == 0.5 ? 0.5 : probabilities[i] > 0.5 ? outcomes[i] : 1 - outcomes[i];
        return sum / probabilities.Length;
    }

    /// <summary>
    /// Bins of equal mass by forecast. Equal forecasts share their mean outcome, so that the bins do not depend on the order of the rows.
    /// </summary>
    public static CalibrationBins Bins(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes, int bins = 10)
    {
        Check(probabilities, outcomes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bins);
        (double[] p, double[] y) = SortedWithTiesMerged(probabilities, outcomes);
        int n = p.Length;
        double overall = Moments.Mean(y), ece = 0, mce = 0, reliability = 0, resolution = 0;
        for (int bin = 0; bin < bins; bin++)
        {
            int start = (int)((long)n * bin / bins), end = (int)((long)n * (bin + 1) / bins);
            if (start == end)
                continue;
            double forecast = Moments.Mean(p.AsSpan(start, end - start)), outcome = Moments.Mean(y.AsSpan(start, end - start)), mass = (double)(end - start) / n;
            double gap = Math.Abs(outcome - forecast);
            ece += mass * gap;
            mce = Math.Max(mce, gap);
            reliability += mass * gap * gap;
            resolution += mass * (outcome - overall) * (outcome - overall);
        }
        double uncertainty = overall * (1 - overall);
        return new(ece, mce, reliability, resolution, uncertainty, Brier(probabilities, outcomes) - (reliability - resolution + uncertainty));
    }

    /// <summary>Pool-adjacent-violators fit of outcome on forecast: calibrated probability per row, in the order given.</summary>
    public static double[] Isotonic(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        Check(probabilities, outcomes);
        int n = probabilities.Length;
        int[] order = Order(probabilities);
        (double[] p, double[] y) = SortedWithTiesMerged(probabilities, outcomes);
        double[] sums = new double[n], fitted = new double[n];
        int[] sizes = new int[n];
        int blocks = 0;
        for (int i = 0; i < n;)
        {
            int end = i + 1;
            while (end < n && p[end] == p[i])
                end++;
            (sums[blocks], sizes[blocks]) = (y[i] * (end - i), end - i);
            blocks++;
            i = end;
            while (blocks > 1 && sums[blocks - 2] * sizes[blocks - 1] >= sums[blocks - 1] * sizes[blocks - 2])
            {
                sums[blocks - 2] += sums[blocks - 1];
                sizes[blocks - 2] += sizes[blocks - 1];
                blocks--;
            }
        }
        for (int block = 0, i = 0; block < blocks; block++)
            for (int k = 0; k < sizes[block]; k++, i++)
                fitted[order[i]] = sums[block] / sizes[block];
        return fitted;
    }

    /// <summary>
    /// Temperature T that minimises the log loss of s(logit / T) (Guo et al. 2017); infinite when the logits say nothing or the opposite,
    /// 0 when they separate the outcomes.
    /// </summary>
    public static double Temperature(ReadOnlySpan<double> logits, ReadOnlySpan<double> outcomes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outcomes.Length, logits.Length);
        // d loss / d s = sum z (sigmoid(s z) - y) grows in s = 1/T, so its root is found by bisection
        if (Slope(logits, outcomes, 0) >= 0)
            return double.PositiveInfinity;
        double limit = 0;
        for (int i = 0; i < logits.Length; i++)
            limit += logits[i] * ((logits[i] > 0 ? 1 : 0) - outcomes[i]);
        if (limit <= 0)
            return 0;
        double low = 0, high = 1;
        while (Slope(logits, outcomes, high) < 0)
            (low, high) = (high, high * 2);
        for (int step = 0; step < 200 && low < high; step++)
        {
            double middle = 0.5 * (low + high);
            if (middle == low || middle == high)
                break;
            if (Slope(logits, outcomes, middle) < 0)
                low = middle;
            else
                high = middle;
        }
        return 1 / (0.5 * (low + high));
    }

    private static double Slope(ReadOnlySpan<double> logits, ReadOnlySpan<double> outcomes, double s)
    {
        double sum = 0;
        for (int i = 0; i < logits.Length; i++)
            sum += logits[i] * (ScalarMath.Sigmoid(s * logits[i]) - outcomes[i]);
        return sum;
    }

    private static int[] Order(ReadOnlySpan<double> keys)
    {
        double[] sorted = keys.ToArray();
        int[] order = new int[sorted.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        return order;
    }

    private static (double[] P, double[] Y) SortedWithTiesMerged(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        int[] order = Order(probabilities);
        double[] p = new double[order.Length], y = new double[order.Length];
        for (int i = 0; i < order.Length; i++)
            (p[i], y[i]) = (probabilities[order[i]], outcomes[order[i]]);
        for (int i = 0, end; i < p.Length; i = end)
        {
            end = i + 1;
            while (end < p.Length && p[end] == p[i])
                end++;
            if (end > i + 1)
                y.AsSpan(i, end - i).Fill(Moments.Mean(y.AsSpan(i, end - i)));
        }
        return (p, y);
    }

    private static void Check(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> outcomes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outcomes.Length, probabilities.Length);
        for (int i = 0; i < probabilities.Length; i++)
            if (probabilities[i] is not (>= 0 and <= 1) || outcomes[i] is not (>= 0 and <= 1))
                throw new ArgumentOutOfRangeException(nameof(probabilities), $"row {i}: forecast {probabilities[i]}, outcome {outcomes[i]}: both are between 0 and 1");
    }
}
