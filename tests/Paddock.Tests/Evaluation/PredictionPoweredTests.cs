using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class PredictionPoweredTests
{
    private static readonly double[] Human = [1, 0, 1, 1, 0, 1, 0, 1, 1, 0], Judge = [1, 0, 1, 0, 0, 1, 1, 1, 1, 0];
    private static readonly double[] Unlabelled = [.. Enumerable.Repeat(1.0, 28), .. Enumerable.Repeat(0.0, 12)];

    [Fact]
    public void Lambda_estimate_and_error_are_those_of_the_reference()
    {
        double lambda = PredictionPowered.Lambda(Human, Judge, Unlabelled);
        Assert.Equal(0.5604575163398692, lambda, 1e-14);
        PredictionPoweredResult result = PredictionPowered.WithLambda(Human, Judge, Unlabelled, lambda);
        Assert.Equal(0.6560457516339869, result.Rate.Mean, 1e-14);
        Assert.Equal(0.13891696450231347, result.Rate.StandardError, 1e-14);
    }

    [Theory]
    [InlineData(1, 0.7, 0.16615305476228115)]
    [InlineData(0, 0.6, 0.16329931618554522)]
    public void Lambda_one_is_PPI_and_zero_is_the_human_mean(double lambda, double mean, double error)
    {
        PredictionPoweredResult result = PredictionPowered.WithLambda(Human, Judge, Unlabelled, lambda);
        Assert.Equal(mean, result.Rate.Mean, 1e-14);
        Assert.Equal(error, result.Rate.StandardError, 1e-14);
    }

    [Fact]
    public void Few_labels_or_a_useless_judge_leave_the_human_mean()
    {
        Interval few = PredictionPowered.Of(Human, Judge, Unlabelled).Rate;
        Assert.Equal((0.6, "human labels alone (fewer than 30)"), (few.Mean, few.Method));
        double[] human = [.. Enumerable.Range(0, 40).Select(i => i % 2 * 1.0)], constant = [.. Enumerable.Repeat(0.5, 40)], reversed = [.. human.Select(h => 1 - h)];
        Assert.Equal((0.5, 0.0), (PredictionPowered.Of(human, constant, Unlabelled).Rate.Mean, PredictionPowered.Of(human, constant, Unlabelled).Lambda));
        Assert.Equal("human labels alone (the judge does not help)", PredictionPowered.Of(human, reversed, Unlabelled).Rate.Method);
        Assert.Equal("human labels alone (no verdicts beyond them)", PredictionPowered.Of(human, human, []).Rate.Method);
    }

    [Fact]
    public void A_good_judge_is_worth_labels()
    {
        RandomStream stream = new(7, "ppi");
        double[] human = new double[200], judge = new double[200], more = new double[2000];
        for (int i = 0; i < human.Length + more.Length; i++)
        {
            double y = stream.NextDouble() < 0.55 ? 1 : 0, f = stream.NextDouble() < 0.9 ? y : 1 - y;
            if (i < human.Length)
                (human[i], judge[i]) = (y, f);
            else
                more[i - human.Length] = f;
        }
        PredictionPoweredResult result = PredictionPowered.Of(human, judge, more);
        Assert.Equal("PPI++", result.Rate.Method);
        Assert.InRange(result.EffectiveLabels, 1.5 * 200, 4 * 200);
        Assert.True(result.Rate.StandardError < result.HumanOnly.StandardError);
        Assert.InRange(result.Correlation, 0.7, 0.9);
    }

    [Fact]
    public void Rogan_and_Gladen_undo_a_known_judge() =>
        Assert.Equal(0.7142857142857143, PredictionPowered.RoganGladen(0.6, 500, 0.8, 100, 0.9, 100).Mean, 1e-14);

    [Theory]
    [InlineData(0.66, 700, 1.0984182776801406)]
    [InlineData(0.66, 5000, 1.1115954664341763)]
    [InlineData(0.80, 700, 1.4598540145985404)]
    [InlineData(0.80, 5000, 1.5454545454545456)]
    [InlineData(0.88, 700, 2.021835826930853)]
    [InlineData(0.88, 5000, 2.305605786618445)]
    public void Agreement_forecasts_what_a_judge_saves(double agreement, int unlabelled, double factor) =>
        Assert.Equal(factor, Power.LabelFactor(Power.CorrelationOfAgreement(agreement), 100, unlabelled), 1e-12);

    [Fact]
    public void Plans_of_size()
    {
        Assert.Equal((385, 1068), (Power.PromptsForHalfWidth(0.05), Power.PromptsForHalfWidth(0.03)));
        int n = Power.PromptsForDifference(0.05, 0.5);
        Assert.Equal(785, n); // (1.959964 + 0.841621)^2 * 0.25 / 0.0025 = 784.9
        Assert.InRange(Power.OfDifference(0.05, 0.5, n), 0.8, 0.801);
        Assert.Equal(0.05, Power.OfDifference(0, 0.5, n), 1e-12);
        Assert.Equal(1.6, Power.DesignEffect(4, 0.2), 1e-12);
        int labels = Power.LabelsForHalfWidth(0.05, 0.5, 0.6, 5000);
        Assert.InRange(labels, 385 * 0.6, 385 * 0.7); // the factor is 1/(1 - 0.36 * 0.95) = 1.52
        Assert.True(labels * Power.LabelFactor(0.6, labels, 5000 - labels) >= 385);
        Assert.Equal(-1, Power.LabelsForHalfWidth(0.05, 0.5, 0.6, 100));
        Assert.Equal(385, Power.LabelsForHalfWidth(0.05, 0.5, 0, 5000));
    }
}
