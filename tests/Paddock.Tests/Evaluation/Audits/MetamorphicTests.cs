using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;

namespace Paddock.Tests.Evaluation.Audits;

/// <summary>What must not matter, and what must show, in any set of verdicts.</summary>
public class MetamorphicTests
{
    private static readonly AuditSettings Quick = new(7, 300);

    [Fact]
    public void Writing_every_pair_the_other_way_round_changes_no_agreement()
    {
        (List<PairVerdict> judge, List<PairVerdict> people) = Random(120, ties: false);
        JudgeAuditResult straight = JudgeAudit.Of("judge", judge, people, settings: Quick), turned = JudgeAudit.Of("judge", [.. judge.Select(Turn)], people, settings: Quick);
        Assert.Equal(straight.Repeats!.OneVersusOne, turned.Repeats!.OneVersusOne); // not the variance: of two others that differ the vote is the second, by AlpacaEval's rule
        Assert.Equal(straight.Repeats.Alpha.Mean, turned.Repeats.Alpha.Mean, 1e-12);
        Assert.Equal(straight.Calibration!.Ece.Mean, turned.Calibration!.Ece.Mean, 1e-12);
        Assert.Equal(straight.People!.Percent.N, turned.People!.Percent.N);
        Assert.Equal(1, straight.PreferFirst.Mean + turned.PreferFirst.Mean, 1e-12);
        Assert.Equal(straight.Longer!.Judge.Mean, turned.Longer!.Judge.Mean, 1e-12);
    }

    [Fact]
    public void A_judge_that_always_says_A_scores_half_over_both_orders()
    {
        List<PairVerdict> verdicts = [.. Enumerable.Range(0, 100).SelectMany(i => new PairVerdict[] { new($"{i}", "x", "y", 0), new($"{i}", "y", "x", 0) })];
        PositionResult result = JudgeAudit.Of("A", verdicts, settings: Quick).Position!;
        Assert.Equal(0.5, result.BothOrders!.Mean);
        Assert.Equal((1.0, 0.0, 1.0), (result.FirstWins.Mean, result.Consistency!.Mean, result.FlipRate!.Mean));
        Assert.Equal(0.5, result.Primacy);
        Assert.True(result.SignTest < 1e-50);
        Assert.Equal((200, 100), (result.Verdicts, result.Pairs));
        Assert.Equal(0.5, WinRate.CombineOrders(0, 0));
    }

    [Fact]
    public void The_same_is_seen_where_rows_tell_the_order_of_showing()
    {
        List<PairVerdict> told = [.. Enumerable.Range(0, 50).Select(i => new PairVerdict($"{i}", "x", "y", 0.5) { Shown = [new(false, 0), new(true, 1)] })];
        PositionResult result = JudgeAudit.Of("A", told, settings: Quick).Position!;
        Assert.Equal((1.0, 0.0, 1.0, 0.5), (result.FirstWins.Mean, result.Consistency!.Mean, result.FlipRate!.Mean, result.BothOrders!.Mean));
        // one order alone: primacy can be seen, consistency cannot; 60 of 100 for the answer shown first
        PositionResult one = JudgeAudit.Of("A", [.. Enumerable.Range(0, 100).Select(i => new PairVerdict($"{i}", "x", "y", 0) { Shown = [new(i % 10 >= 6, 0)] })], settings: Quick).Position!;
        Assert.Equal(0.6, one.FirstWins.Mean, 1e-12);
        Assert.Equal(0.05688793364098079, one.SignTest, 1e-12);
        Assert.Null(one.Consistency);
    }

    [Fact]
    public void A_judge_of_the_answers_alone_is_consistent_and_has_no_primacy()
    {
        List<PairVerdict> verdicts = [.. Enumerable.Range(0, 40).SelectMany(i => new PairVerdict[] { new($"{i}", "x", "y", i % 2), new($"{i}", "y", "x", 1 - i % 2) })];
        PositionResult result = JudgeAudit.Of("fair", verdicts, settings: Quick).Position!;
        Assert.Equal((0.5, 1.0, 0.0, 0.0), (result.FirstWins.Mean, result.Consistency!.Mean, result.FlipRate!.Mean, result.Primacy));
        Assert.Equal(1, result.SignTest);
    }

