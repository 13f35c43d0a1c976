using Paddock.Engine.Numerics;
using System.Text.Json;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class SftLossTests
{
    // log-probs of the labels that are not -100, from the recorded logits; labels are unshifted, row t predicts label t + 1
    private static double[] GoldenLogProbs()
    {
        JsonElement sft = TrlGolden.Root.GetProperty("sft");
        List<double> logProbs = [];
        foreach ((JsonElement logits, JsonElement labels) in sft.GetProperty("logits").EnumerateArray().Zip(sft.GetProperty("labels").EnumerateArray()))
            for (int t = 0; t + 1 < labels.GetArrayLength(); t++)
                if (labels[t + 1].GetInt32() is >= 0 and int label)
                {
                    double[] row = TrlGolden.Doubles(logits[t]);
                    logProbs.Add(row[label] - ScalarMath.LogSumExp(row));
                }
        return [.. logProbs];
    }

    private static double Loss(SftObjective objective, ReadOnlySpan<double> logProbs, long stepTokens, Span<double> coefficients)
    {
        StepMean mean = default;
        SftLoss.Add(objective, logProbs, stepTokens, ref mean, coefficients);
        return mean.Sum / stepTokens;
    }

    [Fact]
    public void Losses_equal_the_reference()
    {
        JsonElement sft = TrlGolden.Root.GetProperty("sft");
        double[] logProbs = GoldenLogProbs(), coefficients = new double[logProbs.Length];
        Assert.Equal(6, logProbs.Length);
        Assert.Equal(sft.GetProperty("nll").GetDouble(), Loss(SftObjective.NegativeLogLikelihood, logProbs, 6, coefficients), 1e-12);
        Assert.All(coefficients, c => Assert.Equal(-1.0 / 6, c));
        Assert.Equal(sft.GetProperty("dft").GetDouble(), Loss(SftObjective.Dynamic, logProbs, 6, coefficients), 1e-12);
        Assert.Equal(sft.GetProperty("dft_items_10").GetDouble(), Loss(SftObjective.Dynamic, logProbs, 10, coefficients), 1e-12);
        for (int i = 0; i < 6; i++)
            Assert.Equal(-Math.Exp(logProbs[i]) / 10, coefficients[i], 1e-15);
    }

    [Theory]
    [InlineData(SftObjective.NegativeLogLikelihood)]
    [InlineData(SftObjective.Dynamic)]
    public void A_step_in_micro_batches_has_the_bits_of_one_batch(SftObjective objective)
    {
        double[] logProbs = [.. Enumerable.Range(1, 40).Select(i => -Math.Sqrt(i))], whole = new double[40], parts = new double[40];
        StepMean one = default, many = default;
        SftLoss.Add(objective, logProbs, 40, ref one, whole);
        for (int start = 0; start < 40; start += 5)
            SftLoss.Add(objective, logProbs.AsSpan(start, 5), 40, ref many, parts.AsSpan(start, 5));
        Assert.Equal(one.Value, many.Value);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void The_gradient_of_the_likelihood_is_its_finite_difference()
    {
        double[] logProbs = [-0.1, -3, -20], coefficients = new double[3], ignored = new double[3];
        Loss(SftObjective.NegativeLogLikelihood, logProbs, 3, coefficients);
        for (int i = 0; i < 3; i++)
            Assert.Equal(FiniteDifference.Of(logProbs, i, x => Loss(SftObjective.NegativeLogLikelihood, x, 3, ignored)), coefficients[i], 1e-8);
    }

    [Fact]
    public void Nothing_measured_reads_nan() => Assert.True(double.IsNaN(default(StepMean).Value));
}
