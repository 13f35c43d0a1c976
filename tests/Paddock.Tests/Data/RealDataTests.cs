using System.IO.Compression;
using System.Text.Json;
using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Evaluation;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Data;

/// <summary>Files as their authors published them.</summary>
public class RealDataTests
{
    private static string Data(params string[] parts) => SharedFolder.Get(["data", .. parts]);

    [SharedFact]
    public void Every_pair_of_harmless_base_is_read_and_written_back_to_the_byte()
    {
        string path = Data("hh_rlhf", "harmless-base-test.jsonl.gz");
        Assert.Equal(DataFormat.HhPairs, DataFormat.Detect(path));
        Preference[] rows = [.. HhFormat.Read(path)];
        Assert.Equal(2312, rows.Length);
        Assert.All(rows, row => Assert.Equal("user", row.Prompt.Messages[0].Role));
        Assert.Equal(4, rows.Count(row => row.Chosen.Text.Length == 0));
        int[] early = [.. rows.Select((row, i) => (row, i)).Where(item => $"{item.row.Chosen.Text}{item.row.Rejected.Text}".Contains("\n\nAssistant:")).Select(item => item.i)];
        Assert.Equal([1254, 1688, 1950, 1952, 2036], early);
        using TemporaryFolder folder = new();
        HhFormat.Write(folder.File("again.jsonl"), rows);
        using StreamReader original = new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        int line = 0;
        foreach (string written in File.ReadLines(folder.File("again.jsonl")))
        {
            using JsonDocument ours = JsonDocument.Parse(written), theirs = JsonDocument.Parse(original.ReadLine()!);
            foreach (string field in new[] { "chosen", "rejected" })
                Assert.Equal(theirs.RootElement.GetProperty(field).GetString(), ours.RootElement.GetProperty(field).GetString());
            line++;
        }
        Assert.Equal(2312, line);
    }

    [SharedFact]
    public void AlpacaFarm_s_files()
    {
        Assert.Equal(252, DataFiles.ReadDemonstrations(Data("alpaca_farm", "outputs_sft.json.gz")).Count());
        Assert.Equal(805, DataFiles.ReadPrompts(Data("alpaca_farm", "eval_gpt-3.5-turbo-0301.json.gz")).Count());
        SampledAnswers[] samples = [.. AlpacaFormat.ReadSamples(Data("alpaca_farm", "multisamples_sft.json.gz"))];
        Assert.Equal(8, samples.Length);
        Assert.All(samples, row => Assert.True(row.Responses.Count > 1));
        Assert.Equal(6, AlpacaEvalAnnotationFormat.Read(Data("alpaca_farm", "outputs_pairs.json.gz")).Count());
        Assert.Equal(1100, DataFiles.ReadPreferences(Data("instruct", "instruction-data-with-preference.json")).Count());
        Assert.Equal(648, DataFiles.ReadPreferences(Data("judges_4seeds", "gpt4_b1_seed0.json.gz")).Count());
    }

    [SharedFact]
    public void AlpacaFarm_s_instructions_with_input_are_AlpacaEval_s()
    {
        string[] farm = [.. DataFiles.ReadPrompts(Data("alpaca_farm", "eval_gpt-3.5-turbo-0301.json.gz")).Select(prompt => prompt.Instruction)];
        string[] eval = [.. AlpacaEvalOutputFormat.Read(Data("alpaca_eval2", "baseline_gpt4_1106_preview.json.gz")).Select(row => row.Instruction)];
        Assert.Equal(eval, farm);
    }

    [SharedTheory]
    [InlineData("alpaca-7b", 805, 2.591450540223603, 0.4870855382635108)]
    [InlineData("NullModel", 805, 76.91979180386511, 0.9090102449662572)]
    [InlineData("phi-2", 803, 2.350209543026152, 0.4496590406673333)]
    [InlineData("claude-2.1", 805, 15.733506736409938, 1.120315865445773)]
    [InlineData("vicuna-7b", 805, 4.16261116226087, 0.6135107768217068)]
    public void Win_rates_equal_the_published_leaderboard(string model, int n, double winRate, double standardError)
    {
        double?[] scores = [.. AlpacaEvalAnnotationFormat.Read(Data("alpaca_eval2", "models", model, "annotations.json.gz")).Select(row => row.Score)];
        WinRateResult result = WinRate.Of(scores);
        Assert.Equal((n, 0), (result.Rate.N, result.Missing));
        Assert.Equal(winRate, 100 * result.Rate.Mean, 1e-8);
        Assert.Equal(standardError, 100 * result.Rate.StandardError, 1e-8);
    }

    [SharedFact]
    public void Annotations_are_written_back_with_the_same_fields()
    {
        using TemporaryFolder folder = new();
        AlpacaEvalAnnotation[] rows = [.. AlpacaEvalAnnotationFormat.Read(Data("alpaca_eval2", "models", "vicuna-7b", "annotations.json.gz")).Take(50)];
        AlpacaEvalAnnotationFormat.Write(folder.File("again.json"), rows);
        Assert.Equal(rows, AlpacaEvalAnnotationFormat.Read(folder.File("again.json")));
    }
}
