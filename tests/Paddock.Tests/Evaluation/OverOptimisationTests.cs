using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class OverOptimisationTests
{
    private static readonly double[] Kl = [0.19, 0.64, 1.15, 1.84, 2.5, 3.17, 4.5, 5.9];

    [Theory]
    [InlineData(OverOptimisationForm.BestOfN, 1, 0.6)]
    [InlineData(OverOptimisationForm.Reinforcement, 2.718281828459045, 1.630969097075427)]
    public void A_curve_without_noise_is_found_with_its_peak(OverOptimisationForm form, double peak, double top)
    {
        double[] reward = [.. Kl.Select(kl => Curve(form, 1.2, 0.6, Math.Sqrt(kl)))];
        OverOptimisationFit fit = OverOptimisation.Fit(form, [0, .. Kl], [0, .. reward]); // the start says nothing
        Assert.Equal(1.2, fit.Alpha.Mean, 1e-10);
        Assert.Equal(0.6, fit.Beta.Mean, 1e-10);
        Assert.Equal(peak, fit.PeakDistance.Mean, 1e-9);
        Assert.Equal(peak * peak, fit.PeakKl, 1e-8);
        Assert.Equal(top, fit.PeakReward, 1e-9);
        Assert.Equal(top, fit.At(peak), 1e-9);
        Assert.Equal(8, fit.Alpha.N);
        Assert.Equal(0, fit.At(0));
    }

    [Fact]
    public void The_information_criterion_prefers_the_form_that_made_the_points()
    {
        foreach (OverOptimisationForm form in Enum.GetValues<OverOptimisationForm>())
        {
            double[] reward = [.. Kl.Select((kl, i) => Curve(form, 1.2, 0.6, Math.Sqrt(kl)) + (i % 2 == 0 ? 0.002 : -0.002))];
            double bestOfN = OverOptimisation.Fit(OverOptimisationForm.BestOfN, Kl, reward).Aic, reinforcement = OverOptimisation.Fit(OverOptimisationForm.Reinforcement, Kl, reward).Aic;
            Assert.Equal(form == OverOptimisationForm.BestOfN, bestOfN < reinforcement);
        }
    }

    [Fact]
    public void A_curve_that_only_rises_has_no_peak()
    {
        OverOptimisationFit fit = OverOptimisation.Fit(OverOptimisationForm.BestOfN, Kl, [.. Kl.Select(kl => Math.Sqrt(kl) + 0.1 * kl)]);
        Assert.True(fit.Beta.Mean < 0 && double.IsNaN(fit.PeakDistance.Mean) && double.IsNaN(fit.PeakReward));
    }

    [Fact]
    public void Too_few_points_are_refused()
    {
        Assert.Throws<ArgumentException>(() => OverOptimisation.Fit(OverOptimisationForm.BestOfN, [0, 1, 2], [0, 1, 1]));
        Assert.Throws<ArgumentException>(() => OverOptimisation.Fit(OverOptimisationForm.BestOfN, [1, 1, 1], [0, 1, 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => OverOptimisation.Fit(OverOptimisationForm.BestOfN, [1, -2, 3], [0, 1, 1]));
    }

    [Theory]
    [InlineData(1, 12.706204736432095)]
    [InlineData(2, 4.302652729749463)]
    [InlineData(5, 2.570581835636314)]
    [InlineData(30, 2.0422724563012373)]
    public void Quantiles_of_t(int degrees, double quantile)
    {
        Assert.Equal(quantile, StudentT.Quantile(0.975, degrees), 1e-9);
        Assert.Equal(-quantile, StudentT.Quantile(0.025, degrees), 1e-9);
        Assert.Equal(0.975, StudentT.Cdf(quantile, degrees), 1e-12);
    }

    private static double Curve(OverOptimisationForm form, double alpha, double beta, double d) => d * (alpha - beta * (form == OverOptimisationForm.BestOfN ? d : Math.Log(d)));
}
