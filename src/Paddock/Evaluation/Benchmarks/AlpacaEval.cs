using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>One model's row of AlpacaEval's leaderboard, under its column names in snake case; rates in percent, as there.</summary>
/// <param name="NTotal">Rows with a verdict.</param>
/// <param name="NoVerdict">Rows without one: not scored, and shown.</param>
/// <param name="AvgLength">Mean length of the outputs in code points, cut to a whole number.</param>
/// <param name="LengthControlledWinrate">Null where nothing was given to compute it from.</param>
/// <param name="LcStandardError">The published kind: spread of fitted probabilities, which holds no noise of verdicts. Use <paramref name="LcLow"/> to <paramref name="LcHigh"/>.</param>
/// <param name="LcMethod">weights, full, unregularised or minimal: what the length-controlled rate was made from.</param>
/// <param name="LcLow">Lower end of the 95 % bootstrap interval with refits; null from published weights, which do not determine one.</param>
public sealed record AlpacaEvalRow(string Name, double WinRate, double? StandardError, int NWins, int NWinsBase, int NDraws, int NTotal, double DiscreteWinRate, string? Mode,
    int AvgLength, double? LengthControlledWinrate = null, double? LcStandardError = null, int NoVerdict = 0, string? LcMethod = null, double? LcLow = null, double? LcHigh = null);

/// <summary>
/// AlpacaEval's metrics from its annotation files, with no call to a judge (Li et al. 2023; Dubois et al. 2024, arXiv 2404.04475): output_1 is
/// the baseline, output_2 the system, preference - 1 the system's score.
/// </summary>
public static class AlpacaEval
{
    /// <summary>The generator that AlpacaEval's own example files carry in place of a name.</summary>
    public const string Placeholder = "example";

    /// <summary>Win rate, standard error, counts and length of one model.</summary>
    /// <param name="annotations">The rows of one model.</param>
    /// <param name="outputs">Its outputs, for their length; null takes those of the annotations.</param>
    /// <param name="instructions">All instructions of the set, or null: one that the model has no output for counts as an empty output in the mean length, as on the leaderboard.</param>
    public static AlpacaEvalRow Score(string name, IReadOnlyList<AlpacaEvalAnnotation> annotations, IReadOnlyList<ModelOutput>? outputs = null, IReadOnlyList<string>? instructions = null, string? mode = null)
    {
        double?[] scores = [.. annotations.Select(row => row.Score)];
        if (Array.TrueForAll(scores, score => score == null))
            throw new BadInputException($"'{name}': none of {scores.Length} annotations has a preference, so there is no win rate");
        WinRateResult result = Evaluation.WinRate.Of(scores);
        double length = outputs?.Sum(row => (double)TextLength.CodePoints(row.Output)) ?? annotations.Sum(row => (double)TextLength.CodePoints(row.Output2));
        int rows = Math.Max(outputs?.Count ?? annotations.Count, instructions?.Count ?? 0);
        double error = 100 * result.Rate.StandardError;
        return new(name, 100 * result.Rate.Mean, double.IsNaN(error) ? null : error, result.Wins, result.Losses, result.Ties, result.Wins + result.Losses + result.Ties,
            100 * result.DiscreteRate, mode, rows == 0 ? 0 : (int)(length / rows), NoVerdict: result.Missing);
    }

    /// <summary>What <see cref="Score"/> needs to know of the rows to control length: baseline minus system in code points, of every row.</summary>
    public static double[] LengthDifferences(IReadOnlyList<AlpacaEvalAnnotation> annotations) =>
        [.. annotations.Select(row => (double)(TextLength.CodePoints(row.Output1) - TextLength.CodePoints(row.Output2)))];

    /// <summary>The row with a length-controlled rate from published coefficients.</summary>
    public static AlpacaEvalRow WithWeights(this AlpacaEvalRow row, LengthControlWeights weights, InstructionDifficulty difficulty) => row with
    {
        LengthControlledWinrate = 100 * LengthControl.Rate(weights, difficulty.Values, difficulty.Masses),
        LcStandardError = 100 * LengthControl.FittedError(weights, difficulty.Values, difficulty.Masses, Math.Max(2, row.NTotal)),
        LcMethod = "weights",
    };

    /// <summary>The row with a length-controlled rate that was refitted.</summary>
    public static AlpacaEvalRow WithRefit(this AlpacaEvalRow row, LengthControlResult result) => row with
    {
        LengthControlledWinrate = 100 * result.Rate.Mean,
        LcStandardError = 100 * result.FittedError,
        LcMethod = result.Variant switch { LengthControlVariant.Full => "full", LengthControlVariant.Minimal => "minimal", _ => "unregularised" },
        LcLow = double.IsNaN(result.Rate.Low) ? null : 100 * result.Rate.Low,
        LcHigh = double.IsNaN(result.Rate.High) ? null : 100 * result.Rate.High,
    };
}
