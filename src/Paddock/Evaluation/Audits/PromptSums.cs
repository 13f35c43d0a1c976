using Paddock.Engine.Numerics;

namespace Paddock.Evaluation.Audits;

/// <summary>How intervals of an audit are drawn: seed and number of resamples.</summary>
public sealed record AuditSettings(ulong Seed = 1, int Resamples = Bootstrap.DefaultResamples)
{
    internal RandomStream Stream(string purpose) => new RandomStream(Seed, "audit").Split(purpose);
}

/// <summary>A statistic of sums over prompts.</summary>
internal delegate double SumStatistic(ReadOnlySpan<double> sums);

/// <summary>
/// Sums of rows by prompt. A statistic of the totals gets its interval by resampling prompts with all their rows, at the cost of adding a
/// few numbers for each prompt drawn.
/// </summary>
/// <param name="width">Sums kept for each prompt.</param>
internal sealed class PromptSums(int width)
{
    private readonly Dictionary<string, double[]> _byPrompt = new(StringComparer.Ordinal);
    private readonly List<double[]> _rows = [];

    public int Prompts => _rows.Count;

    /// <summary>The sums of one prompt, to be added to.</summary>
    public double[] this[string prompt]
    {
        get
        {
            if (!_byPrompt.TryGetValue(prompt, out double[]? row))
            {
                _byPrompt.Add(prompt, row = new double[width]);
                _rows.Add(row);
            }
            return row;
        }
    }

    /// <summary>Sums over all prompts.</summary>
    public double[] Totals
    {
        get
        {
            double[] totals = new double[width];
            foreach (double[] row in _rows)
                Add(row, totals);
            return totals;
        }
    }

    /// <summary>The statistic with a percentile interval over prompts; without an interval for fewer than two prompts.</summary>
    public Interval Estimate(SumStatistic statistic, AuditSettings settings, string purpose)
    {
        double mean = statistic(Totals);
        if (Prompts < 2 || double.IsNaN(mean))
            return new(mean, double.NaN, Prompts, double.NaN, double.NaN, "percentile");
        double[] sums = new double[width];
        return Bootstrap.Percentile(Prompts, indices =>
        {
            Array.Clear(sums);
            foreach (int i in indices)
                Add(_rows[i], sums);
            return statistic(sums);
        }, settings.Stream(purpose), settings.Resamples);
    }

    /// <summary>
    /// Sum <paramref name="part"/> as a share of sum <paramref name="whole"/>. A share of 0 or 1 has no spread to resample; its interval
    /// is Wilson's over prompts.
    /// </summary>
    public Interval Share(AuditSettings settings, string purpose, int part = 0, int whole = 1)
    {
        Interval share = Estimate(sums => sums[part] / sums[whole], settings, purpose);
        int prompts = _rows.Count(row => row[whole] > 0); // others say nothing of this share
        return (share.Mean is 0 or 1 && prompts > 0 ? WinRate.Wilson(share.Mean * prompts, prompts) : share) with { N = prompts };
    }

    private static void Add(double[] row, double[] sums)
    {
        for (int i = 0; i < row.Length; i++)
            sums[i] += row[i];
    }
}
