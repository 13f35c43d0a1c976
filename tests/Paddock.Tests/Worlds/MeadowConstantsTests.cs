using System.Text.Json;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowConstantsTests
{
    private static JsonElement Constants => MeadowGolden.Constants;

    [Fact]
    public void Vocabulary_is_the_reference_word_for_word()
    {
        Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("vocabulary")), MeadowVocabulary.Words);
        Assert.Equal(264, MeadowVocabulary.Words.Count);
        Assert.Equal(MeadowVocabulary.MaxResponseTokens, Constants.GetProperty("max_response_tokens").GetInt32());
        for (int id = 0; id < MeadowVocabulary.Words.Count; id++)
            Assert.Equal(id, MeadowVocabulary.Id(MeadowVocabulary.Words[id]));
        Assert.Equal(-1, MeadowVocabulary.Id("zebra"));
    }

    [Fact]
    public void Text_survives_encoding_and_decoding()
    {
        int[] ids = MeadowVocabulary.Encode("  of course !\tvise ");
        Assert.Equal("of course ! vise", MeadowVocabulary.Decode(ids));
        Assert.Equal([MeadowVocabulary.Id("vise"), -1], MeadowVocabulary.Encode("vise zebra"));
    }

    [Fact]
    public void Features_and_gold_weights_are_the_reference()
    {
        Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("features")), MeadowFeatures.Names);
        Assert.Equal(MeadowGolden.Doubles(Constants.GetProperty("gold_weights")), MeadowWeights.Gold.ToArray());
        Assert.Equal(MeadowFeatures.Names.Count, Enum.GetValues<MeadowFeature>().Length);
        Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("correctness_features")), MeadowFeatures.Names.Take(MeadowWeights.CorrectnessCount));
    }

    [Fact]
    public void Kinds_templates_and_frequencies_are_the_reference()
    {
        Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("task_kinds")), MeadowKinds.Names);
        Assert.Equal(MeadowGolden.Doubles(Constants.GetProperty("task_probabilities")), MeadowKinds.Probabilities);
        Assert.Equal(1.0, MeadowKinds.Probabilities.Sum(), 12);
        foreach (MeadowKind kind in MeadowKinds.All)
            Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("templates").GetProperty(kind.Name())), MeadowTemplate.ByKind[(int)kind].Select(t => t.Text));
    }

    [Fact]
    public void Authors_and_mixtures_are_the_reference()
    {
        Assert.Equal(MeadowGolden.Strings(Constants.GetProperty("author_order")), MeadowAuthor.All.Select(a => a.Name));
        foreach (MeadowAuthor author in MeadowAuthor.All)
        {
            double[] expected = [.. Constants.GetProperty("authors").GetProperty(author.Name).EnumerateObject().Select(p => p.Value.GetDouble())];
            double[] actual = [author.Error, author.Harm, author.Fabricate, author.Over, author.Open, author.Flat, author.Rude, author.Hedge,
                author.Preface, author.Dot, author.Comma, author.Repeat, author.Filler, author.Confident, author.Close];
            Assert.Equal(expected, actual);
        }
        foreach (MeadowMixture mixture in MeadowMixture.All)
            Assert.Equal(MeadowGolden.Doubles(Constants.GetProperty("mixtures").GetProperty(mixture.Name)), mixture.Shares);
    }

    [Fact]
    public void Raters_are_the_reference()
    {
        JsonElement human = Constants.GetProperty("human"), pool = Constants.GetProperty("pool"), judge = Constants.GetProperty("judge");
        JsonElement[] people = [.. human.GetProperty("weights").EnumerateArray()], models = [.. pool.GetProperty("annotators").EnumerateArray()];
        Assert.Equal(people.Length, MeadowRaters.Human.Length);
        Assert.Equal(models.Length, MeadowRaters.Pool.Length);
        for (int i = 0; i < people.Length; i++)
            AssertRater(MeadowRaters.Human[i], $"human/{i}", people[i], human.GetProperty("temperature").GetDouble());
        for (int i = 0; i < models.Length; i++)
        {
            MeadowRater rater = MeadowRaters.Pool[i];
            double temperature = pool.GetProperty("temperature").GetDouble() * models[i].GetProperty("tau").GetDouble();
            AssertRater(rater, $"pool/{models[i].GetProperty("name").GetString()}", models[i].GetProperty("weights"), temperature);
            Assert.Equal(models[i].GetProperty("misread").GetDouble(), rater.Misread);
            Assert.Equal(models[i].GetProperty("position").GetDouble(), rater.Position);
        }
        AssertRater(MeadowRaters.Judge, "judge", judge.GetProperty("weights"), judge.GetProperty("temperature").GetDouble());
    }

    private static void AssertRater(MeadowRater rater, string name, JsonElement weights, double temperature)
    {
        Assert.Equal(name, rater.Name);
        double[] expected = MeadowGolden.Doubles(weights);
        Assert.Equal(expected.Length, rater.Weights.Count);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], rater.Weights[i], 1e-12);
        Assert.Equal(temperature, rater.Temperature, 1e-12);
    }
}
