using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Paddock.Judging.AlpacaEval;

/// <summary>
/// Python's <c>random.Random</c> (CPython 3, seeding version 2), bit for bit, as far as AlpacaEval draws with it. Not thread-safe. A text is
/// seeded by its UTF-8 bytes followed by their SHA-512, read as one big-endian number; a whole number by its absolute value.
/// </summary>
public sealed class PythonRandom
{
    private readonly MersenneTwister _twister;

    public PythonRandom(string seed) => _twister = MersenneTwister.OfWords(WordsOf(seed));

    public PythonRandom(BigInteger seed) => _twister = MersenneTwister.OfWords(WordsOf(BigInteger.Abs(seed).ToByteArray(isUnsigned: true, isBigEndian: true)));

    /// <summary>Uniform in [0, 1) with 53 bits: <c>random()</c>.</summary>
    public double Next()
    {
        uint high = _twister.Next() >> 5, low = _twister.Next() >> 6;
        return (high * 67108864.0 + low) / 9007199254740992.0;
    }

    /// <summary>First element of <c>choices(range(n))</c>.</summary>
    public int Choose(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        return (int)Math.Floor(Next() * n);
    }

    /// <summary>First element of <c>choices(range(n), weights)</c>.</summary>
    public int Choose(ReadOnlySpan<double> weights)
    {
        ArgumentOutOfRangeException.ThrowIfZero(weights.Length, nameof(weights));
        double[] cumulative = new double[weights.Length];
        double total = 0;
        for (int i = 0; i < weights.Length; i++)
            cumulative[i] = total += weights[i];
        double drawn = Next() * total;
        int low = 0, high = weights.Length - 1; // bisect_right with hi = n - 1
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (drawn < cumulative[middle])
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    /// <summary><c>shuffle</c>.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private int Below(int n)
    {
        int bits = 32 - BitOperations.LeadingZeroCount((uint)n);
        uint drawn;
        do
            drawn = _twister.Next() >> (32 - bits);
        while (drawn >= n);
        return (int)drawn;
    }

    private static uint[] WordsOf(string seed)
    {
        byte[] text = Encoding.UTF8.GetBytes(seed);
        byte[] bytes = new byte[text.Length + SHA512.HashSizeInBytes];
        text.CopyTo(bytes, 0);
        SHA512.HashData(text, bytes.AsSpan(text.Length));
        return WordsOf(bytes);
    }

    // 32-bit words of a big-endian number, least significant first, without leading zeros but at least one
    private static uint[] WordsOf(ReadOnlySpan<byte> bigEndian)
    {
        ReadOnlySpan<byte> bytes = bigEndian.TrimStart((byte)0);
        uint[] words = new uint[Math.Max(1, (bytes.Length + 3) / 4)];
        for (int i = 0; i < bytes.Length; i++)
            words[i / 4] |= (uint)bytes[bytes.Length - 1 - i] << (8 * (i % 4));
        return words;
    }
}
