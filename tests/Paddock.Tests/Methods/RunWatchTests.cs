using Paddock.Methods;

namespace Paddock.Tests.Methods;

public class RunWatchTests
{
    private static readonly RolloutMetrics Healthy = new(Reward: 1, RewardDeviation: 0.5, Unscored: 0, FlatGroups: 0, Kl: 1, Entropy: 2, Length: 10, MinLength: 5, MaxLength: 20, Truncated: 0.1, TerminatedLength: 9);

    private static List<string> Watch(params RolloutMetrics[] steps)
    {
        WatchState state = WatchState.Start;
        List<string> told = [];
        foreach (RolloutMetrics step in steps)
        {
            (state, IReadOnlyList<string> warnings) = RunWatch.Observe(state, step);
            told.AddRange(warnings);
        }
        return told;
    }

    [Fact]
    public void A_healthy_run_is_told_nothing() => Assert.Empty(Watch([.. Enumerable.Repeat(Healthy, 20)]));

    [Fact]
    public void Each_trouble_is_told_once_in_plain_words()
    {
        Assert.Contains("hardly explores", Assert.Single(Watch(Healthy, Healthy with { Entropy = 0.1 }, Healthy with { Entropy = 0.1 })));
        Assert.Contains("paid for length", Assert.Single(Watch(Healthy, Healthy with { Length = 25, Reward = 2 })));
        Assert.Contains("nats an answer away", Assert.Single(Watch(Healthy, Healthy with { Kl = 60 })));
        Assert.Contains("nothing to learn from", Assert.Single(Watch([.. Enumerable.Repeat(Healthy with { RewardDeviation = 0 }, 9)])));
        Assert.Contains("never ended", Assert.Single(Watch(Healthy with { Truncated = 0.9 })));
        Assert.Contains("got no reward", Assert.Single(Watch(Healthy with { Unscored = 0.5 })));
    }

    [Fact]
    public void Longer_answers_that_are_not_paid_for_are_no_hack() => Assert.Empty(Watch(Healthy, Healthy with { Length = 25, Reward = 0.5 }));

    [Fact]
    public void Rewards_must_stay_flat_to_be_told() => Assert.Empty(Watch([.. Enumerable.Range(0, 20).Select(i => i % 5 == 4 ? Healthy : Healthy with { FlatGroups = 1 })]));

    [Fact]
    public void What_is_measured_of_answers_by_hand()
    {
        Rollout[] rollouts = [new(0, [2], [3, 1], [-1, -2], true), new(0, [2], [3, 4, 5], [-1, -1, -1], false)];
        RolloutMetrics look = RolloutMetrics.Of(rollouts, [1, double.NaN], 2, [[-2, -2], [-1, -1, 0]]);
        Assert.Equal((1.0, 0.5, 1.0), (look.Reward, look.Unscored, look.FlatGroups));
        Assert.Equal((1.0 - 1) / 2, look.Kl);
        Assert.Equal(6.0 / 5, look.Entropy);
        Assert.Equal((2.5, 2, 3, 0.5, 2), (look.Length, look.MinLength, look.MaxLength, look.Truncated, look.TerminatedLength));
        Assert.True(double.IsNaN(RolloutMetrics.Of(rollouts, [1, 2], 1, null).Kl));
    }
}
