namespace Paddock.Methods.Formulas;

/// <summary>Generalised advantage estimation and whitening, over rows of any length: what is not there takes part in nothing.</summary>
public static class Gae
{
    /// <summary>
    /// A_t = d_t + gamma lambda A_(t+1), d_t = r_t + gamma V_(t+1) - V_t, nothing after the last position (Schulman et al. 2016, arXiv 1506.02438,
    /// eq. 16). Returns, the targets of the value model, are A_t + V_t.
    /// </summary>
    public static double[] Advantages(ReadOnlySpan<double> rewards, ReadOnlySpan<double> values, double gamma, double lambda)
    {
        double[] advantages = new double[rewards.Length];
        double next = 0, nextValue = 0;
        for (int t = rewards.Length - 1; t >= 0; t--)
        {
            next = rewards[t] + gamma * nextValue - values[t] + gamma * lambda * next;
            nextValue = values[t];
            advantages[t] = next;
        }
        return advantages;
    }

    /// <summary>Mean and variance over all entries of all rows, and over <paramref name="zeros"/> further entries of 0.</summary>
    public static (double Mean, double Variance) Moments(IReadOnlyList<double[]> rows, bool unbiased, long zeros = 0)
    {
        double sum = 0, squares = 0;
        long count = zeros;
        foreach (double[] row in rows)
            foreach (double value in row)
            {
                sum += value;
                count++;
            }
        double mean = sum / count;
        foreach (double[] row in rows)
            foreach (double value in row)
                squares += (value - mean) * (value - mean);
        squares += zeros * mean * mean;
        long degrees = unbiased ? count - 1 : count;
        return (mean, degrees <= 0 ? 0 : squares / degrees);
    }

    /// <summary>In place: (x - mean) / sqrt(variance + 1e-8), plus the mean again unless <paramref name="shiftMean"/>.</summary>
    public static void Whiten(IReadOnlyList<double[]> rows, (double Mean, double Variance) moments, bool shiftMean)
    {
        double scale = 1 / Math.Sqrt(moments.Variance + 1e-8);
        foreach (double[] row in rows)
            for (int t = 0; t < row.Length; t++)
                row[t] = Whiten(row[t], moments, shiftMean, scale);
    }

    /// <summary>What <see cref="Whiten(IReadOnlyList{double[]}, ValueTuple{double, double}, bool)"/> makes of one number.</summary>
    public static double Whiten(double value, (double Mean, double Variance) moments, bool shiftMean) => Whiten(value, moments, shiftMean, 1 / Math.Sqrt(moments.Variance + 1e-8));

    private static double Whiten(double value, (double Mean, double Variance) moments, bool shiftMean, double scale) => (value - moments.Mean) * scale + (shiftMean ? 0 : moments.Mean);
}

/// <summary>What the standard deviation of group-relative advantages is taken over.</summary>
public enum RewardScale
{
    /// <summary>The answers of one prompt.</summary>
    Group,

    /// <summary>All answers of the step; the mean is still the prompt's.</summary>
    Batch,

    /// <summary>Nothing: advantages keep the unit of the reward (Dr. GRPO, arXiv 2503.20783).</summary>
    None,
}

/// <summary>
/// Advantages of answers relative to the other answers of their prompt. Rows of a group stand together. A reward of NaN was not given: it
/// enters no mean and its answer gets advantage 0, so nothing is learned from it.
/// </summary>
public static class GroupAdvantages
{
    /// <summary>Added to the standard deviation, as TRL does; all-equal rewards give 0.</summary>
    private const double Epsilon = 1e-4;

    /// <summary>Weighted sum of several rewards per row, leaving out those not given; NaN where none was.</summary>
    public static double Combine(ReadOnlySpan<double> rewards, ReadOnlySpan<double> weights)
    {
        double sum = 0;
        bool given = false;
        for (int k = 0; k < rewards.Length; k++)
            if (!double.IsNaN(rewards[k]))
            {
                sum += weights[k] * rewards[k];
                given = true;
            }
        return given ? sum : double.NaN;
    }

