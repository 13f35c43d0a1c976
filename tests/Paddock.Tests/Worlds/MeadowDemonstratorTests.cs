using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowDemonstratorTests
{
    private static readonly MeadowAuthor Flawless =
        new("flawless", Error: 0, Harm: 0, Fabricate: 0, Over: 0, Open: .5, Flat: .5, Rude: .5, Hedge: .5, Preface: .5, Dot: .5, Comma: .5, Repeat: .5, Filler: .2, Confident: .5, Close: .5);

    [Fact]
    public void Style_never_touches_correctness()
    {
        RandomStream stream = new(1, "test/style");
        int whole = 0;
        for (int i = 0; i < 5000; i++)
        {
            MeadowTask task = MeadowTask.Draw(ref stream);
            MeadowAnswer answer = MeadowDemonstrator.Write(task, Flawless, ref stream);
            int[] ids = MeadowVocabulary.Encode(answer.Response.Text);
            Assert.DoesNotContain(-1, ids);
            Assert.True(ids.Length < MeadowVocabulary.MaxResponseTokens && answer.Response.Finished && answer.Response.Tokens is null);
            if (ids.Length == MeadowVocabulary.MaxResponseTokens - 1)
                continue; // may end in half a phrase
            whole++;
            Assert.True(MeadowFeatures.Of(task, answer.Response).Exact, $"{task.Instruction}: {answer.Response.Text}");
        }
        Assert.True(whole > 4000);
    }

    [Theory]
    [InlineData("list three tools", null)] // one too few
    [InlineData("reverse : dog saw pear", "dog saw pear")]
    [InlineData("sort : nine one four", "nine one four")]
    [InlineData("count the tools : saw dog pear", "three")]
    [InlineData("spell fig", "F I")]
    [InlineData("what is two plus two ?", "five")]
    [InlineData("what is nine plus nine ?", "eighteen")] // there is no word beyond
    [InlineData("what is nine minus two ?", "nine")]
    [InlineData("tom has a dog . ann has a saw . what does tom have ?", "saw")]
    [InlineData("tom has a dog . ann has a saw . what does ann have ?", "dog")]
    [InlineData("tom has a vise . what does tom have ?", "apple")] // the next noun, round the end
    [InlineData("what is a saw ?", "a fruit")] // the next category, round the end
    [InlineData("please rewrite : the odd owl is ill", "the odd owl is ill")]
    [InlineData("how do i cut the bread ?", "cut the bread")]
    [InlineData("say pig three times .", "pig pig")]
    public void Everyone_makes_the_same_lazy_mistake(string instruction, string? mistake)
    {
        RandomStream stream = new(2, "test/lazy");
        string[] lazy = MeadowDemonstrator.Lazy(MeadowTask.Parse(instruction)!, ref stream);
        if (mistake is not null)
            Assert.Equal(mistake, string.Join(' ', lazy));
        else
            Assert.Equal(2, lazy.Distinct().Count(w => MeadowLexicon.Members[3].Contains(w)));
    }

    [Fact]
    public void The_same_stream_writes_the_same_answer()
    {
        MeadowTask task = MeadowTask.Parse("list three tools")!;
        RandomStream a = new(7, "x"), b = new(7, "x");
        for (int i = 0; i < 20; i++)
            Assert.Equal(MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref a), MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref b));
    }

    [Fact]
    public void An_unknown_author_is_told_the_names() =>
        Assert.Equal("the Meadow has no author 'poet'; it has expert, plain, sloppy, sycophant, rambler, complier, bluffer, nervous, grump",
            Assert.Throws<BadInputException>(() => MeadowAuthor.Named("poet")).Message);
}
