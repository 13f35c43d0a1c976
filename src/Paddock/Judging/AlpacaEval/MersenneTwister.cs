namespace Paddock.Judging.AlpacaEval;

/// <summary>MT19937 (Matsumoto and Nishimura 1998, "Mersenne Twister"), with both of its usual seedings. Not thread-safe.</summary>
internal sealed class MersenneTwister
{
    private const int N = 624, M = 397;
    private readonly uint[] _state = new uint[N];
    private int _next = N;

    private MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (uint i = 1; i < N; i++)
            _state[i] = unchecked(1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + i);
    }

    /// <summary>The classic seeding by one word: what numpy's legacy generator does with a whole number.</summary>
    public static MersenneTwister OfWord(uint seed) => new(seed);

    /// <summary>Seeding by several words, least significant first: what Python does.</summary>
    public static MersenneTwister OfWords(ReadOnlySpan<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfZero(words.Length, nameof(words));
        MersenneTwister twister = new(19650218);
        uint[] state = twister._state;
        int i = 1, j = 0;
        unchecked
        {
            for (int k = Math.Max(N, words.Length); k > 0; k--)
            {
                state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525u)) + words[j] + (uint)j;
                if (++i >= N)
                    (state[0], i) = (state[N - 1], 1);
                if (++j >= words.Length)
                    j = 0;
            }
            for (int k = N - 1; k > 0; k--)
            {
                state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941u)) - (uint)i;
                if (++i >= N)
                    (state[0], i) = (state[N - 1], 1);
            }
        }
        state[0] = 0x80000000u;
        return twister;
    }

    public uint Next()
    {
        if (_next >= N)
            Refill();
        uint y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680u;
        y ^= (y << 15) & 0xEFC60000u;
        return y ^ (y >> 18);
    }

    private void Refill()
    {
        for (int i = 0; i < N; i++)
        {
            uint y = (_state[i] & 0x80000000u) | (_state[(i + 1) % N] & 0x7FFFFFFFu);
            _state[i] = _state[(i + M) % N] ^ (y >> 1) ^ ((y & 1) == 0 ? 0 : 0x9908B0DFu);
        }
        _next = 0;
    }
}
