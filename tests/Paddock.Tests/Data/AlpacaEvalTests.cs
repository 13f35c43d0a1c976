using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Data;

public class AlpacaEvalTests
{
    private static AlpacaEvalAnnotation Read(TemporaryFolder folder, string fields) =>
        Assert.Single(AlpacaEvalAnnotationFormat.Read(folder.Write("a.json", $"[{{\"instruction\":\"i\",\"output_1\":\"a\",\"output_2\":\"b\"{fields}}}]")));

    [Fact]
    public void Both_spellings_of_the_judge_s_columns_are_read()
    {
        using TemporaryFolder folder = new();
        AlpacaEvalAnnotation older = Read(folder, ",\"preference\":2,\"price_per_example\":0.5,\"time_per_example\":3,\"raw_completion\":{\"text\":\"m\"}");
        AlpacaEvalAnnotation newer = Read(folder, ",\"preference\":2,\"preference_price_per_example\":0.5,\"preference_time_per_example\":3,\"preference_raw_completion\":{\"text\":\"m\"}");
        Assert.Equal(older, newer);
        Assert.Equal((0.5, 3, "{\"text\":\"m\"}"), (newer.PricePerExample, newer.TimePerExample, newer.RawCompletion));
    }

    [Theory]
    [InlineData("1", 0.0, "a", 1.0)]
    [InlineData("2.0", 1.0, "b", 1.0)]
    [InlineData("1.5", 0.5, "a", 0.5)]
    [InlineData("0", 0.5, "a", 0.5)]
    [InlineData("1.25", 0.25, "a", 0.75)]
    [InlineData("1.75", 0.75, "b", 0.75)]
    public void A_preference_is_a_score_of_the_second_output(string preference, double score, string chosen, double probability)
    {
        using TemporaryFolder folder = new();
        AlpacaEvalAnnotation row = Read(folder, $",\"preference\":{preference}");
        Preference training = row.ToPreference("7")!;
        Assert.Equal((score, chosen, probability, "7"), (row.Score, training.Chosen.Text, training.Probability, training.Prompt.Id));
        Assert.NotEqual(training.Chosen, training.Rejected);
    }

    [Fact]
    public void No_verdict_stays_missing()
    {
        using TemporaryFolder folder = new();
        Assert.Null(Read(folder, ",\"preference\":null").Score);
        Assert.Null(Read(folder, "").ToPreference("0"));
        Assert.Contains("needs a verdict", Assert.Throws<BadInputException>(() => DataFiles.ReadPreferences(folder.File("a.json")).ToList()).Message);
    }

    [Theory]
    [InlineData("2.5")]
    [InlineData("-1")]
    [InlineData("0.5")]
    [InlineData("\"1\"")]
    public void What_is_no_preference_is_refused(string preference)
    {
        using TemporaryFolder folder = new();
        Assert.Contains("preference: expected", Assert.Throws<BadInputException>(() => Read(folder, $",\"preference\":{preference}")).Message);
    }
}
