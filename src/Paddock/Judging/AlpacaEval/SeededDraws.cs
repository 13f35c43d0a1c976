using System.Globalization;

namespace Paddock.Judging.AlpacaEval;

/// <summary>
/// AlpacaEval's seeded draws, bit for bit: order of the answers, annotator of a row, label noise. They depend on the instruction alone, so
/// all pairs of one instruction share them; Paddock's own judges (<see cref="JudgeDraws"/>) put the answers into the seed as well.
/// </summary>
public static class SeededDraws
{
    /// <summary>Whether the prompt shows output_2 first; the preference read from the reply is then turned around, 3 - p.</summary>
    public static bool IsSwitched(string instruction, int seed) => Random("is_switched_outputs", instruction, seed).Choose(2) == 1;

    /// <summary>Index of the annotator that judges a row, in the order of the configuration.</summary>
    /// <param name="keys">Values of the columns that seed the draw, joined in order: the instruction, or input and instruction for AlpacaFarm.</param>
    public static int Annotator(string keys, int seed, int annotators) => Random("annotator", keys, seed).Choose(annotators);

    /// <summary>The label that noise puts in place of a judgement: 1, 2, or null for none. A label is flipped with <paramref name="flip"/>.</summary>
    /// <param name="keys">Values of the input columns, joined in order.</param>
    public static double? Noise(string keys, int seed, double flip) => Random("noisy_preference", keys, seed).Choose([1 - 2 * flip, flip, flip]) switch
    {
        1 => 1,
        2 => 2,
        _ => null,
    };

    private static PythonRandom Random(string purpose, string keys, int seed) => new(purpose + keys + seed.ToString(CultureInfo.InvariantCulture));
}
