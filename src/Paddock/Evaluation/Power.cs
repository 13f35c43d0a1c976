namespace Paddock.Evaluation;

/// <summary>How many prompts or labels a question needs, before they are paid for.</summary>
public static class Power
{
    /// <summary>Prompts for a 95 % interval of the given half width: n = (z sd / h)^2, rounded up.</summary>
    /// <param name="deviation">Of the score per prompt, from a pilot; 1/2 is the worst case.</param>
    public static int PromptsForHalfWidth(double halfWidth, double deviation = 0.5) => Up(Square(Gaussian.Z95 * deviation / Positive(halfWidth, nameof(halfWidth))));

    /// <summary>Prompts to find a true difference with a given power in a two-sided test at level alpha: ((z_(1-alpha/2) + z_power) sd / difference)^2.</summary>
    /// <param name="deviation">Of the paired difference per prompt.</param>
    public static int PromptsForDifference(double difference, double deviation, double power = 0.8, double alpha = 0.05) =>
        Up(Square((Gaussian.Quantile(1 - alpha / 2) + Gaussian.Quantile(power)) * deviation / Positive(Math.Abs(difference), nameof(difference))));

    /// <summary>Power of that test with n prompts, the far tail included.</summary>
    public static double OfDifference(double difference, double deviation, int n, double alpha = 0.05)
    {
        double shift = Math.Abs(difference) * Math.Sqrt(n) / deviation, z = Gaussian.Quantile(1 - alpha / 2);
        return Gaussian.Cdf(shift - z) + Gaussian.Cdf(-shift - z);
    }

    /// <summary>Factor by which m verdicts a prompt, correlated by <paramref name="icc"/>, count for less than independent ones: 1 + (m - 1) icc (Kish 1965).</summary>
    public static double DesignEffect(double verdicts, double icc) => 1 + (verdicts - 1) * icc;

    /// <summary>
    /// By how much a judge multiplies n human labels when it also judges N further items: 1 / (1 - rho^2 N/(n + N)).
    /// </summary>
    /// <param name="correlation">Of human label and judge.</param>
    public static double LabelFactor(double correlation, int labels, int unlabelled) => 1 / (1 - correlation * correlation * unlabelled / ((double)labels + unlabelled));

    /// <summary>Correlation of balanced binary labels that agree at the given rate, 2a - 1.</summary>
    public static double CorrelationOfAgreement(double agreement) => 2 * agreement - 1;

    /// <summary>
    /// Fewest human labels for a half width when a judge scores N further items, or -1 where even all items labelled do not reach it. Found by
    /// search, since the factor depends on the number.
    /// </summary>
    public static int LabelsForHalfWidth(double halfWidth, double deviation, double correlation, int items)
    {
        int alone = PromptsForHalfWidth(halfWidth, deviation);
        int low = 2, high = Math.Min(alone, items);
        if (high < 2 || Effective(high) < alone)
            return -1;
        while (low < high)
        {
            int middle = low + (high - low) / 2;
            if (Effective(middle) >= alone)
                high = middle;
            else
                low = middle + 1;
        }
        return low;

        double Effective(int labels) => labels * LabelFactor(correlation, labels, items - labels);
    }

    private static double Positive(double value, string name) => value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, "must be above 0");

    private static double Square(double x) => x * x;

    // a hair below a whole number is that number: 1067.0000001 is rounding, not another prompt
    private static int Up(double n) => checked((int)Math.Ceiling(n - 1e-9));
}
