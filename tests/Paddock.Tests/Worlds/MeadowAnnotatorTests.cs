using Paddock.Data;
using Paddock.Engine;
using Paddock.Tests.Shared;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowAnnotatorTests
{
    private static readonly AnnotatorOptions Exact = new(1, Expected: true);

    [Fact]
    public async Task Every_annotator_is_the_reference() => await AssertCases(MeadowGolden.Cases);

    [SharedFact]
    public async Task Every_annotator_is_the_reference_on_all_cases() => await AssertCases(MeadowGolden.AllCases());

    private static async Task AssertCases(IReadOnlyList<MeadowCase> cases)
    {
        Comparison[] comparisons = [.. cases.Select((row, i) => new Comparison($"{i}", row.Prompt($"{i}"), row.Response(0), row.Response(1)))];
        await AssertMode("human", cases.Select(c => c.HumanMean));
        await AssertMode("pool", cases.Select(c => c.PoolMean));
        await AssertMode("judge", cases.Select(c => c.Judge));
        for (int r = 0; r < MeadowRaters.Human.Length; r++)
            await AssertMode($"human/{r}", cases.Select(c => c.Human[r]));
        for (int r = 0; r < MeadowRaters.Pool.Length; r++)
        {
            MeadowRater rater = MeadowRaters.Pool[r];
            await AssertMode(rater.Name, cases.Select(c => (1 - rater.Misread) * (c.Pool[r][0] + c.Pool[r][1]) / 2 + rater.Misread * (c.Pool[r][2] + c.Pool[r][3]) / 2));
            foreach (MeadowCase row in cases)
            {
                double[] delta = [.. row.Features[0].Zip(row.Features[1], (a, b) => a - b)];
                double[] states = [rater.Prefers(delta, false, true), rater.Prefers(delta, false, false), rater.Prefers(delta, true, true), rater.Prefers(delta, true, false)];
                for (int s = 0; s < states.Length; s++)
                    Assert.Equal(row.Pool[r][s], states[s], MeadowGolden.Tolerance);
            }
        }

        async Task AssertMode(string name, IEnumerable<double> expected)
        {
            double[] actual = await Values(name, Exact, comparisons);
            double[] wanted = [.. expected];
            for (int i = 0; i < actual.Length; i++)
                Assert.True(Math.Abs(wanted[i] - actual[i]) <= MeadowGolden.Tolerance, $"{name} on case {i}: {wanted[i]}, not {actual[i]}");
        }
    }

    [Fact]
    public async Task Gold_prefers_the_greater_utility()
    {
        Comparison[] comparisons = Golden();
        double[] verdicts = await Values("gold", Exact, comparisons);
        for (int i = 0; i < verdicts.Length; i++)
        {
            double[] u = MeadowGolden.Cases[i].Utility;
            Assert.Equal(Math.Abs(u[0] - u[1]) < 1e-6 ? .5 : u[0] > u[1] ? 1 : 0, verdicts[i]);
        }
        Assert.Contains(0.0, verdicts);
        Assert.Contains(1.0, verdicts);
    }

    [Fact]
    public async Task Gold_ties_different_answers_of_equal_utility()
    {
        Comparison same = new("x", Prompt.FromInstruction("p", "list two fruits"), new("fig , pear ."), new("plum , lime ."));
        double[] verdict = await Values("gold", Exact, same);
        Assert.Equal([.5], verdict);
    }

    public static TheoryData<string, bool> Modes()
    {
        TheoryData<string, bool> data = [];
        foreach (string name in (string[])["gold", "human", "pool", "judge", "human/3", "pool/joe_lazy"])
        {
            data.Add(name, true);
            data.Add(name, false);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Swapping_the_answers_swaps_the_verdict(string name, bool expected)
    {
        AnnotatorOptions options = new(9, expected, .25);
        Comparison[] comparisons = Golden();
        Comparison[] swapped = [.. comparisons.Select(c => c with { First = c.Second, Second = c.First })];
        double[] forward = await Values(name, options, comparisons), backward = await Values(name, options, swapped);
        for (int i = 0; i < forward.Length; i++)
            Assert.Equal(1.0, forward[i] + backward[i], 1e-15);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Identical_answers_tie(string name, bool expected)
    {
        Comparison[] same = [.. Golden().Select(c => c with { Second = c.First with { Tokens = null } })];
        Assert.All(await Values(name, new(9, expected, .25), same), v => Assert.Equal(.5, v));
    }

    [Theory]
    [InlineData("human")]
    [InlineData("pool")]
    [InlineData("judge")]
    [InlineData("pool/small_4")]
    public async Task Sampled_labels_average_to_the_expectation(string name)
    {
        const int Draws = 25;
        foreach (double flip in (double[])[0, .25])
        {
            Comparison[] one = Golden();
            Comparison[] many = [.. one.SelectMany(c => Enumerable.Range(0, Draws).Select(d => c with { Id = $"{c.Id}/{d}" }))];
            double[] expected = await Values(name, new(4, true, flip), one), sampled = await Values(name, new(4, false, flip), many);
            Assert.All(sampled, v => Assert.True(v is 0 or 1));
            double z2 = 0;
            int counted = 0;
            for (int i = 0; i < one.Length; i++)
            {
                double p = expected[i], mean = sampled.AsSpan(i * Draws, Draws).ToArray().Average(), variance = p * (1 - p) / Draws;
                if (variance * Draws < .05)
                    continue; // nearly certain: the normal approximation does not hold
                z2 += (mean - p) * (mean - p) / variance;
                counted++;
            }
            // the mean of n squared normal deviates has a standard deviation of sqrt(2 / n)
            Assert.True(counted > 10);
            Assert.InRange(z2 / counted, 1 - 4.5 * Math.Sqrt(2.0 / counted), 1 + 4.5 * Math.Sqrt(2.0 / counted));
        }
    }

    [Fact]
    public async Task A_verdict_does_not_depend_on_its_batch()
    {
        AnnotatorOptions options = new(2, false, .25);
        Comparison[] comparisons = Golden();
        double[] together = await Values("pool", options, comparisons);
        for (int i = comparisons.Length - 1; i >= 0; i--)
        {
            double[] alone = await Values("pool", options, comparisons[i]);
            Assert.Equal(together[i], Assert.Single(alone));
        }
    }

    [Fact]
    public async Task Another_seed_or_id_draws_anew()
    {
        Comparison[] comparisons = Golden();
        double[] first = await Values("pool", new(1, false), comparisons);
        Assert.Equal(first, await Values("pool", new(1, false), comparisons));
        Assert.NotEqual(first, await Values("pool", new(2, false), comparisons));
        Assert.NotEqual(first, await Values("pool", new(1, false), [.. comparisons.Select(c => c with { Id = c.Id + "x" })]));
    }

    [Fact]
    public async Task A_certain_flip_turns_every_label()
    {
        Comparison[] comparisons = Golden();
        foreach (bool expected in (bool[])[true, false])
        {
            double[] straight = await Values("pool", new(1, expected), comparisons), turned = await Values("pool", new(1, expected, 1), comparisons);
            for (int i = 0; i < straight.Length; i++)
                Assert.Equal(1 - straight[i], turned[i], 1e-12);
        }
    }

    [Fact]
    public async Task A_foreign_instruction_has_no_verdict()
    {
        Comparison poem = new("x", Prompt.FromInstruction("p", "Write a poem."), new("a"), new("b"));
        foreach (string name in MeadowAnnotator.Names)
        {
            Verdict verdict = Assert.Single(await MeadowAnnotator.Named(name, Exact).CompareAsync([poem], default));
            Assert.Null(verdict.FirstPreferred);
            Assert.Equal("not a Meadow instruction: Write a poem.", verdict.MissingReason);
        }
    }

    [Fact]
    public async Task A_cancelled_comparison_stops() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => MeadowAnnotator.Named("pool", Exact).CompareAsync(Golden(), new CancellationToken(true)));

    [Fact]
    public void An_unknown_annotator_is_told_the_names()
    {
        string message = Assert.Throws<BadInputException>(() => MeadowAnnotator.Named("gpt", Exact)).Message;
        Assert.StartsWith("the Meadow has no annotator 'gpt'; it has gold, human, pool, judge, human/0,", message, StringComparison.Ordinal);
        Assert.Contains("pool/joe_lazy", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-.1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_flip_is_a_probability(double flip) =>
        Assert.Contains("not a probability", Assert.Throws<BadInputException>(() => MeadowAnnotator.Named("pool", new(1, false, flip))).Message, StringComparison.Ordinal);

    private static Comparison[] Golden() => [.. MeadowGolden.Cases.Select((row, i) => new Comparison($"golden/{i}", row.Prompt($"{i}"), row.Response(0), row.Response(1)))];

    private static async Task<double[]> Values(string name, AnnotatorOptions options, params Comparison[] comparisons) =>
        [.. (await MeadowAnnotator.Named(name, options).CompareAsync(comparisons, default)).Select(v => v.FirstPreferred!.Value)];
}
