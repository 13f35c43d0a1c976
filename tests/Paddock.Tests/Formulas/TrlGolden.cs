using System.Text.Json;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

/// <summary>Inputs and outputs of the reference trainer, in float64 (Golden/trl/losses.json).</summary>
internal static class TrlGolden
{
    public static JsonElement Root { get; } = Load("losses.json");

    /// <summary>Of the losses on labels and of those without a reference, on the same inputs (Golden/trl/preferences.json).</summary>
    public static JsonElement Preferences { get; } = Load("preferences.json");

    public static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetDouble())];

    /// <summary>Rows 0-3 are chosen, 4-7 rejected; the completion mask is unshifted, so its column t + 1 masks log-prob t.</summary>
    public static int[][] Masks { get; } =
        [.. Root.GetProperty("dpo_inputs").GetProperty("completion_mask").EnumerateArray().Select(row => row.EnumerateArray().Skip(1).Select(item => item.GetInt32()).ToArray())];

    public static double[][] Policy { get; } = [.. Root.GetProperty("dpo_inputs").GetProperty("policy_per_token").EnumerateArray().Select(Doubles)];

    public static double[] Reference { get; } = Doubles(Root.GetProperty("dpo_inputs").GetProperty("ref_sequence_logps"));

    public static double[] Tokens(int row) => [.. Policy[row].Where((_, t) => Masks[row][t] == 1)];

    public static PairLogProbs[] Pairs(double? ldAlpha = null) => [.. Enumerable.Range(0, 4).Select(i =>
    {
        double[] chosen = Tokens(i), rejected = Tokens(i + 4);
        int shared = Math.Min(chosen.Length, rejected.Length);
        return new PairLogProbs(Sum(chosen), Sum(rejected), new(Reference[i]), new(Reference[i + 4]), chosen.Length, rejected.Length);

        SumLogProb Sum(double[] tokens) => ldAlpha is { } alpha ? SumLogProb.LengthDesensitised(tokens, shared, alpha) : new(tokens.Sum());
    })];

    /// <summary>The eight rows with the labels that the reference had for KTO.</summary>
    public static LabelledLogProb[] Labelled() => [.. Preferences.GetProperty("kto").GetProperty("labels").EnumerateArray().Select((label, row) =>
        new LabelledLogProb(new(Tokens(row).Sum()), new(Reference[row]), label.GetBoolean()))];

    private static JsonElement Load(string file) => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "trl", file))).RootElement;
}
