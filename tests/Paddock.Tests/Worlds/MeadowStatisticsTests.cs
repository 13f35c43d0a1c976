using System.Text.Json;
using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

/// <summary>
/// The world's rates against those of the reference (statistics.json: means and standard errors over its own draws). The tolerance is
/// 4.5 standard errors of the difference.
/// </summary>
public sealed class MeadowStatisticsTests
{
    private static readonly JsonElement Statistics =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "meadow", "statistics.json"))).RootElement;

    [Fact]
    public void Authors_and_mixtures_write_as_in_the_reference()
    {
        RandomStream stream = new(21, "test/authors");
        MeadowTask[] tasks = Draw(3000, null, ref stream);
        foreach (MeadowAuthor author in MeadowAuthor.All)
            AssertFeatures(Statistics.GetProperty("authors").GetProperty(author.Name), tasks, author.Name,
                (MeadowTask task, ref RandomStream r) => MeadowDemonstrator.Write(task, author, ref r), ref stream);
        foreach (MeadowMixture mixture in MeadowMixture.All)
            AssertFeatures(Statistics.GetProperty("authors").GetProperty(mixture.Name), tasks, mixture.Name,
                (MeadowTask task, ref RandomStream r) => MeadowDemonstrator.Write(task, mixture, ref r), ref stream);
    }

    [Fact]
    public void Every_kind_goes_wrong_as_in_the_reference()
    {
        RandomStream stream = new(22, "test/kinds");
        MeadowAuthor sloppy = MeadowAuthor.Named("sloppy");
        foreach (MeadowKind kind in MeadowKinds.All)
            AssertFeatures(Statistics.GetProperty("sloppy_by_kind").GetProperty(kind.Name()), Draw(2000, kind, ref stream), $"sloppy {kind.Name()}",
                (MeadowTask task, ref RandomStream r) => MeadowDemonstrator.Write(task, sloppy, ref r), ref stream);
    }

    [Fact]
    public async Task Raters_and_labels_agree_as_in_the_reference()
    {
        // two demonstrators' answers to one prompt, duplicates dropped
        MeadowWorld world = new();
        List<Comparison> pairs = [];
        RandomStream stream = new(11, "test/agreement");
        foreach (Prompt prompt in world.Prompts("preference"))
        {
            MeadowTask task = MeadowTask.Parse(prompt.Instruction)!;
            Response a = MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref stream).Response, b = MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref stream).Response;
            if (a != b)
                pairs.Add(new Comparison(prompt.Id, prompt, a, b));
        }
        IReadOnlyList<Verdict> labels = await world.Annotator("pool", new(1, false, .25)).CompareAsync(pairs, default);

        double[] agreement = new double[pairs.Count], label = new double[pairs.Count];
        for (int i = 0; i < pairs.Count; i++)
        {
            MeadowTask task = MeadowTask.Parse(pairs[i].Prompt.Instruction)!;
            MeadowFeatures first = MeadowFeatures.Of(task, pairs[i].First), second = MeadowFeatures.Of(task, pairs[i].Second);
            double[] delta = [.. first.Values.ToArray().Zip(second.Values.ToArray(), (x, y) => x - y)];
            double[] p = [.. MeadowRaters.Human.Select(r => r.Expected(delta))];
            // mean over the ordered pairs of different raters of p q + (1 - p) (1 - q)
            double n = p.Length, sum = p.Sum(), both = (sum * sum - p.Sum(x => x * x)) / (n * (n - 1));
            agreement[i] = 1 - 2 * sum / n + 2 * both;
            label[i] = (sum / n > .5) == (labels[i].FirstPreferred > .5) ? 1 : 0;
        }
        AssertMean(Statistics.GetProperty("rater_agreement"), agreement, "agreement of two raters");
        AssertMean(Statistics.GetProperty("pool_label_agrees_with_human_majority"), label, "a flipped pool label and the human majority");
    }

    [Fact]
    public async Task The_expert_beats_the_reference_system_as_in_the_reference()
    {
        MeadowWorld world = new();
        IReadOnlyList<Prompt> prompts = world.Prompts("evaluation");
        IReadOnlyList<Response> references = world.References("evaluation");
        RandomStream stream = new(12, "test/expert");
        MeadowAuthor expert = MeadowAuthor.Named("expert");
        Comparison[] comparisons = [.. prompts.Select((p, i) =>
            new Comparison(p.Id, p, MeadowDemonstrator.Write(MeadowTask.Parse(p.Instruction)!, expert, ref stream).Response, references[i]))];
        foreach (string panel in (string[])["human", "pool"])
        {
            IReadOnlyList<Verdict> verdicts = await world.Annotator(panel, new(1, true)).CompareAsync(comparisons, default);
            AssertMean(Statistics.GetProperty($"expert_against_reference_{panel}"), [.. verdicts.Select(v => v.FirstPreferred!.Value)], panel);
        }
    }

    private delegate MeadowAnswer Writer(MeadowTask task, ref RandomStream stream);

    private static void AssertFeatures(JsonElement expected, MeadowTask[] tasks, string who, Writer write, ref RandomStream stream)
    {
        double[][] columns = [.. Enumerable.Range(0, MeadowFeatures.Count).Select(_ => new double[tasks.Length])];
        for (int i = 0; i < tasks.Length; i++)
        {
            ReadOnlySpan<double> values = MeadowFeatures.Of(tasks[i], write(tasks[i], ref stream).Response).Values;
            for (int f = 0; f < columns.Length; f++)
                columns[f][i] = values[f];
        }
        double[] means = MeadowGolden.Doubles(expected.GetProperty("mean")), errors = MeadowGolden.Doubles(expected.GetProperty("se"));
        for (int f = 0; f < columns.Length; f++)
            AssertMean(means[f], errors[f], columns[f], $"{who}: {MeadowFeatures.Names[f]}");
    }

    private static void AssertMean(JsonElement expected, double[] values, string what) =>
        AssertMean(expected.GetProperty("mean").GetDouble(), expected.GetProperty("se").GetDouble(), values, what);

    private static void AssertMean(double expected, double expectedError, double[] values, string what)
    {
        double n = values.Length, mean = values.Average(), error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (n - 1) / n);
        // an event that was never seen in n draws may still have a probability of some 1/n
        double tolerance = 4.5 * Math.Sqrt(error * error + expectedError * expectedError) + 3 / n;
        Assert.True(Math.Abs(mean - expected) <= tolerance, $"{what}: expected {expected}, got {mean:F4} +- {error:F4}");
    }

    private static MeadowTask[] Draw(int count, MeadowKind? kind, ref RandomStream stream)
    {
        MeadowTask[] tasks = new MeadowTask[count];
        for (int i = 0; i < count; i++)
            tasks[i] = MeadowTask.Draw(ref stream, kind);
        return tasks;
    }
}
