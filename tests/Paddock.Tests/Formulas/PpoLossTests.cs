using System.Text.Json;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class PpoLossTests
{
    private static readonly JsonElement Inputs = OnlineGolden.Root.GetProperty("ppo_inputs");

    private static readonly double[][] LogProbs = OnlineGolden.Rows(Inputs.GetProperty("logprobs")), References = OnlineGolden.Rows(Inputs.GetProperty("ref_logprobs")),
        Values = OnlineGolden.Rows(Inputs.GetProperty("values")), Responses = OnlineGolden.Rows(Inputs.GetProperty("responses"));

    private static readonly double[] Scores = TrlGolden.Doubles(Inputs.GetProperty("scores"));

    private const int Width = 6;

    // up to and with the first end token
    private static int Length(int row)
    {
        int end = Array.IndexOf(Responses[row], Inputs.GetProperty("eos").GetDouble());
        return end < 0 ? Width : end + 1;
    }

    [Theory]
    [InlineData("k1", KlEstimator.K1, false, 0, 1)]
    [InlineData("k3", KlEstimator.K3, false, 0, 1)]
    [InlineData("whiten_rewards", KlEstimator.K1, true, 0, 1)]
    [InlineData("missing_eos_penalty_1", KlEstimator.K1, false, 1, 1)]
    [InlineData("gamma_0p99", KlEstimator.K1, false, 0, 0.99)]
    public void Rewards_advantages_and_returns_equal_the_reference(string name, KlEstimator estimator, bool whiten, double missingEnd, double gamma)
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("ppo_gae").GetProperty(name);
        double[][] rewards = new double[4][], advantages = new double[4][], returns = new double[4][];
        for (int i = 0; i < 4; i++)
        {
            int n = Length(i);
            bool ended = Responses[i].Contains(1.0);
            rewards[i] = PpoRewards.Of(estimator, LogProbs[i].AsSpan(0, n), References[i].AsSpan(0, n), Scores[i] - (ended ? 0 : missingEnd), 0.05, atEnd: n == Width);
        }
        if (whiten)
            Gae.Whiten(rewards, Gae.Moments(rewards, unbiased: true), shiftMean: false);
        for (int i = 0; i < 4; i++)
        {
            advantages[i] = Gae.Advantages(rewards[i], Values[i].AsSpan(0, rewards[i].Length), gamma, 0.95);
            returns[i] = [.. advantages[i].Zip(Values[i], (a, v) => a + v)];
            advantages[i] = advantages[i][..Length(i)];
        }
        Gae.Whiten(advantages, Gae.Moments(advantages, unbiased: true), shiftMean: true);
        Compare("rewards", rewards);
        Compare("advantages", advantages);
        Compare("returns", returns);

        void Compare(string field, double[][] actual)
        {
            double[][] expected = OnlineGolden.Rows(golden.GetProperty(field));
            for (int i = 0; i < 4; i++)
                for (int t = 0; t < actual[i].Length; t++)
                    Assert.True(Math.Abs(expected[i][t] - actual[i][t]) < 1e-6, $"{field}[{i}][{t}]: {expected[i][t]:r} expected, {actual[i][t]:r} found");
        }
    }

    [Fact]
    public void The_losses_equal_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("ppo_loss"), targets = OnlineGolden.Root.GetProperty("ppo_gae").GetProperty("k1");
        double[][] now = OnlineGolden.Rows(golden.GetProperty("new_logprobs")), values = OnlineGolden.Rows(golden.GetProperty("vpred")),
            advantages = OnlineGolden.Rows(targets.GetProperty("advantages")), returns = OnlineGolden.Rows(targets.GetProperty("returns"));
        PpoSums sums = new();
        double policy = 0, value = 0;
        int policyTokens = Enumerable.Range(0, 4).Sum(Length), valueTokens = Enumerable.Range(0, 4).Sum(i => Math.Min(Length(i) + 1, Width));
        for (int i = 0; i < 4; i++)
        {
            int n = Length(i), m = Math.Min(n + 1, Width);
            policy += PpoLoss.Policy(now[i].AsSpan(0, n), LogProbs[i].AsSpan(0, n), advantages[i].AsSpan(0, n), 0.2, policyTokens, new double[n], sums);
            value += PpoLoss.Value(values[i].AsSpan(0, m), Values[i].AsSpan(0, m), returns[i].AsSpan(0, m), 0.2, 0.1, valueTokens, new double[m], sums);
        }
        Assert.Equal(golden.GetProperty("pg_loss").GetDouble(), policy / policyTokens, 1e-6);
        Assert.Equal(golden.GetProperty("vf_loss").GetDouble(), value / valueTokens, 1e-6);
        Assert.Equal(golden.GetProperty("loss").GetDouble(), policy / policyTokens + 0.1 * value / valueTokens, 1e-6);
        Assert.Equal(golden.GetProperty("vf_clipfrac").GetDouble(), sums.ValueClipped.Value, 1e-6);
        Assert.Equal(policy / policyTokens, sums.PolicyLoss.Value, 1e-12);
    }

    // each side of each clip, for both signs of the advantage
    [Theory]
    [InlineData(1.0, 0.1, -1.1051709180756477, -1.1051709180756477)]
    [InlineData(1.0, 0.5, -1.2, 0)]
    [InlineData(1.0, -0.5, -0.6065306597126334, -0.6065306597126334)]
    [InlineData(-1.0, -0.5, 0.8, 0)]
    [InlineData(-1.0, 0.5, 1.6487212707001282, 1.6487212707001282)]
    public void The_policy_loss_by_hand(double advantage, double logRatio, double loss, double gradient)
    {
        double[] found = new double[1];
        Assert.Equal(loss, PpoLoss.Policy([logRatio - 1], [-1], [advantage], 0.2, 1, found, new PpoSums()), 1e-12);
        Assert.Equal(gradient, found[0], 1e-12);
    }

    [Theory]
    [InlineData(0.1, 1.0, 0.405, -0.9)] // V within its clip
    [InlineData(0.5, 1.0, 0.32, 0)] // held at 0.2, which is farther from the return: no gradient
    [InlineData(0.5, -1.0, 1.125, 1.5)] // farther out than where it would be held
    public void The_value_loss_by_hand(double value, double target, double loss, double gradient)
    {
        double[] found = new double[1];
        Assert.Equal(loss, PpoLoss.Value([value], [0], [target], 0.2, 1, 1, found, new PpoSums()), 1e-12);
        Assert.Equal(gradient, found[0], 1e-12);
    }

    [Fact]
    public void Gradients_are_those_of_the_losses()
    {
        double[] old = [-1, -2, -0.5, -3], now = [-0.9, -2.4, -0.2, -2.9], advantages = [1, 0.5, -1, -0.3], gradient = new double[4];
        PpoLoss.Policy(now, old, advantages, 0.2, 4, gradient, new PpoSums());
        for (int t = 0; t < 4; t++)
            Assert.Equal(FiniteDifference.Of(now, t, x => PpoLoss.Policy(x, old, advantages, 0.2, 4, new double[4], new PpoSums()) / 4), gradient[t], 1e-7);
        PpoLoss.Value(now, old, advantages, 0.2, 0.1, 4, gradient, new PpoSums());
        for (int t = 0; t < 4; t++)
            Assert.Equal(FiniteDifference.Of(now, t, x => 0.1 * PpoLoss.Value(x, old, advantages, 0.2, 0.1, 4, new double[4], new PpoSums()) / 4), gradient[t], 1e-7);
    }

    [Fact]
    public void Ratios_beyond_reason_stay_finite()
    {
        double[] gradient = new double[2];
        Assert.True(double.IsFinite(PpoLoss.Policy([1e4, -1e4], [0, 0], [-1, 1], 0.2, 1, gradient, new PpoSums())));
        Assert.All(gradient, g => Assert.True(double.IsFinite(g)));
    }

    [Theory]
    [InlineData(6, 6, 1)]
    [InlineData(6.6, 6, 1.01)]
    [InlineData(600, 6, 1.02)] // at most a fiftieth at a time
    [InlineData(-3, 6, 0.98)]
    public void The_coefficient_follows_its_target(double kl, double target, double expected) => Assert.Equal(expected, KlPenalty.Adapt(1, kl, target), 1e-12);

    [Fact]
    public void Estimates_of_kl_by_hand()
    {
        Assert.Equal(-0.5, KlPenalty.Of(KlEstimator.K1, -1.5, -1));
        Assert.Equal(0, KlPenalty.Of(KlEstimator.Clamped, -1.5, -1));
        Assert.Equal(Math.Exp(0.5) - 1 - 0.5, KlPenalty.Of(KlEstimator.K3, -1.5, -1), 1e-12);
        Assert.Equal(1 - Math.Exp(0.5), KlPenalty.K3Slope(-1.5, -1), 1e-12);
        Assert.True(double.IsFinite(KlPenalty.K3(-1e4, 0)));
    }
}
