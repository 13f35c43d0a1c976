using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class SequentialTests
{
    [Theory]
    [InlineData(100, 0.5011645087018738)]
    [InlineData(300, 0.2111020563245485)]
    [InlineData(1000, 0.09846391268211838)]
    [InlineData(2000, 0.06794335304326823)]
    public void The_radius_is_that_of_the_reference(int count, double radius) => Assert.Equal(radius, SequentialTest.Radius(count), 1e-14);

    [Fact]
    public void The_p_value_meets_alpha_where_the_boundary_is_reached()
    {
        SequentialTest at = new(400, 400 * SequentialTest.Radius(400, 0.03));
        Assert.Equal(0.03, at.PValue(), 1e-12);
        Assert.False(new SequentialTest(400, at.Sum - 1e-6).IsDecided(0.03));
        Assert.True(new SequentialTest(400, at.Sum + 1e-6).IsDecided(0.03));
        Assert.Equal(1, new SequentialTest(0, 0).PValue());
        Assert.Equal((-1, 1), (new SequentialTest(0, 0).Interval().Low, new SequentialTest(0, 0).Interval().High));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequentialTest(0, 0).Add(1.5));
    }

    /// <summary>Ties broken by a coin, looked at after every verdict from the 30th to the 2,000th.</summary>
    [Fact]
    public void Looking_all_the_time_is_allowed_here_and_nowhere_else()
    {
        const int Races = 400;
        RandomStream stream = new(2, "race");
        int naive = 0, valid = 0;
        for (int race = 0; race < Races; race++)
        {
            SequentialTest test = default;
            bool fooled = false, wrong = false;
            for (int t = 1; t <= 2000; t++)
            {
                test = test.Add(stream.NextUInt32() % 2 == 0 ? 1 : -1);
                if (t < 30)
                    continue;
                fooled |= Math.Abs(test.Mean) > Gaussian.Z95 * Math.Sqrt((1 - test.Mean * test.Mean) / (t - 1));
                wrong |= test.IsDecided();
            }
            naive += fooled ? 1 : 0;
            valid += wrong ? 1 : 0;
        }
        Assert.InRange(naive, 0.42 * Races, 0.62 * Races); // 52 % in the reference
        Assert.InRange(valid, 0, 0.05 * Races);            // 2.5 %
    }

    [Fact]
    public void A_clear_winner_is_found_about_when_the_reference_finds_it()
    {
        RandomStream stream = new(4, "winner");
        List<int> stops = [];
        for (int race = 0; race < 301; race++)
        {
            SequentialTest test = default;
            while (!test.IsDecided())
                test = test.Add(stream.NextDouble() < 0.65 ? 1 : -1);
            stops.Add(test.Count);
        }
        stops.Sort();
        Assert.InRange(stops[150], 165, 195); // median 180
    }

    [Fact]
    public void Stepwise_decides_no_less_than_an_even_split()
    {
        // five pairs: the even split allows 0.01 each, Holm's steps 0.01, 0.0125, 0.0167, 0.025 and 0.05
        SequentialTest[] pairs = [Reaching(0.001), Reaching(0.012), Reaching(0.016), Reaching(0.024), new(500, 3)];
        Assert.Equal([true, true, true, true, false], SequentialRanking.Decided(pairs));
        Assert.Equal([true, false, false, false, false], pairs.Select(pair => pair.PValue() < 0.05 / 5));

        static SequentialTest Reaching(double p) => new(500, 500 * SequentialTest.Radius(500, p));
    }

    [Fact]
    public void Labels_are_spent_where_the_judge_doubts_and_weigh_by_their_chance()
    {
        double[] pi = ActiveLabelling.Probabilities([0, 1, 1, 100], 2, 0.2);
        Assert.Equal(2, pi.Sum(), 1e-12);
        Assert.Equal(1, pi[3]);
        Assert.Equal(pi[1], pi[2], 1e-15);
        Assert.InRange(pi[0], 0.01, pi[1]);
        Assert.All(ActiveLabelling.Probabilities([0, 0, 0], 3), p => Assert.Equal(1, p));
        Assert.Throws<ArgumentOutOfRangeException>(() => ActiveLabelling.Probabilities([1, 1], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => ActiveLabelling.Probabilities([1, double.NaN], 1));
    }

    [Fact]
    public void With_every_item_labelled_the_estimate_is_the_mean_label()
    {
        (Interval rate, _) = ActiveLabelling.Estimate([0.9, 0.2, 0.5, 0.6], [1, 0, 1, 1], [1, 1, 1, 1]);
        Assert.Equal(0.75, rate.Mean, 1e-15);
        Assert.Equal(0.25, rate.StandardError, 1e-15);
    }

    [Fact]
    public void The_estimate_is_unbiased_for_a_judge_that_is_not()
    {
        RandomStream stream = new(5, "active");
        double[] judge = new double[300], truth = new double[300];
        for (int i = 0; i < judge.Length; i++)
        {
            truth[i] = stream.NextDouble() < 0.4 ? 1 : 0;
            judge[i] = 0.2 + 0.7 * (stream.NextDouble() < 0.8 ? truth[i] : 1 - truth[i]); // mean about 0.5
        }
        double[] pi = ActiveLabelling.Probabilities([.. judge.Select(ActiveLabelling.Doubt)], 60);
        double sum = 0;
        const int Repeats = 2000;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            bool[] chosen = ActiveLabelling.Choose(pi, stream.Split((ulong)repeat));
            sum += ActiveLabelling.Estimate(judge, [.. truth.Select((y, i) => chosen[i] ? y : (double?)null)], pi, lambda: 1).Rate.Mean;
        }
        Assert.Equal(truth.Average(), sum / Repeats, 0.006); // four standard errors of the mean of 2,000
        Assert.True(Math.Abs(judge.Average() - truth.Average()) > 0.03);
    }
}
