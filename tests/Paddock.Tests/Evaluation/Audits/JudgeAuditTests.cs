using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;

namespace Paddock.Tests.Evaluation.Audits;

public class JudgeAuditTests
{
    private static readonly AuditSettings Quick = new(3, 400);

    [Fact]
    public void Two_pairs_of_alpaca_eval_s_documentation()
    {
        // judge [1,1,1,1], [2,2,2,1]; people [1,1,1,2], [2,2,1,1]: votes 1 and (of the tie) 2
        JudgeAuditResult audit = JudgeAudit.Of("judge", [.. Labels("p", 0, 0, 0, 0), .. Labels("q", 1, 1, 1, 0)], [.. Labels("p", 0, 0, 0, 1), .. Labels("q", 1, 1, 0, 0)], settings: Quick);
        Assert.Equal(0.125, audit.Repeats!.Variance.Mean, 1e-15);
        Assert.Equal(0.75, audit.Repeats.OneVersusOne.Mean, 1e-15);
        Assert.Equal(0.875, audit.People!.Agreement.Mean, 1e-15);
        Assert.Equal(0, audit.People.Bias!.Mean);
        // people on p: three 1 against {1,1,2} agree, the 2 does not; on q: a 2 against {2,1,1}, a 1 against {2,2,1}: all four wrong
        Assert.Equal(3 / 8.0, audit.People.People!.Mean, 1e-15);
        // 1 - (9 + 1)/16 on q, 0 on p
        Assert.Equal(0.375 / 2, audit.Repeats.Gini.Mean, 1e-15);
        Assert.Equal((8, 8, 2, 2), (audit.Verdicts, audit.Parsed, audit.Pairs, audit.Prompts));
        Assert.Equal(5 / 8.0, audit.PreferFirst.Mean, 1e-15);
    }

    [Fact]
    public void Agreement_coefficients_of_a_known_table()
    {
        // the judge in rows, people in columns: [20, 5; 10, 15], whose kappa is 0.40 and AC1 0.40594
        List<PairVerdict> judge = [], people = [];
        foreach ((int count, double label, double vote) in new[] { (20, 0.0, 0.0), (5, 0, 1), (10, 1, 0), (15, 1, 1) })
            for (int i = 0; i < count; i++)
            {
                judge.Add(new($"{judge.Count}", "a", "b", label));
                people.Add(new($"{people.Count}", "a", "b", vote));
            }
        HumanComparisonResult result = JudgeAudit.Of("judge", judge, people, settings: Quick).People!;
        Assert.Equal(0.7, result.Percent.Mean, 1e-15);
        Assert.Equal(0.7, result.Agreement.Mean, 1e-15);
        Assert.Equal(0.40, result.Kappa.Mean, 1e-14);
        Assert.Equal(0.40594059405940586, result.Ac1.Mean, 1e-14);
        Assert.Null(result.People);
        Assert.Null(result.Bias);
        Assert.InRange(result.Kappa.Low, 0.05, 0.3);
        Assert.InRange(result.Kappa.High, 0.5, 0.75);
        Assert.Equal((50, 50), (result.Pairs, result.Kappa.N));
    }

    [Fact]
    public void Coincidences_give_krippendorff_s_alpha()
    {
        RandomStream stream = new(5, "alpha");
        List<int?[]> coders = [[], [], []];
        double[] sums = new double[Coincidences.Width];
        for (int unit = 0; unit < 40; unit++)
        {
            int?[] labels = [.. Enumerable.Range(0, 3).Select(_ => stream.NextInt(5) == 0 ? (int?)null : stream.NextInt(3))];
            for (int coder = 0; coder < 3; coder++)
                coders[coder] = [.. coders[coder], labels[coder]];
            Coincidences.Add([.. labels.Where(l => l != null).Select(l => l!.Value / 2.0)], sums);
        }
        Assert.Equal(Agreement.KrippendorffAlpha(coders, Scale.Nominal), Coincidences.Alpha(sums), 1e-13);
    }

    [Fact]
    public void Missing_verdicts_are_counted_by_their_reason_and_never_scored()
    {
        JudgeAuditResult audit = JudgeAudit.Of("judge",
        [
            new("p", "a", "b", 1) { Price = 0.01, Seconds = 2 }, new("q", "a", "b", null) { Missing = "refused: I cannot compare these", Price = 0.03 },
            new("r", "a", "b", null), new("s", "a", "b", 0.5),
        ], settings: Quick);
        Assert.Equal((4, 2), (audit.Verdicts, audit.Parsed));
        Assert.Equal(0.5, audit.MissingRate.Mean);
        Assert.Equal(0.25, audit.Refused.Mean);
        Assert.Equal(0.5, audit.Ties.Mean);
        Assert.Equal(new Dictionary<string, int> { ["no verdict"] = 1, ["refused: I cannot compare these"] = 1 }, audit.Missing);
        Assert.Equal(20, audit.Cost.PricePerThousand);
        Assert.Equal(0.04, audit.Cost.Price);
        Assert.Equal(2000, audit.Cost.SecondsPerThousand);
    }

