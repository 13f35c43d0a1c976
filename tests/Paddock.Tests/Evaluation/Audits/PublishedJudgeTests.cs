using Paddock.Data.Formats;
using Paddock.Evaluation.Audits;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Evaluation.Audits;

/// <summary>Numbers that AlpacaEval published for its evaluators, from the very annotations.</summary>
public class PublishedJudgeTests
{
    [SharedTheory]
    [InlineData("gpt4_b1", 14.930555555555555, 0.6, 43.73407407407407, 0.7358490566037735, 0.538966049382716)]
    [InlineData("gpt4_b5", 17.901234567901234, 0.5887640449438202, 14.375699074074078, 0.5849056603773585, 0.5509259259259258)]
    public void Four_seeds_of_one_judge(string name, double variance, double longer, double price, double lists, double first)
    {
        JudgeAuditResult audit = JudgeAudit.Of(name, [.. Enumerable.Range(0, 4).SelectMany(seed => Read("judges_4seeds", $"{name}_seed{seed}.json.gz"))], settings: new(1, 1000));
        Assert.Equal(variance, 100 * audit.Repeats!.Variance.Mean, 1e-12);
        Assert.Equal(longer, audit.Longer!.Judge.Mean, 1e-15);
        Assert.Equal(445, audit.Longer.Pairs);
        Assert.Equal(price, audit.Cost.PricePerThousand!.Value, 1e-10);
        // the pattern of lists changed since the published value; these are a run of the present one
        Assert.Equal(lists, audit.Lists!.Judge.Mean, 1e-15);
        Assert.Equal(53, audit.Lists.Pairs);
        Assert.Equal(first, audit.PreferFirst.Mean, 1e-12);
        Assert.Equal((2592, 2592, 648, 605), (audit.Verdicts, audit.Parsed, audit.Pairs, audit.Prompts));
        Assert.InRange(audit.Repeats.Variance.Mean, audit.Repeats.Variance.Low, audit.Repeats.Variance.High);
        Assert.Null(audit.People);
        Assert.Null(audit.Position);
    }

    [SharedFact]
    public void A_judge_agrees_with_itself_as_its_variance_says()
    {
        // as if four seeds of one judge were the people: agreement of the same labels with the vote of all four is what remains of the variance
        List<PairVerdict> verdicts = [.. Enumerable.Range(0, 4).SelectMany(seed => Read("judges_4seeds", $"gpt4_b1_seed{seed}.json.gz"))];
        HumanComparisonResult people = JudgeAudit.Of("b1", verdicts, verdicts, settings: new(1, 1000)).People!;
        Assert.Equal(0, people.Bias!.Mean);
        Assert.Equal(1 - 0.14930555555555555, people.People!.Mean, 1e-12);
        Assert.True(people.Agreement.Mean > people.People.Mean);
        Assert.Equal(648, people.Pairs);
    }

    internal static IEnumerable<PairVerdict> Read(params string[] path) => VerdictFormat.Read(SharedFolder.Get(["data", .. path]))
        .Select(row => new PairVerdict(row.Prompt, row.First, row.Second, row.Score) { FirstBy = row.FirstBy, SecondBy = row.SecondBy, Judge = row.Judge, Price = row.Price, Seconds = row.Seconds });
}
