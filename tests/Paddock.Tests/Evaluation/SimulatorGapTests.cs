using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class SimulatorGapTests
{
    [Fact]
    public void Distinct_n_by_hand()
    {
        // words a b a | a c: 3 of 5; pairs "a b", "b a" | "a c": 3 of 3
        Assert.Equal(0.6, Diversity.Distinct(["A b, a!", "a c"], 1).Mean, 1e-15);
        Assert.Equal(1, Diversity.Distinct(["A b, a!", "a c"], 2).Mean, 1e-15);
        Assert.True(double.IsNaN(Diversity.Distinct(["a", "b"], 2).Mean));
        // jackknife of two answers: 1 without the first (a c), 2/3 without the second; se = sqrt(1/2) * sd
        double difference = 1 - 2 / 3.0;
        Assert.Equal(Math.Sqrt(0.5 * difference * difference / 2), Diversity.Distinct(["a b a", "a c"], 1).StandardError, 1e-15);
    }

    [Fact]
    public void Distinct_n_of_copies_falls_and_of_new_words_stays_one()
    {
        string[] copies = [.. Enumerable.Repeat("one two three", 10)], fresh = [.. Enumerable.Range(0, 10).Select(i => $"x{i} y{i} z{i}")];
        Assert.Equal(0.1, Diversity.Distinct(copies, 1).Mean, 1e-15);
        Assert.Equal(1, Diversity.Distinct(fresh, 1).Mean);
        Assert.Equal(0, Diversity.Distinct(fresh, 1).StandardError, 1e-15);
    }

    [Fact]
    public void Similarity_is_one_for_the_same_and_zero_for_nothing_in_common()
    {
        Assert.Equal(1, Diversity.Similarity("The cat sat.", "the cat sat"), 1e-15);
        Assert.Equal(0, Diversity.Similarity("a b", "c d"));
        // bags {a, b, "a b"} and {a, c, "a c"}: one of three
        Assert.Equal(1 / 3.0, Diversity.Similarity("a b", "a c"), 1e-15);
        Assert.Equal(1, Diversity.Similarity("", "..."));
        Assert.Equal(0, Diversity.Similarity("", "a"));
    }

    [Fact]
    public void Self_similarity_is_the_mean_over_pairs_and_prompts()
    {
        Interval similarity = Diversity.SelfSimilarity([["a b", "a c", "a b"], ["x", "y"], ["alone"]]);
        Assert.Equal((1 / 3.0 + 1 + 1 / 3.0) / 3 / 2, similarity.Mean, 1e-14);
        Assert.Equal(2, similarity.N);
        Assert.Equal(0.5, Diversity.Similarity(["a", "b"], ["a", "c"]).Mean);
    }

    [Fact]
    public void Homogenisation_is_the_mean_of_all_pairs_of_answers()
    {
        string[] answers = ["a b c", "a b", "x y z", "a", "z y"];
        double sum = 0;
        List<double> left = [];
        for (int i = 0; i < answers.Length; i++)
            for (int j = 0; j < i; j++)
                sum += Diversity.Similarity(answers[i], answers[j]);
        for (int omitted = 0; omitted < answers.Length; omitted++)
        {
            string[] rest = [.. answers.Where((_, i) => i != omitted)];
            left.Add(rest.SelectMany((a, i) => rest.Take(i).Select(b => Diversity.Similarity(a, b))).Average());
        }
        Interval result = Diversity.Homogenisation(answers);
        Assert.Equal(sum / 10, result.Mean, 1e-14);
        Assert.Equal(Math.Sqrt(16 / 5.0 * Moments.Variance([.. left])), result.StandardError, 1e-14);
        Assert.Equal(1, Diversity.Homogenisation(["same words", "same words", "same words"]).Mean, 1e-14);
    }

    [Fact]
    public void The_order_of_methods_is_sure_where_they_are_far_apart_and_open_where_they_are_not()
    {
        RandomStream noise = new(4, "methods");
        double[][] far = [.. Enumerable.Range(0, 5).Select(m => Scores(0.2 * m))], near = [.. Enumerable.Range(0, 5).Select(m => Scores(0.002 * m))];
        Interval sure = SimulatorGap.RankAgreement(far, [.. Enumerable.Range(0, 5).Select(m => Scores(0.2 * m))], new(1, "rank"), 300);
        Assert.Equal((1.0, 1.0), (sure.Mean, sure.Low));
        Interval open = SimulatorGap.RankAgreement(near, [.. Enumerable.Range(0, 5).Select(m => Scores(0.002 * m))], new(1, "rank"), 300);
        Assert.True(open.High - open.Low > 0.5);
        Assert.Equal(-1, SimulatorGap.RankAgreement([[1, 1], [0, 0]], [[0, 0], [1, 1]], new(1, "rank"), 100).Mean);

        double[] Scores(double quality) => [.. Enumerable.Range(0, 200).Select(_ => quality + noise.NextDouble())];
    }

    [Fact]
    public void A_judge_that_doubles_what_people_ask_for_amplifies_by_two()
    {
        double[] ofBase = [10, 20, 30, 40], people = [15, 26, 34, 45], judge = [20, 32, 38, 50];
        AmplificationResult result = SimulatorGap.Amplification(ofBase, judge, people);
        Assert.Equal((10.0, 5.0, 5.0, 2.0), (result.Judge.Mean, result.People.Mean, result.Excess.Mean, result.Ratio!.Value));
        Assert.Null(SimulatorGap.Amplification(ofBase, judge, [9, 22, 30, 39]).Ratio);
    }
}