    [Fact]
    public void Longer_answers_and_lists_as_alpaca_eval_counts_them()
    {
        string longer = new('x', 131), shorter = new('x', 100), list = "- one";
        JudgeAuditResult audit = JudgeAudit.Of("judge",
        [
            new("1", shorter, longer, 1), // for the longer
            new("2", longer, shorter, 0.5), // a tie is for the second: the shorter
            new("3", longer, new('x', 101), 0), // 30 apart is no difference
            new("4", shorter, longer, null), // no verdict
            new("4", shorter, longer, 1), // only the first label of a pair counts
            new("5", list, "one", 0), // for the list
            new("6", list, "1. one", 0), // both are lists
        ], [new("1", shorter, longer, 0)], settings: Quick);
        Assert.Equal((0.5, 2), (audit.Longer!.Judge.Mean, audit.Longer.Pairs));
        Assert.Equal(0, audit.Longer.People!.Mean);
        Assert.Equal(1, audit.Longer.Excess!.Mean);
        Assert.Equal((1, 0.0), (audit.Longer.People.N, audit.Longer.People.Low));
        Assert.True(audit.Longer.People.High > 0.7, "one labelled pair proves little, however many pairs the judge saw");
        Assert.Equal((1, 1), (audit.Lists!.Judge.Mean, audit.Lists.Pairs));
        Assert.True(audit.Lists.Judge.Low < 0.5, "one pair proves little");
    }

    [Fact]
    public void A_judge_of_length_has_a_slope_that_does_not_depend_on_how_pairs_are_written()
    {
        RandomStream stream = new(1, "slope");
        List<PairVerdict> judge = [], people = [], turned = [];
        for (int i = 0; i < 200; i++)
        {
            string a = new('a', 1 + stream.NextInt(200)), b = new('b', 1 + stream.NextInt(200));
            double fair = stream.NextInt(2), score = stream.NextInt(3) == 0 ? fair : a.Length < b.Length ? 1 : 0;
            judge.Add(new($"{i}", a, b, score));
            turned.Add(i % 2 == 0 ? judge[i] : new($"{i}", b, a, 1 - score));
            people.Add(new($"{i}", a, b, fair));
        }
        Interval slope = JudgeAudit.Of("judge", judge, people, settings: Quick).LengthSlope!;
        Assert.True(slope.Low > 0.15, $"{slope}");
        Interval again = JudgeAudit.Of("judge", turned, people, settings: Quick).LengthSlope!;
        Assert.Equal(slope.Mean, again.Mean, 1e-12);
        Assert.Equal(slope.StandardError, again.StandardError, 1e-12);
        Assert.Equal(0, JudgeAudit.Of("people", people, people, settings: Quick).LengthSlope!.Mean, 1e-15);
    }

    [Fact]
    public void A_circle_is_one_triad_and_an_order_is_none()
    {
        List<PairVerdict> verdicts =
        [
            new("circle", "a", "b", 0), new("circle", "b", "c", 0), new("circle", "c", "a", 0),
            new("order", "a", "b", 0), new("order", "c", "b", 1), new("order", "a", "c", 0),
            new("tie", "a", "b", 0), new("tie", "b", "c", 0.5), new("tie", "c", "a", 0),
            new("open", "a", "b", 0), new("open", "b", "c", 0),
        ];
        // b over c in both orders cancels out to a tie
        verdicts.AddRange([new("both", "a", "b", 0), new("both", "b", "c", 0), new("both", "c", "b", 0), new("both", "c", "a", 0)]);
        TransitivityResult result = JudgeAudit.Of("judge", verdicts, settings: Quick).Transitivity!;
        Assert.Equal((0.5, 2), (result.Cyclic.Mean, result.Triads));
        Assert.Null(JudgeAudit.Of("judge", [new("p", "a", "b", 1)], settings: Quick).Transitivity);
    }

    [Fact]
    public void A_coin_makes_a_circle_of_every_fourth_triad()
    {
        RandomStream stream = new(2, "coin");
        List<PairVerdict> verdicts = [];
        for (int prompt = 0; prompt < 60; prompt++)
            for (int a = 0; a < 6; a++)
                for (int b = a + 1; b < 6; b++)
                    verdicts.Add(new($"{prompt}", $"{a}", $"{b}", stream.NextInt(2)));
        TransitivityResult result = JudgeAudit.Of("coin", verdicts, settings: Quick).Transitivity!;
        Assert.Equal(60 * 20, result.Triads);
        Assert.InRange(0.25, result.Cyclic.Low, result.Cyclic.High);
    }

