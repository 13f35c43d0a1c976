using System.Text.Json;
using Paddock.Methods;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class OnlinePairLossTests
{
    private static readonly JsonElement Online = OnlineGolden.Root.GetProperty("online_dpo"), Inputs = OnlineGolden.Root.GetProperty("xpo_nash_inputs");

    // sums of the policy's and the reference's log-probs of dpo_inputs: rows 0-3 are the policy's answers, 4-7 the other's
    private static readonly double[] Sums = [.. Enumerable.Range(0, 8).Select(row => TrlGolden.Tokens(row).Sum())];

    [Theory]
    [InlineData("sigmoid", OnlinePairLossType.Sigmoid)]
    [InlineData("ipo", OnlinePairLossType.Ipo)]
    public void Online_dpo_equals_the_reference(string name, OnlinePairLossType type)
    {
        double[] rewards = TrlGolden.Doubles(Online.GetProperty("rewards"));
        double[][] policy = OnlineGolden.Masked(Online.GetProperty("logprobs"), Online.GetProperty("mask")), reference = OnlineGolden.Masked(Online.GetProperty("ref"), Online.GetProperty("mask"));
        // the reference has all first answers, then all second ones
        int[] rows = [0, 3, 1, 4, 2, 5];
        (int Chosen, int Rejected)[] pairs = OnlineDpo.Order([.. rows.Select(r => rewards[r])]);
        Assert.Equal(Online.GetProperty("chosen_indices").EnumerateArray().Select(i => i.GetInt32()), pairs.Select(p => rows[p.Chosen]));
        Assert.Equal(Online.GetProperty("rejected_indices").EnumerateArray().Select(i => i.GetInt32()), pairs.Select(p => rows[p.Rejected]));
        PairLogProbs[] logProbs = [.. pairs.Select(p => Pair(policy[rows[p.Chosen]].Sum(), policy[rows[p.Rejected]].Sum(), reference[rows[p.Chosen]].Sum(), reference[rows[p.Rejected]].Sum()))];
        Assert.Equal(Online.GetProperty(name).GetDouble(), Loss(type, logProbs), 1e-9);
    }

    [Theory]
    [InlineData("sigmoid", OnlinePairLossType.Sigmoid)]
    [InlineData("ipo", OnlinePairLossType.Ipo)]
    public void Xpo_equals_the_reference(string name, OnlinePairLossType type)
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("xpo").GetProperty(name);
        bool[] won = [.. Inputs.GetProperty("chosen_mask").EnumerateArray().Select(m => m.GetBoolean())];
        double alpha = Inputs.GetProperty("alpha").GetDouble();
        PairLogProbs[] logProbs = [.. Enumerable.Range(0, 4).Select(i => won[i] ? Pair(Sums[i], Sums[4 + i], TrlGolden.Reference[i], TrlGolden.Reference[4 + i])
            : Pair(Sums[4 + i], Sums[i], TrlGolden.Reference[4 + i], TrlGolden.Reference[i]))];
        Assert.Equal(golden[0].GetDouble(), Loss(type, logProbs) + alpha * Sums[4..].Average(), 1e-9);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(golden[1][i].GetDouble(), Loss(type, [logProbs[i]]), 1e-9);
            Assert.Equal(golden[2][i].GetDouble(), alpha * Sums[4 + i], 1e-9);
        }
    }

    [Fact]
    public void Nash_md_equals_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("nash_md");
        double[] p = TrlGolden.Doubles(Inputs.GetProperty("probability"));
        double[][] references = ReferenceTokens();
        double loss = 0;
        for (int i = 0; i < 4; i++)
        {
            double[] tokens = TrlGolden.Tokens(i);
            (double score, double kl, double one) = OnlinePairLoss.NashMd(tokens, references[i], p[i], 0.1, new double[tokens.Length]);
            Assert.Equal(golden[1][i].GetDouble(), score, 1e-9);
            Assert.Equal(golden[2][i].GetDouble(), kl, 1e-9);
            loss += one / 4;
        }
        Assert.Equal(golden[0].GetDouble(), loss, 1e-9);
    }

    // the log-ratio is held fixed
    [Fact]
    public void The_gradient_of_nash_md_holds_the_ratio_fixed()
    {
        double[] now = [-1, -2.5], reference = [-1.5, -2], gradient = new double[2];
        OnlinePairLoss.NashMd(now, reference, 0.8, 0.1, gradient);
        Assert.Equal(0.1 * 0.5 - 0.3, gradient[0], 1e-12);
        Assert.Equal(0.1 * -0.5 - 0.3, gradient[1], 1e-12);
    }

    [Theory]
    [InlineData(OnlinePairLossType.Sigmoid)]
    [InlineData(OnlinePairLossType.Ipo)]
    public void Gradients_are_those_of_the_losses(OnlinePairLossType type)
    {
        double[] at = [-3, -5, -2, -4, -9, -1];
        PairLogProbs[] Pairs(double[] x) => [Pair(x[0], x[1], -3.5, -4), Pair(x[2], x[3], -2, -7), Pair(x[4], x[5], -8, -2)];
        double[] chosen = new double[3], rejected = new double[3];
        OnlinePairLoss.Dpo(type, 0.1, Pairs(at), chosen, rejected);
        for (int i = 0; i < 6; i++)
        {
            double expected = FiniteDifference.Of(at, i, x => Loss(type, Pairs(x)));
            Assert.Equal(expected, (i % 2 == 0 ? chosen : rejected)[i / 2], 1e-7 * Math.Max(1, Math.Abs(expected)));
        }
    }

    [Fact]
    public void The_first_of_two_equal_answers_is_chosen_and_an_unscored_pair_is_left_out() =>
        Assert.Equal([(0, 1), (5, 4)], OnlineDpo.Order([1, 1, double.NaN, 2, 3, 4]));

    [Theory]
    [InlineData(0.5, 1, 0.2, -1.2, 0)] // rho is beyond 1.2: held, no gradient
    [InlineData(0.05, 1, 0.2, -1.0512710963760241, -1.0512710963760241)]
    [InlineData(-0.5, -1, 0.2, 0.8, 0)]
    [InlineData(0.5, -1, 0.2, 1.6487212707001282, 1.6487212707001282)]
    public void The_loss_on_a_whole_answer_by_hand(double logRatio, double advantage, double clip, double loss, double gradient)
    {
        Assert.Equal(loss, RlooLoss.Of(new(logRatio - 3), new(-3), advantage, clip, clip, out double found, new GrpoSums()), 1e-12);
        Assert.Equal(gradient, found, 1e-12);
    }

    [Fact]
    public void Rloo_equals_the_reference()
    {
        JsonElement inputs = OnlineGolden.Root.GetProperty("grpo_inputs"), golden = OnlineGolden.Root.GetProperty("rloo");
        double[][] now = OnlineGolden.Masked(inputs.GetProperty("new"), inputs.GetProperty("mask")), old = OnlineGolden.Masked(inputs.GetProperty("old"), inputs.GetProperty("mask"));
        double[] advantages = TrlGolden.Doubles(inputs.GetProperty("advantages"));
        GrpoSums sums = new();
        double loss = 0;
        for (int i = 0; i < 4; i++)
            loss += RlooLoss.Of(new(now[i].Sum()), new(old[i].Sum()), advantages[i], 0.2, 0.2, out _, sums) / 4;
        Assert.Equal(golden.GetProperty("loss").GetDouble(), loss, 1e-9);
        Assert.Equal(0.25, sums.High.Value);
        Assert.Equal(0, sums.Low.Value);
    }

    private static PairLogProbs Pair(double chosen, double rejected, double referenceChosen, double referenceRejected) => new(new(chosen), new(rejected), new(referenceChosen), new(referenceRejected), 3, 5);

    private static double Loss(OnlinePairLossType type, PairLogProbs[] pairs) => OnlinePairLoss.Dpo(type, 0.1, pairs, new double[pairs.Length], new double[pairs.Length]).Loss;

    private static double[][] ReferenceTokens()
    {
        double[][] tokens = OnlineGolden.Rows(TrlGolden.Root.GetProperty("dpo_inputs").GetProperty("ref_per_token"));
        return [.. tokens.Select((row, i) => row.Where((_, t) => TrlGolden.Masks[i][t] == 1).ToArray())];
    }
}
