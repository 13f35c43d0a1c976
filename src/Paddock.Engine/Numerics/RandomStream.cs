using System.Security.Cryptography;
using System.Text;

namespace Paddock.Engine.Numerics;

/// <summary>
/// A counter-based random stream named by its purpose: every draw is a pure function of (seed, purpose, counter), never of
/// history elsewhere, so threads, kills and reruns do not change it. Generator: Philox4x32-10 (Salmon et al. 2011, "Parallel
/// random numbers: as easy as 1, 2, 3"). A mutable struct: pass it by <c>ref</c>, or split it.
/// </summary>
public struct RandomStream
{
    private readonly uint _key0, _key1;
    private readonly ulong _stream;
    private ulong _block;
    private uint _w0, _w1, _w2, _w3;
    private int _left;

    /// <param name="seed">Seed of the study, stage or request.</param>
    /// <param name="purpose">What the draws are for, such as <c>data</c> or <c>init/head</c>.</param>
    public RandomStream(ulong seed, string purpose) : this(Mix(seed), NameHash(purpose)) { }

    private RandomStream(ulong key, ulong stream)
    {
        (_key0, _key1, _stream) = ((uint)key, (uint)(key >> 32), stream);
        _block = 0;
        _w0 = _w1 = _w2 = _w3 = 0;
        _left = 0;
    }

    /// <summary>An independent stream for item <paramref name="index"/> of this purpose, whatever has been drawn from this one.</summary>
    public readonly RandomStream Split(ulong index) => new(((ulong)_key1 << 32) | _key0, Mix(_stream ^ Mix(index + 0x9E3779B97F4A7C15ul)));

    /// <summary>An independent stream for a named part of this purpose.</summary>
    public readonly RandomStream Split(string purpose) => Split(NameHash(purpose));

    /// <summary>A seed for another stream or model, a pure function of this stream's name.</summary>
    public readonly ulong AsSeed() => Mix(_stream ^ (((ulong)_key1 << 32) | _key0));

    public uint NextUInt32()
    {
        if (_left == 0)
        {
            Philox();
            _left = 4;
        }
        return _left-- switch { 4 => _w0, 3 => _w1, 2 => _w2, _ => _w3 };
    }

    public ulong NextUInt64() => ((ulong)NextUInt32() << 32) | NextUInt32();

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1ul << 53));

    /// <summary>Uniform in 0 .. <paramref name="n"/> - 1, without modulo bias (Lemire 2019, multiply and reject).</summary>
    public int NextInt(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        uint range = (uint)n, threshold = (uint)-(int)range % range;
        while (true)
        {
            ulong product = (ulong)NextUInt32() * range;
            if ((uint)product >= threshold)
                return (int)(product >> 32);
        }
    }

    /// <summary>Standard normal (Box-Muller, the cosine branch only, so that each call uses the same number of draws).</summary>
    public double NextGaussian()
    {
        double u = 1.0 - NextDouble();
        return Math.Sqrt(-2.0 * Math.Log(u)) * Math.Cos(2.0 * Math.PI * NextDouble());
    }

    /// <summary>Fisher-Yates shuffle.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>A random permutation of 0 .. n-1.</summary>
    public int[] Permutation(int n)
    {
        int[] order = new int[n];
        for (int i = 0; i < n; i++)
            order[i] = i;
        Shuffle<int>(order);
        return order;
    }

    private void Philox()
    {
        uint c0 = (uint)_block, c1 = (uint)(_block >> 32), c2 = (uint)_stream, c3 = (uint)(_stream >> 32);
        uint k0 = _key0, k1 = _key1;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53ul * c0, p1 = 0xCD9E8D57ul * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        (_w0, _w1, _w2, _w3) = (c0, c1, c2, c3);
        _block++;
    }

    // SplitMix64 finaliser (Steele et al. 2014): spreads nearby seeds and indices over all bits
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ul;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBul;
        return z ^ (z >> 31);
    }

    private static ulong NameHash(string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BitConverter.ToUInt64(hash);
    }
}
