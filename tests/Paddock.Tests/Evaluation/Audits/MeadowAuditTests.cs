using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;
using Paddock.Tests.Worlds;
using Paddock.Worlds;

namespace Paddock.Tests.Evaluation.Audits;

/// <summary>Audits of the Meadow's annotators, whose exact probabilities say what the audit must find.</summary>
public sealed class MeadowAuditTests
{
    private const int Copies = 12, Labels = 4;

    [Theory]
    [InlineData("pool")]
    [InlineData("judge")]
    public async Task Agreement_bias_and_variance_are_those_that_follow_from_the_raters(string name)
    {
        double[] judge = await Expected(name), human = await Expected("human");
        double agreement = 0, variance = 0, people = 0, bias = 0;
        int n = judge.Length;
        for (int i = 0; i < n; i++)
        {
            // scores are for the second answer; of two and two votes the second wins
            double p = 1 - judge[i], h = 1 - human[i], vote = AtLeastTwo(Labels, h), own = AtLeastTwo(Labels, p), rest = AtLeastTwo(Labels - 1, p), others = AtLeastTwo(Labels - 1, h);
            agreement += (p * vote + (1 - p) * (1 - vote)) / n;
            bias += (own * (1 - vote) + (1 - own) * vote) / n;
            variance += (p * (1 - rest) + (1 - p) * rest) / n;
            people += (h * others + (1 - h) * (1 - others)) / n;
        }
        JudgeAuditResult audit = JudgeAudit.Of(name, await Drawn(name, 100), await Drawn("human", 200), settings: new(1, 300));
        AssertNear(agreement, audit.People!.Agreement);
        AssertNear(bias, audit.People.Bias!);
        AssertNear(people, audit.People.People!);
        AssertNear(variance, audit.Repeats!.Variance);
        Assert.Equal(n * Copies, audit.People.Pairs);
    }

    [Fact]
    public async Task The_human_panel_against_itself_reaches_its_own_ceiling()
    {
        // another draw of the same panel: as near to people as people are, but for the vote of four in place of three
        JudgeAuditResult audit = JudgeAudit.Of("human", await Drawn("human", 300), await Drawn("human", 200), settings: new(1, 300));
        Assert.InRange(audit.People!.Agreement.Mean - audit.People.People!.Mean, -0.03, 0.06);
        Assert.InRange(audit.People.JoinedAlpha.Mean - audit.People.PeopleAlpha!.Mean, -0.05, 0.2);
    }

    [Fact]
    public void The_interval_of_a_share_covers_the_truth_as_often_as_it_says()
    {
        // prompts with their own rate and three rows each: what a naive interval over rows would be too sure of
        int covered = 0, naive = 0;
        const int Runs = 400, Prompts = 80;
        for (ulong run = 0; run < Runs; run++)
        {
            RandomStream stream = new(run, "coverage");
            PromptSums sums = new(2);
            double all = 0;
            for (int prompt = 0; prompt < Prompts; prompt++)
            {
                double rate = stream.NextInt(2) == 0 ? 0.2 : 0.9;
                for (int k = 0; k < 3; k++)
                {
                    double label = stream.NextDouble() < rate ? 1 : 0;
                    sums[$"{prompt}"][0] += label;
                    sums[$"{prompt}"][1]++;
                    all += label;
                }
            }
            Interval share = sums.Share(new(run, 300), "share"), rows = WinRate.Wilson(all, 3 * Prompts);
            covered += share.Low <= 0.55 && share.High >= 0.55 ? 1 : 0;
            naive += rows.Low <= 0.55 && rows.High >= 0.55 ? 1 : 0;
        }
        Assert.InRange(covered / (double)Runs, 0.91, 0.98);
        Assert.True(naive / (double)Runs < 0.9, $"the naive interval covered {naive} of {Runs}");
    }

    private static void AssertNear(double expected, Interval found) => Assert.InRange(found.Mean, expected - 4.5 * found.StandardError, expected + 4.5 * found.StandardError);

    private static double AtLeastTwo(int n, double p) => 1 - Math.Pow(1 - p, n) - n * p * Math.Pow(1 - p, n - 1);

    private static Comparison[] Cases() => [.. MeadowGolden.Cases.Select((row, i) => new Comparison($"{i}", row.Prompt($"{i}"), row.Response(0), row.Response(1))).Where(c => c.First.Text != c.Second.Text)];

    private static async Task<double[]> Expected(string name) =>
        [.. (await MeadowAnnotator.Named(name, new(1, Expected: true)).CompareAsync(Cases(), default)).Select(v => v.FirstPreferred!.Value)];

    // four labels of every case, in copies that stand for prompts of their own
    private static async Task<List<PairVerdict>> Drawn(string name, ulong seed)
    {
        List<PairVerdict> verdicts = [];
        for (int copy = 0; copy < Copies; copy++)
            for (ulong k = 0; k < Labels; k++)
            {
                Comparison[] cases = [.. Cases().Select(c => c with { Id = $"{c.Id}/{copy}" })];
                IReadOnlyList<Verdict> drawn = await MeadowAnnotator.Named(name, new(seed + k, Expected: false)).CompareAsync(cases, default);
                verdicts.AddRange(cases.Select((c, i) => new PairVerdict(c.Id, c.First.Text, c.Second.Text, 1 - drawn[i].FirstPreferred)));
            }
        return verdicts;
    }
}
