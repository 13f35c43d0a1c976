using Paddock.Backends;

namespace Paddock.Tests.Backends;

public class SequenceTests
{
    [Fact]
    public void A_response_is_predicted_from_all_before_it()
    {
        Sequence row = Sequence.ForResponse([2, 3, 4], [5, 6, 1]);
        Assert.Equal([2, 3, 4, 5, 6], row.Input.ToArray());
        Assert.Equal([Sequence.NoTarget, Sequence.NoTarget, 5, 6, 1], row.Targets.ToArray());
    }

    [Fact]
    public void A_response_of_one_token_needs_the_prompt_alone()
    {
        Sequence row = Sequence.ForResponse([2], [5]);
        Assert.Equal([2], row.Input.ToArray());
        Assert.Equal([5], row.Targets.ToArray());
    }

    [Fact]
    public void A_score_is_read_at_the_last_token()
    {
        Sequence row = Sequence.ForScore([2, 3], [5, 1]);
        Assert.Equal([2, 3, 5, 1], row.Input.ToArray());
        Assert.Equal([Sequence.NoTarget, Sequence.NoTarget, Sequence.NoTarget, 0], row.Targets.ToArray());
    }
}