    /// <summary>A = (R - mean of the group) / (std + 1e-4) (GRPO, arXiv 2402.03300, section 4.1.2), std with n - 1.</summary>
    public static double[] Of(ReadOnlySpan<double> rewards, int group, RewardScale scale)
    {
        double[] advantages = new double[rewards.Length];
        double all = scale == RewardScale.Batch ? Deviation(rewards) : 0;
        for (int start = 0; start < rewards.Length; start += group)
        {
            ReadOnlySpan<double> rows = rewards.Slice(start, group);
            double mean = Mean(rows), deviation = scale == RewardScale.Group ? Deviation(rows) : all;
            for (int i = 0; i < group; i++)
            {
                double centred = rows[i] - mean;
                // a spread that cannot be measured scales nothing
                advantages[start + i] = double.IsNaN(centred) ? 0 : scale == RewardScale.None ? centred : centred / ((double.IsNaN(deviation) ? 0 : deviation) + Epsilon);
            }
        }
        return advantages;
    }

    /// <summary>
    /// GDPO (arXiv 2601.05242): each reward is standardised within its group, then their weighted sum over all rows. <paramref name="rewards"/>:
    /// [rows][functions].
    /// </summary>
    public static double[] NormaliseThenSum(IReadOnlyList<double[]> rewards, ReadOnlySpan<double> weights, int group)
    {
        double[] sums = new double[rewards.Count];
        Array.Fill(sums, double.NaN);
        for (int k = 0; k < weights.Length; k++)
        {
            double[] one = new double[rewards.Count];
            for (int i = 0; i < one.Length; i++)
                one[i] = rewards[i][k];
            double[] standard = Of(one, group, RewardScale.Group);
            for (int i = 0; i < one.Length; i++)
                if (!double.IsNaN(one[i]))
                    sums[i] = (double.IsNaN(sums[i]) ? 0 : sums[i]) + weights[k] * standard[i];
        }
        return Standardise(sums);
    }

    /// <summary>
    /// R minus the mean reward of the other answers (RLOO, Ahmadian et al. 2024, arXiv 2402.14740, eq. 8). An answer whose siblings were not
    /// scored has no baseline and gets 0.
    /// </summary>
    public static double[] LeaveOneOut(ReadOnlySpan<double> rewards, int group)
    {
        double[] advantages = new double[rewards.Length];
        for (int start = 0; start < rewards.Length; start += group)
        {
            ReadOnlySpan<double> rows = rewards.Slice(start, group);
            double sum = 0;
            int count = 0;
            foreach (double reward in rows)
                if (!double.IsNaN(reward))
                {
                    sum += reward;
                    count++;
                }
            for (int i = 0; i < group; i++)
                advantages[start + i] = double.IsNaN(rows[i]) || count < 2 ? 0 : rows[i] - (sum - rows[i]) / (count - 1);
        }
        return advantages;
    }

    /// <summary>(x - mean) / (std + 1e-4) over the numbers given; 0 where none was.</summary>
    public static double[] Standardise(ReadOnlySpan<double> values)
    {
        double mean = Mean(values), deviation = Deviation(values);
        double[] standard = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
            standard[i] = double.IsNaN(values[i]) ? 0 : (values[i] - mean) / ((double.IsNaN(deviation) ? 0 : deviation) + Epsilon);
        return standard;
    }

    /// <summary>Mean of the numbers given; NaN of none.</summary>
    public static double Mean(ReadOnlySpan<double> values)
    {
        StepMean mean = default;
        foreach (double value in values)
            if (!double.IsNaN(value))
                mean.Add(value);
        return mean.Value;
    }

    /// <summary>Standard deviation with n - 1 of the numbers given; NaN of fewer than two.</summary>
    public static double Deviation(ReadOnlySpan<double> values)
    {
        double mean = Mean(values), squares = 0;
        int count = 0;
        foreach (double value in values)
            if (!double.IsNaN(value))
            {
                squares += (value - mean) * (value - mean);
                count++;
            }
        return count < 2 ? double.NaN : Math.Sqrt(squares / (count - 1));
    }

    /// <summary>Share of groups whose rewards are all the same, so that they teach nothing.</summary>
    public static double FlatShare(ReadOnlySpan<double> rewards, int group)
    {
        int flat = 0;
        for (int start = 0; start < rewards.Length; start += group)
            if (!(Deviation(rewards.Slice(start, group)) > 0))
                flat++;
        return (double)flat * group / rewards.Length;
    }
}
