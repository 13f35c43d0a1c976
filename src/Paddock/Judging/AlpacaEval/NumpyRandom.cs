using System.Numerics;

namespace Paddock.Judging.AlpacaEval;

/// <summary>numpy's legacy <c>RandomState</c> with a whole-number seed, as far as AlpacaEval draws with it. Not thread-safe.</summary>
public sealed class NumpyRandom(uint seed)
{
    private readonly MersenneTwister _twister = MersenneTwister.OfWord(seed);

    /// <summary><c>permutation(n)</c>; pandas' <c>sample(frac=1)</c> takes rows in this order.</summary>
    public int[] Permutation(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        int[] order = new int[n];
        for (int i = 0; i < n; i++)
            order[i] = i;
        for (int i = n - 1; i > 0; i--)
        {
            uint mask = uint.MaxValue >> BitOperations.LeadingZeroCount((uint)i), drawn;
            do
                drawn = _twister.Next() & mask;
            while (drawn > i);
            (order[i], order[(int)drawn]) = (order[(int)drawn], order[i]);
        }
        return order;
    }
}
