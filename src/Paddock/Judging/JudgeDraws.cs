using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Judging.AlpacaEval;

namespace Paddock.Judging;

/// <summary>
/// What a judge draws for one comparison. Each draw is a pure function of the seed and the texts; the two answers are put into an order of
/// their own first, so that swapping them swaps every draw with them. With AlpacaEval's rule the instruction alone is the seed.
/// </summary>
internal readonly struct JudgeDraws(Comparison comparison, ulong seed, bool alpacaEval)
{
    private bool IsOrdered => string.CompareOrdinal(comparison.First.Text, comparison.Second.Text) <= 0;

    /// <summary>Whether the second answer is shown first.</summary>
    public bool Switched() => alpacaEval
        ? SeededDraws.IsSwitched(comparison.Prompt.Instruction, (int)seed)
        : Stream("order").NextInt(2) == 1 == IsOrdered;

    /// <summary>1 or 2 in place of the judge's label, or null: with probability 2 * flip a fair coin is the label.</summary>
    public double? Noise(double flip)
    {
        if (flip == 0)
            return null;
        if (alpacaEval)
            return SeededDraws.Noise(comparison.Prompt.Instruction, (int)seed, flip);
        RandomStream stream = Stream("noise");
        if (stream.NextDouble() >= 2 * flip)
            return null;
        return stream.NextInt(2) == 0 == IsOrdered ? 1 : 2;
    }

    /// <summary>One of <paramref name="n"/>, for a purpose such as the member of a pool.</summary>
    public int Choose(string purpose, int n) => alpacaEval && purpose == "member"
        ? SeededDraws.Annotator(comparison.Prompt.Instruction, (int)seed, n)
        : Stream(purpose).NextInt(n);

    private RandomStream Stream(string purpose)
    {
        (string a, string b) = IsOrdered ? (comparison.First.Text, comparison.Second.Text) : (comparison.Second.Text, comparison.First.Text);
        // lengths keep two different triples from spelling the same name
        return new(seed, $"judge/{purpose}/{comparison.Prompt.Key.Length}/{a.Length}/{comparison.Prompt.Key}{a}{b}");
    }
}
