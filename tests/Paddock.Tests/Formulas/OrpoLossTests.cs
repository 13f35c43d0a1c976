using System.Text.Json;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class OrpoLossTests
{
    private const double Beta = 0.1;

    private static readonly JsonElement Golden = TrlGolden.Preferences.GetProperty("orpo");

    private static OrpoPair[] Pairs { get; } = [.. TrlGolden.Doubles(Golden.GetProperty("avg_chosen")).Zip(TrlGolden.Doubles(Golden.GetProperty("avg_rejected")), (w, l) => new OrpoPair(new(w), new(l), new(3 * w)))];

    [Fact]
    public void The_odds_term_equals_the_reference()
    {
        JsonElement expected = Golden.GetProperty("out");
        for (int i = 0; i < 4; i++)
        {
            OrpoLossResult one = OrpoLoss.Compute(Beta, [Pairs[i]], 1, 3, new double[1], new double[1]);
            Assert.Equal(expected[0][i].GetDouble(), one.Likelihood - one.Loss, 1e-8); // recorded in float32
            Assert.Equal(expected[1][i].GetDouble(), one.Pairs.RewardsChosen, 2e-8);
            Assert.Equal(expected[2][i].GetDouble(), one.Pairs.RewardsRejected, 2e-8);
        }
        OrpoLossResult all = OrpoLoss.Compute(Beta, Pairs, 4, 12, new double[4], new double[4]);
        Assert.Equal(expected[3].GetDouble(), all.LogOddsRatio, 1e-7);
        Assert.Equal(expected[4].GetDouble(), all.LogOddsChosen, 1e-7);
        Assert.Equal(-Pairs.Sum(p => p.Likelihood.Value) / 12, all.Likelihood, 1e-15);
    }

    // p = 1/2 against 1/5: odds 1 and 1/4, their ratio 4, s(ln 4) = 4/5
    [Fact]
    public void A_worked_example()
    {
        OrpoLossResult result = OrpoLoss.Compute(1, [new(new(Math.Log(0.5)), new(Math.Log(0.2)), new(-6))], 1, 4, new double[1], new double[1]);
        Assert.Equal(Math.Log(4), result.LogOddsChosen, 1e-15);
        Assert.Equal(1.5 - Math.Log(0.8), result.Loss, 1e-15);
    }

    [Fact]
    public void Gradients_are_finite_differences()
    {
        double[] means = [.. Pairs.Select(p => p.Chosen.Value), .. Pairs.Select(p => p.Rejected.Value), .. Pairs.Select(p => p.Likelihood.Value)], chosen = new double[4], rejected = new double[4];
        OrpoLoss.Compute(Beta, Pairs, 4, 12, chosen, rejected);
        for (int i = 0; i < 12; i++)
        {
            double expected = FiniteDifference.Of(means, i, x => OrpoLoss.Compute(Beta, [.. Pairs.Select((_, k) => new OrpoPair(new(x[k]), new(x[k + 4]), new(x[k + 8])))], 4, 12, new double[4], new double[4]).Loss);
            Assert.Equal(expected, i < 4 ? chosen[i] : i < 8 ? rejected[i - 4] : -1.0 / 12, 1e-8);
        }
    }

    [Fact]
    public void Parts_of_a_step_add_up_to_it()
    {
        double[] whole = new double[4], parts = new double[4], others = new double[4];
        double loss = OrpoLoss.Compute(Beta, Pairs, 4, 12, whole, others).Loss;
        double sum = OrpoLoss.Compute(Beta, Pairs.AsSpan(0, 1), 4, 12, parts.AsSpan(0, 1), new double[1]).Loss + OrpoLoss.Compute(Beta, Pairs.AsSpan(1), 4, 12, parts.AsSpan(1), new double[3]).Loss;
        Assert.Equal(loss, sum, 1e-15);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Answers_that_are_certain_or_impossible_stay_finite()
    {
        foreach (double w in new[] { 0, -1e-12, -1e-6, -1, -50, -1e4 })
            foreach (double l in new[] { 0, -1e-12, -1e-6, -1, -50, -1e4 })
            {
                double[] chosen = new double[1], rejected = new double[1];
                OrpoLossResult result = OrpoLoss.Compute(Beta, [new(new(w), new(l), new(w))], 1, 1, chosen, rejected);
                Assert.True(double.IsFinite(result.Loss) && double.IsFinite(chosen[0]) && double.IsFinite(rejected[0]), $"{w} {l}");
            }
    }
}
