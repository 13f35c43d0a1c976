using System.Text.Json;
using Paddock.Engine;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class CpoLossTests
{
    private static CpoPair[] Pairs { get; } = [.. TrlGolden.Pairs().Select(p => new CpoPair(p.PolicyChosen, p.PolicyRejected, p.ChosenTokens, p.RejectedTokens))];

    public static TheoryData<CpoLossType> AllTypes => [.. Enum.GetValues<CpoLossType>()];

    private static CpoLossResult Compute(CpoLossOptions options, params CpoPair[] pairs) => CpoLoss.Compute(options, pairs, pairs.Length, pairs.Sum(p => p.ChosenTokens), new double[pairs.Length], new double[pairs.Length]);

    [Theory]
    [InlineData("sigmoid", CpoLossType.Sigmoid, 0.1, 0)]
    [InlineData("hinge", CpoLossType.Hinge, 0.1, 0)]
    [InlineData("ipo", CpoLossType.Ipo, 0.1, 0)]
    [InlineData("simpo", CpoLossType.Simpo, 2, 0)]
    [InlineData("simpo_alphapo_0.25", CpoLossType.Simpo, 2, 0.25)]
    public void Losses_and_rewards_equal_the_reference(string name, CpoLossType type, double beta, double shape)
    {
        JsonElement golden = TrlGolden.Preferences.GetProperty("cpo").GetProperty(name);
        for (int i = 0; i < 4; i++)
        {
            CpoLossResult result = Compute(new(type, beta, Gamma: 0.5, Shape: shape, Likelihood: 0), Pairs[i]);
            Assert.Equal(golden[0][i].GetDouble(), result.Loss, 1e-9 * Math.Max(1, result.Loss));
            Assert.Equal(golden[1][i].GetDouble(), result.Pairs.RewardsChosen, 1e-9);
            Assert.Equal(golden[2][i].GetDouble(), result.Pairs.RewardsRejected, 1e-9);
        }
    }

    [Fact]
    public void The_likelihood_is_a_token_mean_over_the_step_with_its_weight()
    {
        CpoPair[] pairs = [new(new(-6), new(-8), 2, 4), new(new(-3), new(-1), 4, 1)];
        CpoLossOptions bare = new(Likelihood: 0), half = new(Likelihood: 0.5);
        Assert.Equal(1.5, Compute(half, pairs).Likelihood, 1e-15);
        Assert.Equal(0.75, Compute(half, pairs).Loss - Compute(bare, pairs).Loss, 1e-15);
    }

    // x = 2 (-1 + 2) - 0.5 = 1.5
    [Fact]
    public void A_worked_example_of_simpo() =>
        Assert.Equal(Math.Log(1 + Math.Exp(-1.5)), Compute(new(CpoLossType.Simpo, 2, Likelihood: 0), new CpoPair(new(-3), new(-8), 3, 4)).Loss, 1e-15);

    [Fact]
    public void Alphapo_tends_to_simpo() => // its first correction is alpha a^2 / 2
        Assert.Equal(Compute(new(CpoLossType.Simpo, 2, Likelihood: 0), Pairs).Loss, Compute(new(CpoLossType.Simpo, 2, Shape: 1e-7, Likelihood: 0), Pairs).Loss, 1e-5);

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Gradients_are_finite_differences(CpoLossType type)
    {
        foreach (double shape in type == CpoLossType.Simpo ? new[] { 0, 0.25, -0.5 } : [0])
        {
            CpoLossOptions options = new(type, type == CpoLossType.Simpo ? 2 : 0.1, type is CpoLossType.Sigmoid or CpoLossType.Simpo ? 0.1 : 0, Shape: shape, Likelihood: 0.7);
            double[] sums = [.. Pairs.Select(p => p.Chosen.Value), .. Pairs.Select(p => p.Rejected.Value)], chosen = new double[4], rejected = new double[4];
            CpoLoss.Compute(options, Pairs, 4, Pairs.Sum(p => p.ChosenTokens), chosen, rejected);
            for (int i = 0; i < 8; i++)
            {
                double expected = FiniteDifference.Of(sums, i, x => Compute(options, [.. Pairs.Select((p, k) => p with { Chosen = new(x[k]), Rejected = new(x[k + 4]) })]).Loss);
                Assert.Equal(expected, i < 4 ? chosen[i] : rejected[i - 4], 2e-7 * Math.Max(1, Math.Abs(expected)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Log_probs_far_out_stay_finite(CpoLossType type)
    {
        foreach (double w in new[] { 0, -50, -1e4 })
            foreach (double l in new[] { 0, -50, -1e4 })
                foreach (double shape in type == CpoLossType.Simpo ? new[] { 0, 0.25 } : [0])
                {
                    double[] chosen = new double[1], rejected = new double[1];
                    double loss = CpoLoss.Compute(new(type, 1, Shape: shape), [new(new(w), new(l), 1, 3)], 1, 1, chosen, rejected).Loss;
                    Assert.True(double.IsFinite(loss) && double.IsFinite(chosen[0]) && double.IsFinite(rejected[0]), $"{w} {l} {shape}");
                }
    }

    [Fact]
    public void What_no_loss_is_defined_for_is_refused()
    {
        Assert.Contains("simpo", Assert.Throws<BadInputException>(() => Compute(new(CpoLossType.Ipo, Shape: 0.25), Pairs)).Message);
        Assert.Contains("label-smoothing", Assert.Throws<BadInputException>(() => Compute(new(CpoLossType.Hinge, LabelSmoothing: 0.1), Pairs)).Message);
    }
}
