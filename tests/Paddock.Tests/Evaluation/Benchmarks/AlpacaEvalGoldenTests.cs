using Paddock.Data.Formats;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Benchmarks;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Evaluation.Benchmarks;

/// <summary>Public annotations of AlpacaEval 2 against its published leaderboard.</summary>
public sealed class AlpacaEvalGoldenTests
{
    // length-controlled rates of these were published from other inputs than their weights and the common difficulties, by up to 0.2 points
    private static readonly Dictionary<string, double> Exceptions = new()
    {
        ["dbrx-instruct"] = -0.19011,
        ["NullModel"] = -0.13279,
        ["llama-2-70b-chat-hf"] = -0.01233,
        ["platolm-7b"] = -0.01052,
        ["gpt35_turbo_instruct"] = -0.00649,
        ["minotaur-13b"] = -0.00643,
        ["text_davinci_001"] = -0.00512,
        ["alpaca-7b_concise"] = -0.00414,
        ["phi-2"] = -0.00312,
        ["alpaca-7b_verbose"] = 0.00216,
    };

    private static string File(params string[] parts) => SharedFolder.Get(["data", "alpaca_eval2", .. parts]);

    private static string[] Models => [.. Directory.GetDirectories(File("models")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    private static AlpacaEvalAnnotation[] Annotations(string model) => [.. AlpacaEvalAnnotationFormat.Read(File("models", model, "annotations.json.gz"))];

    [SharedFact]
    public void Every_column_of_every_model_is_the_published_one()
    {
        Dictionary<string, AlpacaEvalRow> published = AlpacaEvalLeaderboard.Read(File("leaderboard.csv")).ToDictionary(row => row.Name);
        string[] instructions = [.. AlpacaEvalOutputFormat.Read(File("baseline_gpt4_1106_preview.json.gz")).Select(row => row.Instruction)];
        Assert.Equal((223, 805), (published.Count, instructions.Length));
        Assert.Equal(12, Models.Length);
        foreach (string model in Models)
        {
            ModelOutput[] outputs = [.. AlpacaEvalOutputFormat.Read(File("models", model, "model_outputs.json.gz"))];
            AlpacaEvalRow row = AlpacaEval.Score(model, Annotations(model), outputs, instructions), wanted = published[model];
            Assert.Equal(wanted.WinRate, row.WinRate, 1e-8);
            Assert.Equal(wanted.StandardError!.Value, row.StandardError!.Value, 1e-8);
            Assert.Equal(wanted.DiscreteWinRate, row.DiscreteWinRate, 1e-8);
            Assert.Equal((wanted.NWins, wanted.NWinsBase, wanted.NDraws, wanted.NTotal, wanted.AvgLength), (row.NWins, row.NWinsBase, row.NDraws, row.NTotal, row.AvgLength));
        }
    }

    [SharedFact]
    public void Published_weights_give_the_published_length_controlled_rates()
    {
        IReadOnlyDictionary<string, LengthControlWeights> weights = LengthControlFiles.ReadWeights(File("lc_weights.csv"));
        InstructionDifficulty difficulty = LengthControlFiles.ReadDifficulty(File("lc_difficulty_quadrature.csv"));
        int compared = 0, errors = 0;
        foreach (AlpacaEvalRow row in AlpacaEvalLeaderboard.Read(File("leaderboard.csv")))
            if (row.LengthControlledWinrate is { } published && weights.TryGetValue(row.Name, out LengthControlWeights? known))
            {
                double rate = 100 * LengthControl.Rate(known, difficulty.Values, difficulty.Masses);
                Assert.Equal(published + Exceptions.GetValueOrDefault(row.Name), rate, 1e-5);
                compared++;
                if (row.LcStandardError is { } error && row.Name != "NullModel")
                {
                    Assert.Equal(error, 100 * LengthControl.FittedError(known, difficulty.Values, difficulty.Masses, 805), 1e-5);
                    errors++;
                }
            }
        Assert.True(compared > 190 && errors > 30, $"{compared} rates and {errors} errors were compared");
    }

    /// <summary>Unpenalised refits without the gamed rows, and without difficulty.</summary>
    [SharedFact]
    public void Refits_have_the_coefficients_of_the_reference()
    {
        (string Model, double[] Full, double[] Minimal)[] expected =
        [
            ("NullModel", [-0.792837, 0.122960, 1.689526, 84.175952], [-0.867912, 1.712517, 84.716249]),
            ("alpaca-7b", [-3.438014, 1.400680, -4.428776, 6.135044], [-4.387274, -1.396667, 19.834554]),
            ("alpaca-7b_concise", [-3.350281, 1.152878, -4.170085, 5.215151], [-3.989816, -1.885286, 13.178294]),
            ("claude-2.1", [-1.763408, 0.874722, -1.370228, 24.755789], [-2.148089, -0.734911, 32.411803]),
            ("phi-2", [-0.957823, 1.139703, -4.837053, 3.097363], [-1.280852, -3.106790, 4.282802]),
            ("vicuna-7b", [-1.128165, 1.358309, -4.591289, 5.240490], [-1.950429, -2.280443, 9.275568]),
        ];
        InstructionDifficulty difficulty = LengthControlFiles.ReadDifficulty(File("recovered_instruction_difficulty.csv"));
        string[] instructions = [.. AlpacaEvalOutputFormat.Read(File("baseline_gpt4_1106_preview.json.gz")).Select(row => row.Instruction)];
        foreach ((string model, double[] full, double[] minimal) in expected)
        {
            AlpacaEvalAnnotation[] rows = Annotations(model);
            double?[] scores = [.. rows.Select(row => row.Score)];
            double[] lengths = LengthControl.LengthFeature(AlpacaEval.LengthDifferences(rows));
            LengthControlResult fit = LengthControl.Refit(scores, lengths, LengthControlFiles.Join(difficulty, instructions, rows), null, new RandomStream(1, "lc"), 0);
            LengthControlResult plain = LengthControl.Refit(scores, lengths, null, null, new RandomStream(1, "lc"), 0);
            double[] found = [fit.Weights.Length, fit.Weights.Difficulty, fit.Weights.System, 100 * fit.Rate.Mean], plainFound = [plain.Weights.Length, plain.Weights.System, 100 * plain.Rate.Mean];
            for (int k = 0; k < found.Length; k++)
                Assert.Equal(full[k], found[k], 2e-5);
            for (int k = 0; k < plainFound.Length; k++)
                Assert.Equal(minimal[k], plainFound[k], 2e-5);
        }
    }

    [SharedFact]
    public void A_full_refit_is_close_to_the_published_rate()
    {
        Dictionary<string, AlpacaEvalRow> published = AlpacaEvalLeaderboard.Read(File("leaderboard.csv")).ToDictionary(row => row.Name);
        InstructionDifficulty difficulty = LengthControlFiles.ReadDifficulty(File("recovered_instruction_difficulty.csv"));
        ModelOutput[] baseline = [.. AlpacaEvalOutputFormat.Read(File("baseline_gpt4_1106_preview.json.gz"))];
        string[] instructions = [.. baseline.Select(row => row.Instruction)];
        GamedRows gamed = LengthControlFiles.ReadGamed([File("gamed", "gpt4_1106_preview_verbose.model_outputs.json.gz"), File("gamed", "gpt4_1106_preview_concise.model_outputs.json.gz")],
            File("recovered_gamed_sufficient_stats.json"), difficulty, baseline);
        Assert.Equal(1610, gamed.Lengths.Length);
        List<double> byPosition = [], byText = [];
        foreach (string model in Models)
        {
            AlpacaEvalAnnotation[] rows = Annotations(model);
            double?[] scores = [.. rows.Select(row => row.Score)];
            double[] lengths = LengthControl.LengthFeature(AlpacaEval.LengthDifferences(rows));
            double wanted = published[model].LengthControlledWinrate!.Value;
            byPosition.Add(Math.Abs(Rate(LengthControlFiles.ByPosition(difficulty, rows.Length)) - wanted));
            if (rows.Length == 805)
                byText.Add(Math.Abs(Rate(LengthControlFiles.Join(difficulty, instructions, rows)) - wanted));

            double Rate(double[] difficulties) => 100 * LengthControl.Refit(scores, lengths, difficulties, gamed, new RandomStream(1, "lc"), 0).Rate.Mean;
        }
        Assert.InRange(byPosition.Max(), 0, 0.45);
        Assert.InRange(byPosition.Average(), 0, 0.12);
        Assert.Equal(7, byText.Count);
        Assert.InRange(byText.Max(), 0, 0.12); // the published rates of the other five gave rows the difficulties of other instructions
    }

    [SharedFact]
    public void The_leaderboard_is_read_and_written_without_loss()
    {
        using TemporaryFolder folder = new();
        IReadOnlyList<AlpacaEvalRow> rows = AlpacaEvalLeaderboard.Read(File("leaderboard.csv"));
        AlpacaEvalLeaderboard.Write(folder.File("copy.csv"), rows);
        Assert.Equal(rows, AlpacaEvalLeaderboard.Read(folder.File("copy.csv")));
        string[] lines = System.IO.File.ReadAllLines(folder.File("copy.csv")), original = System.IO.File.ReadAllLines(File("leaderboard.csv"));
        Assert.Equal(original[0], lines[0]);
        Assert.Equal(original[1], lines[1]);
        Assert.Equal(rows, AlpacaEvalLeaderboard.Merged(rows, [rows[5] with { Mode = null }]).OrderBy(row => rows.ToList().FindIndex(known => known.Name == row.Name)));
    }
}