    [Fact]
    public void An_answer_against_itself_says_nothing_of_position_or_circles()
    {
        JudgeAuditResult audit = JudgeAudit.Of("judge", [new("p", "a", "a", 0.5), new("p", "a", "a", 0.5)], settings: Quick);
        Assert.Null(audit.Position);
        Assert.Null(audit.Transitivity);
        Assert.Equal(0, audit.Repeats!.Variance.Mean);
        Assert.Null(audit.Longer);
    }

    [Fact]
    public void Copies_of_a_prompt_are_one_unit()
    {
        (List<PairVerdict> judge, List<PairVerdict> people) = Random(60, ties: true);
        JudgeAuditResult once = JudgeAudit.Of("judge", judge, people, settings: Quick);
        // the same pair of another wording of the answers, but of the same prompts
        JudgeAuditResult twice = JudgeAudit.Of("judge", [.. judge, .. judge.Select(Copy)], [.. people, .. people.Select(Copy)], settings: Quick);
        Assert.Equal(once.People!.Agreement, twice.People!.Agreement);
        Assert.Equal(once.People.Kappa, twice.People.Kappa);
        Assert.Equal(once.Repeats!.Variance, twice.Repeats!.Variance);
        Assert.Equal(2 * once.Pairs, twice.Pairs);

        static PairVerdict Copy(PairVerdict verdict) => verdict with { First = verdict.First + " ", Second = verdict.Second + " " };
    }

    [Fact]
    public void The_order_of_people_s_rows_and_the_side_they_wrote_first_do_not_matter()
    {
        (List<PairVerdict> judge, List<PairVerdict> people) = Random(50, ties: false);
        JudgeAuditResult straight = JudgeAudit.Of("judge", judge, people, settings: Quick);
        people.Reverse();
        JudgeAuditResult turned = JudgeAudit.Of("judge", judge, [.. people.Select(Turn)], settings: Quick);
        Assert.Equal(straight.People, turned.People);
        Assert.Equal(straight.LengthSlope!.Mean, turned.LengthSlope!.Mean, 1e-12);
    }

    [Fact]
    public void The_seed_gives_the_interval_and_only_the_interval()
    {
        (List<PairVerdict> judge, List<PairVerdict> people) = Random(80, ties: true);
        Interval first = JudgeAudit.Of("judge", judge, people, settings: new(1, 300)).People!.Kappa, again = JudgeAudit.Of("judge", judge, people, settings: new(1, 300)).People!.Kappa;
        Interval other = JudgeAudit.Of("judge", judge, people, settings: new(2, 300)).People!.Kappa;
        Assert.Equal(first, again);
        Assert.Equal(first.Mean, other.Mean);
        Assert.NotEqual(first.Low, other.Low);
    }

    private static PairVerdict Turn(PairVerdict verdict) => verdict with { First = verdict.Second, Second = verdict.First, Score = 1 - verdict.Score };

    // three labels of a judge and three of people on pairs whose answers differ in length
    private static (List<PairVerdict> Judge, List<PairVerdict> People) Random(int prompts, bool ties)
    {
        RandomStream stream = new(11, "audits");
        List<PairVerdict> judge = [], people = [];
        for (int i = 0; i < prompts; i++)
        {
            string a = new('a', 10 + stream.NextInt(150)), b = new('b', 10 + stream.NextInt(150));
            double quality = stream.NextDouble();
            for (int k = 0; k < 3; k++)
            {
                judge.Add(new($"{i}", a, b, Label(quality)));
                people.Add(new($"{i}", a, b, Label(quality)));
            }
        }
        return (judge, people);

        double Label(double quality) => ties && stream.NextInt(8) == 0 ? 0.5 : stream.NextDouble() < quality ? 1 : 0;
    }
}
