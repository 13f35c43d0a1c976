using Paddock.Backends;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class LogProbsTests
{
    [Fact]
    public void A_coefficient_is_spread_over_the_responses_tokens_alone()
    {
        Sequence sequence = Sequence.ForResponse([5, 6, 7], [8, 9]);
        Assert.Equal(2, ResponseOutputs.Count(sequence));
        Assert.Equal([0, 0, -0.5f, -0.5f], ResponseOutputs.Spread(sequence, -0.5).ToArray());
        Assert.Equal([0, 0, -0.5f, -0.125f], ResponseOutputs.Spread(sequence, -0.5, 1, 0.25).ToArray());
    }

    [Fact]
    public void Wanted_outputs_are_gathered_and_coefficients_put_back_in_their_places()
    {
        Sequence sequence = Sequence.ForResponse([5, 6, 7], [8, 9]);
        double[] wanted = new double[2];
        ResponseOutputs.Gather(sequence, [0, 0, -1.5f, -2.5f], wanted);
        Assert.Equal([-1.5, -2.5], wanted);
        Assert.Equal([0, 0, 0.25f, 0.5f], ResponseOutputs.Scatter(sequence, [0.25, 0.5]).ToArray());
        Assert.Equal([0, 0, 7], ResponseOutputs.Scatter(Sequence.ForScore([1, 2], [3]), [7]).ToArray());
    }

    [Fact]
    public void A_mean_is_per_response_token()
    {
        SumLogProb sum = SumLogProb.Of([0, 0, -1.5f, -2.5f]);
        Assert.Equal(-4, sum.Value);
        Assert.Equal(-2, sum.Mean(2).Value);
    }

    [Fact]
    public void Length_desensitising_discounts_the_tail_beyond_the_shared_length()
    {
        Assert.Equal(-1 - 2 - 0.5 * 7, SumLogProb.LengthDesensitised([-1, -2, -3, -4], 2, 0.5).Value);
        Assert.Equal(-10, SumLogProb.LengthDesensitised([-1, -2, -3, -4], 4, 0.5).Value);
        Assert.Equal(-10, SumLogProb.LengthDesensitised([-1, -2, -3, -4], 1, 1).Value);
    }
}
