using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Benchmarks;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock alpaca-eval</c>: the leaderboard's numbers from annotations that exist, without a call to a judge.</summary>
internal static partial class AlpacaEvalVerb
{
    public static Command Create()
    {
        Argument<string[]> annotations = new("annotations") { Description = "AlpacaEval annotations (annotations.json, gzipped or not), one or more models.", Arity = ArgumentArity.OneOrMore };
        Option<string[]> outputs = new("--outputs") { Description = "The models' outputs (model_outputs.json), for avg_length; without them the annotated outputs count." };
        Option<string?> name = new("--name") { Description = "Name of the model, where there is one; by default generator_2 (the folder's name where that says 'example')." };
        Option<string?> weights = new("--lc-weights") { Description = "Published length-control coefficients (CSV by model)." };
        Option<string?> difficulty = new("--lc-difficulty") { Description = "Instruction difficulties: CSV of node, weight (for --lc-weights), or of index and value (also for a refit)." };
        Option<string?> baseline = new("--baseline-outputs") { Description = "The baseline's outputs: the instructions, in the order of the difficulties. Instructions without an output then count as empty in avg_length." };
        Option<string[]> gamed = new("--lc-gamed") { Description = "Outputs of the baseline prompted to be verbose and concise, which regularise a refit." };
        Option<string?> sums = new("--lc-gamed-sums") { Description = "JSON with B_t and B_d, the sums that their labels come down to." };
        Option<bool> byPosition = new("--lc-by-position") { Description = "Joins difficulties by the position of rows, as the leaderboard did, and not by instruction; differs where rows are left out." };
        Option<bool> refit = new("--refit") { Description = "Refits the length control to these annotations, with a bootstrap interval, also where weights are given." };
        Option<string?> mode = new("--mode") { Description = "The leaderboard's column of that name: minimal, verified, community or dev." };
        Option<string?> leaderboard = new("--leaderboard") { Description = "Leaderboard CSV to write; the rows of other models in it stay." };
        Option<ulong> seed = new("--seed") { Description = "Seeds the bootstrap.", DefaultValueFactory = _ => 1 };
        Option<int> resamples = new("--resamples") { Description = "Resamples of the bootstrap.", DefaultValueFactory = _ => 1000 };
        Option<bool> json = CommonOptions.Json();
        Command command = new("alpaca-eval", "Score AlpacaEval annotations: the leaderboard's columns, length-controlled too.")
        { annotations, outputs, name, weights, difficulty, baseline, gamed, sums, byPosition, refit, mode, leaderboard, seed, resamples, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(resamples) is < 100 or > 100_000)
                throw new BadInputException($"--resamples must be from 100 to 100000, not {parsed.GetValue(resamples)}");
            ModelOutput[]? instructions = parsed.GetValue(baseline) is { } path ? [.. AlpacaEvalOutputFormat.Read(path)] : null;
            Control control = Control.Read(parsed.GetValue(weights), parsed.GetValue(difficulty), instructions, parsed.GetValue(gamed) ?? [], parsed.GetValue(sums), parsed.GetValue(refit)) with { ByPosition = parsed.GetValue(byPosition) };
            IReadOnlyList<AlpacaEvalRow> rows = Score(parsed.GetValue(annotations)!, parsed.GetValue(outputs) ?? [], parsed.GetValue(name), parsed.GetValue(mode), control,
                new RandomStream(parsed.GetValue(seed), "alpaca-eval"), parsed.GetValue(resamples));
            Show(rows, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(leaderboard) is { } table)
                AlpacaEvalLeaderboard.Write(table, AlpacaEvalLeaderboard.Merged(File.Exists(table) ? AlpacaEvalLeaderboard.Read(table) : [], rows));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new AlpacaEvalDocument(rows), AlpacaEvalJson.Default.AlpacaEvalDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    private static List<AlpacaEvalRow> Score(string[] annotations, string[] outputs, string? name, string? mode, Control control, RandomStream stream, int resamples)
    {
        Dictionary<string, List<AlpacaEvalAnnotation>> models = ByModel(annotations, AlpacaEvalAnnotationFormat.Read, row => row.Generator2);
        if (models.Count == 0)
            throw new BadInputException($"{annotations[0]}: no rows");
        if (name != null && models.Count > 1)
            throw new BadInputException($"--name: the annotations are on {models.Count} models ({string.Join(", ", models.Keys)}); give them one at a time");
        Dictionary<string, List<ModelOutput>> answered = ByModel(outputs, AlpacaEvalOutputFormat.Read, row => row.Generator);
        List<AlpacaEvalRow> rows = [];
        foreach ((string model, List<AlpacaEvalAnnotation> verdicts) in models)
        {
            // one model and one set of outputs belong together, whatever they are called
            List<ModelOutput>? own = answered.GetValueOrDefault(model) ?? (models.Count == 1 && answered.Count == 1 ? answered.Values.First() : null);
            if (outputs.Length > 0 && own == null)
                throw new BadInputException($"--outputs: none are by '{model}'; they are by {string.Join(", ", answered.Keys)}");
            AlpacaEvalRow row = AlpacaEval.Score(name ?? model, verdicts, own, control.Instructions, mode);
            rows.Add(control.Apply(row, verdicts, stream, resamples));
        }
        return rows;
    }

    private static Dictionary<string, List<T>> ByModel<T>(string[] paths, Func<string, IEnumerable<T>> read, Func<T, string?> generator)
    {
        Dictionary<string, List<T>> models = new(StringComparer.Ordinal);
        foreach (string path in paths)
            foreach (T row in read(path))
            {
                string model = NameOf(generator(row), path);
                if (!models.TryGetValue(model, out List<T>? known))
                    models[model] = known = [];
                known.Add(row);
            }
        return models;
    }

    // AlpacaEval keeps results in a folder of the model's name, which its own example files need
    private static string NameOf(string? generator, string path) =>
        generator is null or AlpacaEval.Placeholder && Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) is { Length: > 0 } folder ? folder : generator ?? AlpacaEval.Placeholder;

