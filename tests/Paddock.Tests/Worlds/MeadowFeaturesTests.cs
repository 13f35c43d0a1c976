using Paddock.Data;
using Paddock.Tests.Shared;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowFeaturesTests
{
    [Fact]
    public void Features_and_utility_are_the_reference() => AssertCases(MeadowGolden.Cases, 240);

    [SharedFact]
    public void Features_and_utility_are_the_reference_on_all_cases() => AssertCases(MeadowGolden.AllCases(), 600);

    private static void AssertCases(IReadOnlyList<MeadowCase> cases, int count)
    {
        Assert.Equal(count, cases.Count);
        foreach (MeadowCase row in cases)
        {
            MeadowTask task = MeadowTask.Parse(row.Text)!;
            for (int i = 0; i < 2; i++)
            {
                Response text = row.Response(i);
                MeadowFeatures ofIds = MeadowFeatures.Of(task, row.AnswerIds[i]);
                AssertEqual(row.Features[i], ofIds, row.Text);
                AssertEqual(row.Features[i], MeadowFeatures.Of(task, text), row.Text);
                AssertEqual(row.Features[i], MeadowFeatures.Of(task, text with { Tokens = row.AnswerIds[i] }), row.Text);
                Assert.Equal(row.Utility[i], ofIds.Utility, MeadowGolden.Tolerance);
            }
        }
    }

    private static void AssertEqual(double[] expected, MeadowFeatures actual, string where)
    {
        for (int f = 0; f < expected.Length; f++)
            Assert.True(Math.Abs(expected[f] - actual.Values[f]) <= MeadowGolden.Tolerance,
                $"{where}: {MeadowFeatures.Names[f]} should be {expected[f]}, is {actual.Values[f]}");
    }

    [Fact]
    public void A_right_answer_by_hand()
    {
        // "here it is : pear fig ." has 7 words, prefaces once and ends a sentence: U = 2 + 1 + .6 - .07
        MeadowFeatures features = MeadowFeatures.Of(MeadowTask.Parse("list two fruits")!, new Response("here it is : pear fig ."));
        Assert.Equal(3.53, features.Utility, 1e-12);
        Assert.True(features.Exact);
    }

    [Fact]
    public void An_unknown_word_is_wrong_core()
    {
        MeadowTask task = MeadowTask.Parse("spell fig")!;
        Assert.True(MeadowFeatures.Of(task, new Response("F I G .")).Exact);
        MeadowFeatures damaged = MeadowFeatures.Of(task, new Response("F I G zebra ."));
        Assert.False(damaged.Exact);
        Assert.Equal(1, damaged[MeadowFeature.Junk]);
        Assert.Equal(.5 * 3 / 4, damaged[MeadowFeature.Correct], 1e-12);
        // an id beyond the vocabulary is the same unknown word
        int[] ids = [.. MeadowVocabulary.Encode("F I G"), 9999, MeadowVocabulary.Id("."), MeadowVocabulary.Eos];
        Assert.Equal(damaged.Values.ToArray(), MeadowFeatures.Of(task, ids).Values.ToArray());
    }

    [Fact]
    public void Ids_of_another_tokenizer_leave_the_text_in_charge()
    {
        MeadowTask task = MeadowTask.Parse("spell fig")!;
        MeadowFeatures text = MeadowFeatures.Of(task, new Response("F I G ."));
        foreach (int[] foreign in (int[][])[[40000, 12, 50256], [17, 18, 19, 20], [17, 18, 19, 20, MeadowVocabulary.Eos], []])
            Assert.Equal(text.Values.ToArray(), MeadowFeatures.Of(task, new Response("F I G .", true, foreign)).Values.ToArray());
    }

    [Fact]
    public void Control_words_that_the_text_hides_count_as_junk()
    {
        MeadowTask task = MeadowTask.Parse("spell fig")!;
        int[] ids = [.. MeadowVocabulary.Encode("F I G <sep> ."), MeadowVocabulary.Eos];
        MeadowFeatures hidden = MeadowFeatures.Of(task, new Response("F I G .", true, ids));
        Assert.Equal(1, hidden[MeadowFeature.Junk]);
        Assert.Equal(hidden.Values.ToArray(), MeadowFeatures.Of(task, new Response("F I G <sep> .", true, ids)).Values.ToArray());
    }

    [Theory]
    [InlineData("", true, 0, -.0)] // finished at once: nothing gained, nothing lost
    [InlineData("", false, 0, -1.0)] // nothing before the limit: truncated
    public void An_empty_answer_is_worth_nothing(string text, bool finished, int length, double utility)
    {
        MeadowFeatures features = MeadowFeatures.Of(MeadowTask.Parse("spell fig")!, new Response(text, finished));
        Assert.Equal(length, features[MeadowFeature.Length]);
        Assert.Equal(utility, features.Utility, 1e-12);
    }
}
