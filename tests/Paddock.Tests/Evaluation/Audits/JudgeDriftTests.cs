using Paddock.Engine.Numerics;
using Paddock.Evaluation.Audits;

namespace Paddock.Tests.Evaluation.Audits;

public class JudgeDriftTests
{
    private static readonly AuditSettings Quick = new(1, 300);

    [Fact]
    public void Hand_made_anchors()
    {
        // one pair moved from 1 to 2, three stayed; asked once each time, so there is no chance to compare with
        DriftResult result = JudgeDrift.Of([new("1", "a", "b", 0), new("2", "a", "b", 1), new("3", "a", "b", 0), new("4", "a", "b", 1)],
            [new("1", "a", "b", 1), new("2", "a", "b", 1), new("3", "b", "a", 1), new("4", "a", "b", 1), new("5", "a", "b", 1)], Quick)!;
        Assert.Equal((0.25, 0.25, 4), (result.Shift.Mean, result.Changed.Mean, result.Pairs));
        Assert.Null(result.Excess);
        Assert.Null(result.Alarm);
        Assert.Null(JudgeDrift.Of([new("1", "a", "b", 0)], [new("2", "a", "b", 0)], Quick));
    }

    [Fact]
    public void A_noisy_judge_that_did_not_change_rarely_alarms_and_one_that_did_always()
    {
        int falseAlarms = 0, missed = 0;
        for (ulong run = 0; run < 40; run++)
        {
            List<PairVerdict> before = Judge(run, 0, 0.9), same = Judge(run, 1, 0.9);
            // the same strength, but on every fifth pair its mind is another: no shift to a side
            List<PairVerdict> other = [.. Judge(run, 2, 0.9).Select((v, i) => i / 2 % 5 == 0 ? v with { Score = 1 - v.Score } : v)];
            falseAlarms += JudgeDrift.Of(before, same, Quick)!.Alarm != null ? 1 : 0;
            missed += JudgeDrift.Of(before, other, Quick)!.Alarm == null ? 1 : 0;
        }
        Assert.InRange(falseAlarms, 0, 4); // 2 % of 40 on average
        Assert.InRange(missed, 0, 2);
        DriftResult shifted = JudgeDrift.Of(Judge(1, 0, 0.8), [.. Judge(1, 1, 0.8).Select((v, i) => i % 5 == 0 ? v with { Score = 1 } : v)], Quick)!;
        Assert.Equal("preferences moved to one side", shifted.Alarm);
        Assert.True(shifted.Excess!.Mean > -0.1);
    }

    // two labels of each of 300 pairs; the better answer is named with this probability
    private static List<PairVerdict> Judge(ulong run, int time, double right)
    {
        RandomStream truth = new(run, "truth"), noise = new(run, $"noise/{time}");
        List<PairVerdict> verdicts = [];
        for (int i = 0; i < 300; i++)
        {
            int better = truth.NextInt(2);
            for (int k = 0; k < 2; k++)
                verdicts.Add(new($"{i}", "a", "b", noise.NextDouble() < right ? better : 1 - better));
        }
        return verdicts;
    }
}
