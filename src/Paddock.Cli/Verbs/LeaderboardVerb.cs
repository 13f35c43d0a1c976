using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Evaluation.Benchmarks;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock leaderboard</c>: systems ranked from their verdicts, ranks with intervals.</summary>
internal static partial class LeaderboardVerb
{
    public static Command Create()
    {
        Argument<string[]> verdicts = new("verdicts") { Description = "Arena battles, AlpacaEval annotations, or rows with id, score, system and against.", Arity = ArgumentArity.ZeroOrMore };
        Option<string> ties = new("--ties") { Description = "What a tie says: half (a win for each), davidson or rao-kupper.", DefaultValueFactory = _ => "half" };
        Option<bool> style = new("--style") { Description = "Compares answers of equal length and markup." };
        Option<string?> anchor = new("--anchor") { Description = "The system whose rating is --anchor-rating; by default the mean of all." };
        Option<double> rating = new("--anchor-rating") { Description = "Rating of the anchor.", DefaultValueFactory = _ => 1000 };
        Option<double> ridge = new("--ridge") { Description = "Pulls strengths together; needed where a system always won, or never.", DefaultValueFactory = _ => 0 };
        Option<ulong> seed = new("--seed") { Description = "Seeds the bootstrap.", DefaultValueFactory = _ => 1 };
        Option<int> resamples = new("--resamples") { Description = "Resamples of the bootstrap over prompts.", DefaultValueFactory = _ => 1000 };
        Option<string?> check = new("--check") { Description = "In place of verdicts: a submission's folder to check, with model_outputs.json and README.md; needs --prompts." };
        Option<string?> prompts = new("--prompts") { Description = "The prompts that a submission must answer, a file of any format." };
        Option<string?> training = new("--training") { Description = "Data that the submission was trained on, to count evaluation prompts in it." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("leaderboard", "Rank systems from their verdicts, with intervals of ratings and ranks.") { verdicts, ties, style, anchor, rating, ridge, seed, resamples, check, prompts, training, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(check) is { } folder)
                return Check(Submission.Check(folder, parsed.GetValue(prompts) ?? throw new BadInputException("--check needs --prompts FILE: the prompts that a submission must answer"), parsed.GetValue(training)),
                    parsed.GetValue(json));
            if (parsed.GetValue(verdicts) is not { Length: > 0 })
                throw new BadInputException("give files of verdicts, or --check FOLDER --prompts FILE");
            if (parsed.GetValue(resamples) is < 100 or > 100_000)
                throw new BadInputException($"--resamples must be from 100 to 100000, not {parsed.GetValue(resamples)}");
            if (parsed.GetValue(ridge) is not (>= 0 and < 1e6))
                throw new BadInputException($"--ridge must be 0 or more, not {parsed.GetValue(ridge)}");
            Leaderboard board = Leaderboard.Of([.. parsed.GetValue(verdicts)!.SelectMany(ComparedRows.Read)], new RandomStream(parsed.GetValue(seed), "leaderboard"), Ties(parsed.GetValue(ties)!),
                parsed.GetValue(ridge), parsed.GetValue(anchor), parsed.GetValue(rating), parsed.GetValue(style), parsed.GetValue(resamples));
            Show(board, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(LeaderboardDocument.Of(board), LeaderboardJson.Default.LeaderboardDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    // a submission that fails a check is a failure: scripts stop before they pay a judge
    private static int Check(IReadOnlyList<SubmissionFinding> findings, bool json)
    {
        bool passed = findings.All(finding => finding.Passed);
        IAnsiConsole console = Screen.Result(json);
        foreach (SubmissionFinding finding in findings)
            console.WriteLine($"{(finding.Passed ? "ok" : "!!")} {finding.Check}: {finding.Detail}");
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(new CheckDocument(passed, findings), LeaderboardJson.Default.CheckDocument));
        return passed ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static TieModel Ties(string name) => name switch
    {
        "half" => TieModel.Half,
        "davidson" => TieModel.Davidson,
        "rao-kupper" => TieModel.RaoKupper,
        _ => throw new BadInputException($"--ties: there is no '{name}'; choose half, davidson or rao-kupper"),
    };

    private static void Show(Leaderboard board, IAnsiConsole console)
    {
        Table table = Screen.Table(Column.Number("rank"), Column.Number("of 95 %"), "system", Column.Number("rating"), Column.Number("95 %"), Column.Number("points %"), Column.Number("battles"));
        foreach (LeaderboardEntry entry in board.Entries)
            table.AddRow($"{entry.Rank}", $"{entry.RankLow} to {entry.RankHigh}", Markup.Escape(entry.Name), $"{entry.Rating.Mean:0.0}", $"{entry.Rating.Low:0.0} to {entry.Rating.High:0.0}", $"{100 * entry.WinRate:0.0}", $"{entry.Battles:N0}");
        console.Write(table);
        console.WriteLine($"{Screen.Counted(board.Battles, "battle")} on {Screen.Counted(board.Prompts, "prompt")}, {board.Missing} rows without a verdict; intervals from {board.Resamples:N0} resamples of the prompts");
        if (board.Disconnected > 0)
            console.WriteLine($"in {board.Disconnected} resamples some system could not be compared with the rest; they were fitted with a ridge of {Ranking.Rescue}");
        foreach (StyleEntry entry in board.Style)
            console.WriteLine($"style {entry.Feature}: one deviation more adds {entry.Effect.Mean:0.00} to the logit, 95 % {entry.Effect.Low:0.00} to {entry.Effect.High:0.00}");
    }

    /// <param name="Points">Share of its points over all its battles.</param>
    internal sealed record SystemDocument(string Name, int Rank, int RankLow, int RankHigh, double Rating, double Se, double Low, double High, double Points, int Battles);

    /// <param name="Effect">What one standard deviation adds to the logit.</param>
    internal sealed record StyleDocument(string Feature, double Effect, double Se, double Low, double High);

    /// <param name="Tie">Parameter of the tie model; 0 where ties count half.</param>
    /// <param name="Disconnected">Resamples that needed a ridge.</param>
    internal sealed record LeaderboardDocument(IReadOnlyList<SystemDocument> Systems, IReadOnlyList<StyleDocument> Style, double Tie, int Prompts, int Battles, int Missing, int Disconnected, int Resamples)
    {
        public static LeaderboardDocument Of(Leaderboard board) => new(
            [.. board.Entries.Select(e => new SystemDocument(e.Name, e.Rank, e.RankLow, e.RankHigh, e.Rating.Mean, e.Rating.StandardError, e.Rating.Low, e.Rating.High, e.WinRate, e.Battles))],
            [.. board.Style.Select(s => new StyleDocument(s.Feature, s.Effect.Mean, s.Effect.StandardError, s.Effect.Low, s.Effect.High))],
            board.Tie, board.Prompts, board.Battles, board.Missing, board.Disconnected, board.Resamples);
    }

    internal sealed record CheckDocument(bool Passed, IReadOnlyList<SubmissionFinding> Findings);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(LeaderboardDocument))]
    [JsonSerializable(typeof(CheckDocument))]
    private sealed partial class LeaderboardJson : JsonSerializerContext;
}
