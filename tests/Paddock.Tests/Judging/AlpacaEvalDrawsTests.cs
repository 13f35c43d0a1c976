using System.Numerics;
using System.Text.Json;
using Paddock.Judging.AlpacaEval;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Judging;

/// <summary>The draws of Python and numpy, against vectors made by them.</summary>
public sealed class AlpacaEvalDrawsTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "alpaca", "python_random.json"))).RootElement;

    [Fact]
    public void Text_seeds_give_what_Python_gives()
    {
        int seeds = 0;
        foreach (JsonProperty vector in Golden.GetProperty("python_random").EnumerateObject())
        {
            PythonRandom random = new(vector.Name);
            foreach (JsonElement expected in vector.Value.EnumerateArray())
                Assert.Equal(expected.GetDouble(), random.Next());
            seeds++;
        }
        Assert.Equal(6, seeds);
    }

    [Fact]
    public void Whole_number_seeds_give_what_Python_gives()
    {
        Assert.Equal(0.8444218515250481, new PythonRandom(BigInteger.Zero).Next());
        Assert.Equal(0.052363598850944326, new PythonRandom(new BigInteger(123)).Next());
        Assert.Equal(0.052363598850944326, new PythonRandom(new BigInteger(-123)).Next());
    }

    [Fact]
    public void A_shuffle_is_Pythons()
    {
        int[] items = [0, 1, 2, 3, 4];
        new PythonRandom(BigInteger.Zero).Shuffle<int>(items);
        Assert.Equal([2, 1, 0, 4, 3], items);
    }

    [Theory]
    [InlineData(0u, new[] { 2, 0, 1, 3, 4 })]
    [InlineData(0u, new[] { 6, 2, 1, 7, 3, 0, 5, 4 })]
    [InlineData(123u, new[] { 1, 0 })]
    [InlineData(123u, new[] { 0, 1, 2 })]
    [InlineData(123u, new[] { 3, 0, 1, 2 })]
    public void A_permutation_is_numpys(uint seed, int[] expected) => Assert.Equal(expected, new NumpyRandom(seed).Permutation(expected.Length));

    [Theory]
    [InlineData("Hello", false, 0, 1.0)]
    [InlineData("World", false, 6, 2.0)]
    [InlineData("Paddock", false, 0, null)]
    public void Order_annotator_and_noise_are_those_of_AlpacaEval(string instruction, bool switched, int annotator, double? noise)
    {
        Assert.Equal(switched, SeededDraws.IsSwitched(instruction, 0));
        Assert.Equal(annotator, SeededDraws.Annotator(instruction, 0, 13));
        Assert.Equal(noise, SeededDraws.Noise(instruction, 0, 0.25));
    }

    [SharedFact]
    public void Published_rows_have_the_order_that_the_seed_gives()
    {
        JsonElement rows = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("golden", "alpaca_golden.json"))).RootElement.GetProperty("order_and_logprob_examples");
        Assert.Equal(6, rows.GetArrayLength());
        Assert.All(rows.EnumerateArray(), row => Assert.Equal(row.GetProperty("switched").GetBoolean(), SeededDraws.IsSwitched(row.GetProperty("instruction").GetString()!, 0)));
    }
}
