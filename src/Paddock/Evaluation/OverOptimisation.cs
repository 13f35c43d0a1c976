namespace Paddock.Evaluation;

/// <summary>How gold reward bends with the distance d = sqrt(KL) from the policy that was optimised.</summary>
public enum OverOptimisationForm
{
    /// <summary>R = d (alpha - beta d).</summary>
    BestOfN,

    /// <summary>R = d (alpha - beta log d).</summary>
    Reinforcement,
}

/// <summary>A fitted curve.</summary>
/// <param name="PeakDistance">d where R is greatest; NaN where beta is not above 0, since the curve then never falls.</param>
/// <param name="PeakKl">Its square, in nats.</param>
/// <param name="PeakReward">R there, relative to d = 0.</param>
/// <param name="Aic">n log(RSS/n) + 4, to compare the two forms on the same points.</param>
public sealed record OverOptimisationFit(OverOptimisationForm Form, Interval Alpha, Interval Beta, Interval PeakDistance, double PeakKl, double PeakReward, double Aic)
{
    /// <summary>Gold reward above the start at a distance.</summary>
    public double At(double distance) => distance == 0 ? 0 : distance * (Alpha.Mean - Beta.Mean * (Form == OverOptimisationForm.BestOfN ? distance : Math.Log(distance)));
}

/// <summary>
/// Fits of Gao et al. (2022, arXiv 2210.10760). Both forms are linear in alpha and beta, so this is ordinary least squares with t intervals;
/// the interval of the peak is by the delta method. Points of one run share its noise: fit each run, or the means over runs.
/// </summary>
public static class OverOptimisation
{
    /// <param name="kl">In nats; points at 0 say nothing and are left out.</param>
    /// <param name="reward">Gold reward minus that at KL 0.</param>
    public static OverOptimisationFit Fit(OverOptimisationForm form, ReadOnlySpan<double> kl, ReadOnlySpan<double> reward)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(reward.Length, kl.Length);
        double xx = 0, xz = 0, zz = 0, xy = 0, zy = 0;
        int n = 0;
        for (int i = 0; i < kl.Length; i++)
        {
            if (!(kl[i] >= 0))
                throw new ArgumentOutOfRangeException(nameof(kl), kl[i], "a divergence is not negative");
            if (kl[i] == 0)
                continue;
            (double x, double z) = Features(form, kl[i]);
            xx += x * x;
            xz += x * z;
            zz += z * z;
            xy += x * reward[i];
            zy += z * reward[i];
            n++;
        }
        double determinant = xx * zz - xz * xz;
        if (n < 3 || determinant <= 1e-12 * xx * zz)
            throw new ArgumentException($"a curve needs at least three points at two or more distances above 0, not {n}", nameof(kl));
        double alpha = (zz * xy - xz * zy) / determinant, beta = (xx * zy - xz * xy) / determinant, rss = 0;
        for (int i = 0; i < kl.Length; i++)
            if (kl[i] > 0)
            {
                (double x, double z) = Features(form, kl[i]);
                double residual = reward[i] - alpha * x - beta * z;
                rss += residual * residual;
            }
        double variance = rss / (n - 2), va = variance * zz / determinant, vb = variance * xx / determinant, cov = -variance * xz / determinant;
        double t = StudentT.Quantile(0.975, n - 2), peak = double.NaN, byAlpha = 0, byBeta = 0, top = double.NaN;
        if (beta > 0 && form == OverOptimisationForm.BestOfN)
            (peak, byAlpha, byBeta, top) = (alpha / (2 * beta), 1 / (2 * beta), -alpha / (2 * beta * beta), alpha * alpha / (4 * beta));
        else if (beta > 0)
        {
            peak = Math.Exp(alpha / beta - 1);
            (byAlpha, byBeta, top) = (peak / beta, -peak * alpha / (beta * beta), beta * peak);
        }
        double peakError = Math.Sqrt(Math.Max(0, byAlpha * byAlpha * va + 2 * byAlpha * byBeta * cov + byBeta * byBeta * vb));
        return new(form, Of(alpha, Math.Sqrt(va)), Of(beta, Math.Sqrt(vb)), Of(peak, peakError), peak * peak, top, n * Math.Log(rss / n) + 4);

        Interval Of(double mean, double error) => new(mean, error, n, mean - t * error, mean + t * error, "least squares, t", "points");
    }

    // R = alpha x + beta z
    private static (double X, double Z) Features(OverOptimisationForm form, double kl)
    {
        double d = Math.Sqrt(kl);
        return (d, form == OverOptimisationForm.BestOfN ? -kl : -d * Math.Log(d));
    }
}