    private static void Show(IReadOnlyList<AlpacaEvalRow> rows, IAnsiConsole console)
    {
        Table table = Screen.Table("model", Column.Number("win rate"), Column.Number("LC"), Column.Number("95 % of LC"), "LC from", Column.Number("discrete"), Column.Number("wins"), Column.Number("losses"),
            Column.Number("draws"), Column.Number("n"), Column.Number("no verdict"), Column.Number("length"));
        foreach (AlpacaEvalRow row in rows)
            table.AddRow(Markup.Escape(row.Name), $"{row.WinRate:0.00}±{row.StandardError ?? double.NaN:0.00}", row.LengthControlledWinrate is { } lc ? $"{lc:0.00}" : "-",
                row.LcLow is { } low ? $"{low:0.0} to {row.LcHigh:0.0}" : "-", row.LcMethod ?? "-", $"{row.DiscreteWinRate:0.00}", $"{row.NWins}", $"{row.NWinsBase}", $"{row.NDraws}", $"{row.NTotal}",
                $"{row.NoVerdict}", $"{row.AvgLength}");
        console.Write(table);
        foreach (AlpacaEvalRow row in rows)
            if (row.LengthControlledWinrate is { } lc && LengthControl.IsFarFrom(row.WinRate, lc))
                console.WriteLine($"{row.Name}: LC {lc:0.0} is far from the raw {row.WinRate:0.0}; look at the lengths, and at what it answers to everything");
    }

    /// <summary>What length control is made from; nothing where nothing was given.</summary>
    private sealed record Control(IReadOnlyDictionary<string, LengthControlWeights>? Weights, InstructionDifficulty? Difficulty, IReadOnlyList<string>? Instructions, GamedRows? Gamed, bool Refit)
    {
        public bool ByPosition { get; init; }

        public static Control Read(string? weights, string? difficulty, ModelOutput[]? baseline, string[] gamed, string? sums, bool refit)
        {
            if (weights != null && difficulty == null)
                throw new BadInputException("--lc-weights needs --lc-difficulty: the rate is a mean over the instructions' difficulties");
            if (gamed.Length > 0 != (sums != null) || (gamed.Length > 0 && (difficulty == null || baseline == null)))
                throw new BadInputException("--lc-gamed goes with --lc-gamed-sums, --lc-difficulty and --baseline-outputs");
            InstructionDifficulty? read = difficulty == null ? null : LengthControlFiles.ReadDifficulty(difficulty);
            if (read != null && weights == null && (!read.PerInstruction || baseline == null))
                throw new BadInputException("--lc-difficulty without --lc-weights is for a refit, which needs one difficulty per instruction (index and value) and --baseline-outputs for their order");
            return new(weights == null ? null : LengthControlFiles.ReadWeights(weights), read, baseline == null ? null : [.. baseline.Select(row => row.Instruction)],
                gamed.Length == 0 ? null : LengthControlFiles.ReadGamed(gamed, sums!, read!, baseline!), refit || (read != null && weights == null));
        }

        public AlpacaEvalRow Apply(AlpacaEvalRow row, List<AlpacaEvalAnnotation> annotations, RandomStream stream, int resamples)
        {
            if (!Refit && Weights == null)
                return row;
            if (!Refit)
                return Weights!.TryGetValue(row.Name, out LengthControlWeights? known) ? row.WithWeights(known, Difficulty!)
                    : throw new BadInputException($"--lc-weights: no row for '{row.Name}'; say which is meant with --name, or use --refit");
            double[]? difficulties = Difficulty is not { PerInstruction: true } ? null : ByPosition ? LengthControlFiles.ByPosition(Difficulty, annotations.Count)
                : Instructions != null ? LengthControlFiles.Join(Difficulty, Instructions, annotations) : null;
            if (difficulties != null && difficulties.Count(double.IsNaN) is > 0 and int unknown)
                Console.Error.WriteLine($"{row.Name}: {unknown} of {annotations.Count} instructions have no difficulty and are left out of the length-controlled rate");
            return row.WithRefit(LengthControl.Refit([.. annotations.Select(a => a.Score)], LengthControl.LengthFeature(AlpacaEval.LengthDifferences(annotations)), difficulties, Gamed, stream.Split(row.Name), resamples));
        }
    }

    internal sealed record AlpacaEvalDocument(IReadOnlyList<AlpacaEvalRow> Models);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(AlpacaEvalDocument))]
    private sealed partial class AlpacaEvalJson : JsonSerializerContext;
}
