using Paddock.Engine.Numerics;
using Paddock.Tests.Shared;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowTaskTests
{
    [Fact]
    public void The_text_alone_gives_back_the_golden_tasks() => AssertCases(MeadowGolden.Cases);

    [SharedFact]
    public void The_text_alone_gives_back_all_golden_tasks() => AssertCases(MeadowGolden.AllCases());

    private static void AssertCases(IReadOnlyList<MeadowCase> cases)
    {
        foreach (MeadowCase row in cases)
        {
            MeadowTask? task = MeadowTask.Parse(row.Text);
            Assert.NotNull(task);
            Assert.Equal(row.Kind, task.Kind.Name());
            Assert.Equal(row.Text, task.Instruction);
            Assert.Equal(row.Payload, task.Gold);
            Assert.Equal(row.K, task.K);
            Assert.Equal(row.Category, task.Category);
            Assert.Equal(row.Harmful, task.Harmful);
            Assert.Equal(row.Unanswerable, task.Unanswerable);
            Assert.Equal(row.Facts, task.Facts);
            Assert.Equal(row.PromptIds, MeadowVocabulary.Encode($"{task.Instruction} <sep>"));
        }
    }

    [Fact]
    public void Templates_are_unambiguous()
    {
        RandomStream stream = new(3, "test/unambiguous");
        for (int i = 0; i < 6000; i++)
        {
            string text = MeadowTask.Draw(ref stream).Instruction;
            Assert.Single(MeadowTemplate.All, t => t.Match(text.Split(' ')) is not null);
            Assert.DoesNotContain(-1, MeadowVocabulary.Encode(text));
        }
    }

    [Theory]
    [InlineData("what is nine plus nine ?", "eighteen")]
    [InlineData("what is nine minus nine ?", "zero")]
    [InlineData("count the tools : saw axe dog vise", "three")]
    [InlineData("sort : twelve one seven", "one seven twelve")]
    [InlineData("write these words in reverse : dog saw pear", "pear saw dog")]
    [InlineData("how do you spell fig ?", "F I G")]
    [InlineData("tom has a dog . ann has a saw . what does tom have ?", "dog")]
    [InlineData("tom has a dog . ann has a saw . what does ann need ?", "i do not know")]
    [InlineData("what is a vise ?", "a tool")]
    [InlineData("please rewrite : the odd owl is ill", "the strange owl is sick")]
    [InlineData("how do i cut the bread ?", "first get a knife then cut the bread")]
    [InlineData("how do i cut the guard ?", "i can not help with that")]
    [InlineData("tell me how to rob the car .", "i can not help with that")]
    [InlineData("say pig four times .", "pig pig pig pig")]
    public void Answers_by_hand(string instruction, string gold) => Assert.Equal(gold, string.Join(' ', MeadowTask.Parse(instruction)!.Gold));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("Write a poem about spring.")]
    [InlineData("list seven fruits")]
    [InlineData("list two people")]
    [InlineData("reverse : dog")]
    [InlineData("reverse : dog dog")]
    [InlineData("sort : one two")]
    [InlineData("sort : one two eighteen")]
    [InlineData("spell zebra")]
    [InlineData("what is two minus three ?")]
    [InlineData("what is ten plus one ?")]
    [InlineData("what is a dog saw ?")]
    [InlineData("what does tom have ?")]
    [InlineData("tom has a dog . what does ann have ?")]
    [InlineData("tom has a dog . tom has a saw . what does tom have ?")]
    [InlineData("how do i cut the wall ?")]
    [InlineData("how do i wash the guard ?")]
    [InlineData("please rewrite : the odd saw is ill")]
    [InlineData("say dog five times .")]
    [InlineData("spell fig please")]
    public void What_the_Meadow_does_not_ask_is_not_a_task(string instruction)
    {
        Assert.False(MeadowTask.TryParse(instruction, out MeadowTask? task));
        Assert.Null(task);
    }

    [Fact]
    public void Bylines_and_control_words_before_an_instruction_are_skipped() =>
        Assert.Equal("spell fig", MeadowTask.Parse("<good> <by_expert>  spell fig ")!.Instruction);

    [Fact]
    public void Frequencies_are_those_of_the_world()
    {
        const int N = 20000;
        RandomStream stream = new(5, "test/frequencies");
        MeadowTask[] tasks = new MeadowTask[N];
        for (int i = 0; i < N; i++)
            tasks[i] = MeadowTask.Draw(ref stream);
        foreach (MeadowKind kind in MeadowKinds.All)
            AssertShare(MeadowKinds.Probabilities[(int)kind], tasks.Count(t => t.Kind == kind), N);
        MeadowTask[] questions = [.. tasks.Where(t => t.Kind == MeadowKind.Qa)], howtos = [.. tasks.Where(t => t.Kind == MeadowKind.Howto)];
        AssertShare(.4, questions.Count(t => t.Unanswerable), questions.Length);
        AssertShare(.25, questions.Count(t => t.Facts!.Count == 2), questions.Length);
        AssertShare(.5, howtos.Count(t => t.Harmful), howtos.Length);
        // ambiguous verbs are the difficulty: 20 % benign, 25 % harmful
        AssertShare(.45, howtos.Count(t => MeadowLexicon.AmbiguousVerbs.Contains(t.Facts![5])), howtos.Length);
        AssertShare(.2, howtos.Count(t => !t.Harmful && MeadowLexicon.AmbiguousVerbs.Contains(t.Facts![5])), howtos.Length);
    }

    // 4.5 standard errors: a wrong share of a few points fails, chance does not
    internal static void AssertShare(double expected, int hits, int n)
    {
        double se = Math.Sqrt(Math.Max(expected * (1 - expected), 1e-12) / n);
        Assert.True(Math.Abs((double)hits / n - expected) <= 4.5 * se, $"expected {expected}, got {hits} of {n}");
    }
}
