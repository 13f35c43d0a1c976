using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class KlAndBestOfNTests
{
    private static readonly double[] P = [.. new[] { 0.7, 0.2, 0.1 }.Select(p => Math.Log(p))];
    private static readonly double[] Q = [.. new[] { 0.5, 0.3, 0.2 }.Select(p => Math.Log(p))];

    [Fact]
    public void Expectations_of_the_estimators()
    {
        const double Kl = 0.0851228259572216;
        double k1 = 0, k2 = 0, k3 = 0;
        for (int v = 0; v < 3; v++)
        {
            KlTerms terms = KlEstimators.Token(P[v], Q[v]);
            k1 += Math.Exp(P[v]) * terms.K1;
            k2 += Math.Exp(P[v]) * terms.K2;
            k3 += Math.Exp(P[v]) * terms.K3;
        }
        Assert.Equal(Kl, k1, 1e-15);
        Assert.Equal(0.08008759419113512, k2, 1e-15);
        Assert.Equal(Kl, k3, 1e-15);
        Assert.Equal(Kl, KlEstimators.Categorical(P, Q), 1e-15);
        Assert.Equal(0, KlEstimators.Categorical(P, P));
    }

    [Fact]
    public void A_sequence_sums_its_tokens()
    {
        KlTerms sum = KlEstimators.Sequence([-1, -2], [-1.5, -1]);
        Assert.Equal((-0.5, 0.625), (sum.K1, sum.K2));
        Assert.Equal(Math.Exp(-0.5) - 1 + 0.5 + Math.E - 1 - 1, sum.K3, 1e-15);
    }

    [Fact]
    public void K3_is_exact_near_zero_and_never_negative()
    {
        Assert.Equal(5e-17 + 1e-24 / 6, KlEstimators.Token(0, 1e-8).K3, 1e-30);
        foreach (double x in new[] { -9.99e-4, -1e-6, -1e-12, 0, 1e-12, 1e-6, 9.99e-4 })
            Assert.InRange(KlEstimators.Token(0, x).K3, 0, x * x);
        // both branches meet where they switch
        Assert.Equal(KlEstimators.Token(0, 1e-3 - 1e-12).K3, KlEstimators.Token(0, 1e-3).K3, 1e-14);
    }

    [Fact]
    public void A_token_the_policy_never_takes_adds_nothing()
    {
        Assert.Equal(Math.Log(2), KlEstimators.Categorical([0, double.NegativeInfinity], [Math.Log(0.5), Math.Log(0.5)]), 1e-15);
        Assert.Equal(double.PositiveInfinity, KlEstimators.Categorical([Math.Log(0.5), Math.Log(0.5)], [0, double.NegativeInfinity]));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.1931471805599453)]
    [InlineData(4, 0.6362943611198906)]
    [InlineData(16, 1.8350887222397811)]
    [InlineData(64, 3.1745080833596715)]
    [InlineData(1024, 5.932448368099453)]
    public void Analytic_kl_of_best_of_n(int n, double expected) => Assert.Equal(expected, BestOfNStatistics.AnalyticKl(n), 1e-15);

    [Theory]
    [InlineData(1, 0.42)]
    [InlineData(2, 0.52)]
    [InlineData(3, 0.53)]
    [InlineData(5, 0.4)]
    public void Unbiased_gold_of_best_of_n(int n, double expected)
    {
        Assert.Equal(expected, BestOfNStatistics.ExpectedGold([1, 2, 3, 4, 5], [0.1, 0.5, 0.2, 0.9, 0.4], n), 1e-15);
        Assert.Equal(expected, BestOfNStatistics.ExpectedGold([-4, -1, -2, -5, -3], [0.5, 0.4, 0.9, 0.1, 0.2], n), 1e-15); // rows and scale do not matter
    }

    [Fact]
    public void The_estimate_is_the_mean_over_all_subsets()
    {
        double[] proxy = [3, 1, 1, 7, 2, 7], gold = [0.2, -1, 0.6, 0.9, 4, 0.1];
        for (int n = 1; n <= 6; n++)
        {
            double sum = 0;
            int subsets = 0;
            for (int mask = 0; mask < 64; mask++)
            {
                int[] picked = [.. Enumerable.Range(0, 6).Where(i => (mask >> i & 1) == 1)];
                if (picked.Length != n)
                    continue;
                double best = picked.Max(i => proxy[i]);
                sum += picked.Where(i => proxy[i] == best).Average(i => gold[i]);
                subsets++;
            }
            // ties: averaging over the tied samples of the whole set is the mean of picking any tied sample of the subset
            Assert.Equal(sum / subsets, BestOfNStatistics.ExpectedGold(proxy, gold, n), 1e-12);
        }
    }

    [Fact]
    public void Many_samples_need_no_large_binomials()
    {
        double[] proxy = [.. Enumerable.Range(1, 5000).Select(i => i / 5000.0)];
        // best of n uniform order statistics of N: n (N + 1) / (n + 1) / N
        Assert.Equal(1024.0 * 5001 / 1025 / 5000, BestOfNStatistics.ExpectedGold(proxy, proxy, 1024), 1e-12);
        Assert.Throws<ArgumentOutOfRangeException>(() => BestOfNStatistics.ExpectedGold(proxy, proxy, 5001));
    }

    [Fact]
    public void A_shift_of_the_proxy_changes_no_pick()
    {
        RandomStream stream = new(1, "proxy");
        double[] proxy = [.. Enumerable.Range(0, 50).Select(_ => Math.Round(stream.NextGaussian(), 3))], gold = [.. proxy.Select(_ => stream.NextGaussian())];
        Assert.Equal(BestOfNStatistics.ExpectedGold(proxy, gold, 8), BestOfNStatistics.ExpectedGold([.. proxy.Select(p => 2 * p + 16)], gold, 8), 1e-12);
    }
}
