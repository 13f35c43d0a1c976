using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowCorpusTests
{
    private const int Documents = 3000;

    private sealed record Parsed(MeadowAuthor? Byline, MeadowTask Task, int[] Answer, string? Comment);

    // takes a document apart by its text alone and checks its form and weights on the way
    private static Parsed Parse(MeadowDocument document)
    {
        int[] tokens = document.Tokens;
        Assert.Equal(tokens.Length, document.TargetWeights.Length);
        Assert.InRange(tokens.Length, 4, MeadowCorpus.MaxTokens);
        int sep = Array.IndexOf(tokens, MeadowVocabulary.Sep), eos = Array.IndexOf(tokens, MeadowVocabulary.Eos);
        Assert.True(sep > 0 && eos > sep && eos >= tokens.Length - 2);
        for (int i = 0; i < tokens.Length; i++)
            Assert.Equal(i <= sep ? 0 : i <= eos ? 1 : 2, document.TargetWeights[i]);
        MeadowAuthor? byline = MeadowAuthor.All.FirstOrDefault(a => MeadowVocabulary.Id(a.Byline) == tokens[0]);
        MeadowTask task = MeadowTask.Parse(MeadowVocabulary.Decode(tokens[(byline is null ? 0 : 1)..sep]))!;
        Assert.NotNull(task);
        string? comment = eos == tokens.Length - 1 ? null : MeadowVocabulary.Words[tokens[^1]];
        Assert.True(comment is null or "right" or "wrong");
        return new(byline, task, tokens[(sep + 1)..(eos + 1)], comment);
    }

    private static Parsed[] Read(double progress, ulong seed = 1) => [.. Enumerable.Range(0, Documents).Select(i => Parse(new MeadowCorpus(seed).Document(i, progress)))];

    [Fact]
    public void A_document_depends_on_seed_and_index_alone()
    {
        MeadowCorpus corpus = new(3);
        MeadowDocument later = corpus.Document(2999, .3), first = corpus.Document(0, .3);
        Assert.Equal(later.Tokens, new MeadowCorpus(3).Document(2999, .3).Tokens);
        Assert.Equal(first.Tokens, corpus.Document(0, .1).Tokens);
        Assert.NotEqual(first.Tokens, corpus.Document(1, .3).Tokens);
        Assert.NotEqual(later.Tokens, new MeadowCorpus(4).Document(2999, .3).Tokens);
    }

    [Theory]
    [InlineData(0, .5)]
    [InlineData(.59, .5)]
    [InlineData(.6, .2)]
    [InlineData(1, .2)]
    public void The_textbook_share_follows_the_progress(double progress, double share) =>
        MeadowTaskTests.AssertShare(share, Read(progress).Count(d => d.Comment is null), Documents);

    [Fact]
    public void Comments_say_whether_the_answer_is_right_but_for_the_noise()
    {
        Parsed[] raw = [.. Read(1).Where(d => d.Comment is not null)];
        MeadowTaskTests.AssertShare(.05, raw.Count(d => MeadowFeatures.Of(d.Task, d.Answer).Exact != (d.Comment == "right")), raw.Length);
        Assert.InRange(raw.Count(d => d.Comment == "right"), raw.Length / 3, raw.Length * 9 / 10);
    }

    [Fact]
    public void Careful_authors_sign_and_sloppy_ones_seldom_do()
    {
        Parsed[] raw = [.. Read(1, 2).Where(d => d.Comment is not null)];
        double[] sign = [.95, .6, .2, .4, .4, .4, .2, .8, .8];
        for (int a = 0; a < sign.Length; a++)
            MeadowTaskTests.AssertShare(MeadowMixture.Raw.Shares[a] / MeadowMixture.Raw.Shares.Sum() * sign[a], raw.Count(d => d.Byline == MeadowAuthor.All[a]), raw.Length);
    }

    [Fact]
    public void Textbook_documents_are_right_unsigned_and_plain()
    {
        Parsed[] textbook = [.. Read(0, 3).Where(d => d.Comment is null)];
        Parsed[] sentences = [.. textbook.Where(d => d.Answer.Contains(MeadowVocabulary.Id("has")))];
        Assert.All(textbook, d => Assert.Null(d.Byline));
        Assert.All(textbook.Except(sentences), d =>
        {
            MeadowFeatures features = MeadowFeatures.Of(d.Task, d.Answer);
            Assert.True(features.Exact);
            Assert.Equal(0, features[MeadowFeature.Polite] + features[MeadowFeature.Filler] + features[MeadowFeature.Confident] + features[MeadowFeature.Commas]);
            Assert.Equal(MeadowVocabulary.Id("."), d.Answer[^2]);
        });
        Parsed[] questions = [.. textbook.Where(d => d.Task.Kind == MeadowKind.Qa && !d.Task.Unanswerable)];
        MeadowTaskTests.AssertShare(.4, sentences.Length, questions.Length);
        Assert.All(sentences, d => Assert.EndsWith($" has a {d.Task.Gold[0]} . <eos>", MeadowVocabulary.Decode(d.Answer), StringComparison.Ordinal));
        (string Kind, double Share)[] kinds =
            [("qa", .24), ("count", .16), ("list", .24), ("add", .08), ("sub", .06), ("sort", .04), ("reverse", .06), ("howto", .06), ("copy", .02), ("cat", .04), ("syn", 0)];
        foreach ((string kind, double share) in kinds)
            MeadowTaskTests.AssertShare(share, textbook.Count(d => d.Task.Kind.Name() == kind), textbook.Length);
    }

    [Fact]
    public void Progress_and_index_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeadowCorpus(1).Document(0, 1.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeadowCorpus(1).Document(0, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeadowCorpus(1).Document(-1, 0));
    }
}
