using System.Text.Json;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;

namespace Paddock.Engine.Tests.Sampling;

public class SamplingRulesTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "hf", "sampling.json"))).RootElement;

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Golden.GetProperty("cases").GetArrayLength())];

    [Theory, MemberData(nameof(Cases))]
    public void Processors_give_the_reference_probabilities(int index)
    {
        JsonElement golden = Golden.GetProperty("cases")[index];
        SamplerOptions options = new(1);
        foreach (JsonElement step in golden.GetProperty("steps").EnumerateArray())
            foreach (JsonProperty setting in step.EnumerateObject())
                options = setting.Name switch
                {
                    "temperature" => options with { Temperature = setting.Value.GetSingle() },
                    "top_k" => options with { TopK = setting.Value.GetInt32() },
                    "top_p" => options with { TopP = setting.Value.GetSingle() },
                    "min_p" => options with { MinP = setting.Value.GetSingle() },
                    "repetition_penalty" => options with { RepetitionPenalty = setting.Value.GetSingle() },
                    _ => throw new InvalidDataException(setting.Name),
                };
        for (int v = 0; v < Golden.GetProperty("vectors").GetArrayLength(); v++)
        {
            float[] logits = Floats(Golden.GetProperty("vectors")[v].GetProperty("logits"));
            JsonElement previous = Golden.GetProperty("previous_ids");
            int[] seen = [.. (previous[0].ValueKind == JsonValueKind.Array ? previous[v] : previous).EnumerateArray().Select(id => id.GetInt32()).Distinct()];
            SamplingRules.Apply(logits, options, seen);
            double normaliser = SamplingRules.LogSumExp(logits);
            double[] actual = [.. logits.Select(z => Math.Exp(z - normaliser))];
            double[] expected = [.. Floats(golden.GetProperty("probabilities")[v]).Select(p => (double)p)];
            if (golden.GetProperty("ambiguous_ties")[v].GetBoolean())
            {
                Array.Sort(actual);
                Array.Sort(expected);
            }
            for (int i = 0; i < actual.Length; i++)
                Assert.InRange(actual[i], expected[i] - 1e-6, expected[i] + 1e-6);
            Assert.Equal(golden.GetProperty("kept")[v].GetInt32(), actual.Count(p => p > 0));
        }
    }

    [Fact]
    public void Draws_follow_the_distribution()
    {
        // 1300 entries span several summing chunks; two large ones, the rest share a fifth
        const int V = 1300, Draws = 60_000;
        float[] logits = new float[V];
        logits[3] = MathF.Log(4 * V * 0.5f);
        logits[1100] = MathF.Log(4 * V * 0.5f);
        double normaliser = SamplingRules.LogSumExp(logits);
        RandomStream stream = new(11, "draws");
        int[] counts = new int[V];
        for (int i = 0; i < Draws; i++)
        {
            int token = SamplingRules.Draw(logits, stream.NextDouble(), out float logProb);
            Assert.Equal(logits[token] - normaliser, logProb, 1e-5);
            counts[token]++;
        }
        double chi = 0;
        for (int i = 0; i < V; i++)
        {
            double expected = Draws * Math.Exp(logits[i] - normaliser);
            chi += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        // chi-square with V - 1 degrees of freedom: mean V - 1, standard deviation sqrt(2 (V - 1)); four of them
        Assert.InRange(chi, V - 1 - 4 * Math.Sqrt(2.0 * V), V - 1 + 4 * Math.Sqrt(2.0 * V));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(0.9999999999999999)]
    public void A_removed_entry_is_never_drawn(double uniform)
    {
        float[] logits = new float[1200];
        Array.Fill(logits, float.NegativeInfinity);
        logits[700] = -3;
        Assert.Equal(700, SamplingRules.Draw(logits, uniform, out float logProb));
        Assert.Equal(0f, logProb, 1e-6f);
    }

    [Fact]
    public void Equal_logits_are_settled_by_index()
    {
        float[] logits = [1, 5, 5, 2];
        Assert.Equal(1, SamplingRules.ArgMax(logits));
        SamplingRules.KeepTopP(logits, 0.1f);
        Assert.Equal([float.NegativeInfinity, float.NegativeInfinity, 5, float.NegativeInfinity], logits);
    }

    [Fact]
    public void Top_p_agrees_with_a_full_sort()
    {
        RandomStream stream = new(5, "top-p");
        for (int trial = 0; trial < 40; trial++)
        {
            float[] logits = new float[1 + stream.NextInt(3000)];
            for (int i = 0; i < logits.Length; i++)
                logits[i] = (float)(3 * stream.NextGaussian());
            float p = (float)(0.02 + 0.97 * stream.NextDouble());
            float largest = logits.Max();
            double total = logits.Sum(z => Math.Exp(z - largest)), below = 0;
            int[] order = [.. Enumerable.Range(0, logits.Length).OrderBy(i => logits[i])];
            HashSet<int> kept = [.. order];
            foreach (int i in order[..^1])
            {
                below += Math.Exp(logits[i] - largest);
                if (below > (1 - p) * total)
                    break;
                kept.Remove(i);
            }
            SamplingRules.KeepTopP(logits, p);
            Assert.Equal(kept.Order(), Enumerable.Range(0, logits.Length).Where(i => !float.IsNegativeInfinity(logits[i])));
        }
    }

    [Fact]
    public void Logits_that_are_not_numbers_are_reported()
    {
        Assert.Contains("not numbers", Assert.Throws<BadInputException>(() => SamplingRules.Draw([float.NaN, 1], 0.5, out _)).Message);
        Assert.Contains("not numbers", Assert.Throws<BadInputException>(() => SamplingRules.ArgMax([float.NaN, 1])).Message);
    }

    public static TheoryData<SamplerOptions, string> BadOptions => new()
    {
        { new(0), "max tokens" },
        { new(1, Temperature: -1), "temperature" },
        { new(1, TopK: -1), "top-k" },
        { new(1, TopP: 0), "top-p" },
        { new(1, MinP: 2), "min-p" },
        { new(1, RepetitionPenalty: 0), "repetition penalty" },
        { new(1, StopStrings: ["x"]), "tokenizer" },
        { new(1, StopStrings: [""], TextOf: _ => ""), "empty" },
    };

    [Theory, MemberData(nameof(BadOptions))]
    public void An_option_out_of_range_is_named(SamplerOptions options, string name) =>
        Assert.Contains(name, Assert.Throws<BadInputException>(options.Check).Message);

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetSingle())];
}