    [Fact]
    public void Favouring_one_s_own_answers_is_measured_against_people_and_against_other_systems()
    {
        List<PairVerdict> judge = [], people = [];
        for (int i = 0; i < 40; i++)
        {
            // people: own and other win half; the judge: own wins three quarters, other still half
            judge.Add(new($"{i}", "r", "o", i % 4 > 0 ? 1 : 0) { FirstBy = "reference", SecondBy = "own" });
            people.Add(new($"{i}", "r", "o", i % 2));
            judge.Add(new($"{i}", "r", "x", i % 2) { FirstBy = "reference", SecondBy = "other" });
            people.Add(new($"{i}", "r", "x", i % 2));
        }
        SelfPreferenceResult result = JudgeAudit.Of("judge", judge, people, new HashSet<string> { "own" }, Quick).SelfPreference!;
        Assert.Equal((0.25, 0.0, 0.25), (result.Own.Mean, result.Others!.Mean, result.Excess.Mean));
        Assert.Equal(40, result.Pairs);
        Assert.Null(JudgeAudit.Of("judge", judge, people, new HashSet<string> { "nobody" }, Quick).SelfPreference);
    }

    [Fact]
    public void A_judge_is_calibrated_when_people_agree_as_often_as_it_is_sure()
    {
        List<PairVerdict> judge = [], people = [];
        for (int i = 0; i < 100; i++)
        {
            // sure to 0.8, four of five people agree; which answer is written first does not matter
            bool turned = i % 2 == 0;
            judge.Add(new($"{i}", "a", "b", turned ? 0.2 : 0.8));
            for (int person = 0; person < 5; person++)
                people.Add(new($"{i}", "a", "b", (person < 4) != turned ? 1 : 0));
        }
        JudgeCalibrationResult result = JudgeAudit.Of("judge", judge, people, settings: Quick).Calibration!;
        Assert.Equal(0, result.Ece.Mean, 1e-12);
        Assert.Equal(0, result.Brier.Mean, 1e-12);
        ReliabilityBin bin = Assert.Single(result.Reliability);
        Assert.Equal((0.8, 0.8, 100), (bin.Confidence, bin.Agreed.Mean, bin.Agreed.N), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-12 && Math.Abs(a.Item2 - b.Item2) < 1e-12 && a.Item3 == b.Item3);
        JudgeCalibrationResult certain = JudgeAudit.Of("judge", [.. judge.Select(v => v with { Score = Math.Round(v.Score!.Value) })], people, settings: Quick).Calibration!;
        Assert.Equal(0.2, certain.Ece.Mean, 1e-12);
        Assert.Equal(0.04, certain.Brier.Mean, 1e-12);
        Assert.Equal(double.PositiveInfinity, certain.LogLoss);
    }

    [Fact]
    public void Bins_have_equal_mass_and_do_not_tear_equal_confidences_apart()
    {
        double[] p = [.. Enumerable.Range(0, 40).Select(i => 0.5 + i / 100.0)], y = [.. p.Select(x => x > 0.7 ? 1.0 : 0)];
        IReadOnlyList<ReliabilityBin> bins = JudgeCalibration.Curve(p, y);
        Assert.Equal(Enumerable.Repeat(4, 10), bins.Select(b => b.Agreed.N));
        Assert.Equal(bins.Select(b => b.Confidence).Order(), bins.Select(b => b.Confidence));
        bins = JudgeCalibration.Curve([.. Enumerable.Repeat(1.0, 30), 0.6, 0.7], [.. Enumerable.Repeat(1.0, 32)]);
        Assert.Equal([3, 29], JudgeCalibration.Curve([.. Enumerable.Repeat(1.0, 29), 0.6, 0.6, 0.6], [.. Enumerable.Repeat(1.0, 32)]).Select(b => b.Agreed.N));
        Assert.Equal(32, bins.Sum(b => b.Agreed.N));
    }

    [Fact]
    public void Systems_are_ranked_against_the_reference_they_all_met()
    {
        List<PairVerdict> judge = [], people = [];
        string[] systems = ["s1", "s2", "s3", "s4"];
        for (int i = 0; i < 100; i++)
            for (int s = 0; s < 4; s++)
            {
                // people: 20, 40, 60, 80 %; the judge swaps the two in the middle: 20, 60, 40, 80 %
                judge.Add(new($"{i}", "r", systems[s], i % 10 < (s is 1 or 2 ? 2 * (4 - s) : 2 * (s + 1)) ? 1 : 0) { FirstBy = "ref", SecondBy = systems[s] });
                people.Add(new($"{i}", "r", systems[s], i % 10 < 2 * (s + 1) ? 1 : 0));
            }
        SystemRanking ranking = JudgeAudit.Of("judge", judge, people, settings: Quick).Ranking!;
        Assert.Equal(systems, ranking.Systems.Select(s => s.System));
        Assert.Equal(0.8, ranking.Spearman.Mean, 1e-12);
        Assert.Equal(0.6, ranking.Systems[1].Judge, 1e-12);
        Assert.Equal(0.4, ranking.Systems[1].People, 1e-12);
    }

    private static IEnumerable<PairVerdict> Labels(string prompt, params double[] scores) => scores.Select(score => new PairVerdict(prompt, "a", "b", score));
}
