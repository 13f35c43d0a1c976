using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>The few kinds of draw that the world is made of.</summary>
internal static class MeadowDraws
{
    public static bool Chance(this ref RandomStream stream, double probability) => stream.NextDouble() < probability;

    public static T Pick<T>(this ref RandomStream stream, IReadOnlyList<T> items) => items[stream.NextInt(items.Count)];

    /// <summary>Uniform in <paramref name="low"/> .. <paramref name="high"/>, both included.</summary>
    public static int Between(this ref RandomStream stream, int low, int high) => low + stream.NextInt(high - low + 1);

    /// <summary><paramref name="n"/> different items in random order.</summary>
    public static T[] Sample<T>(this ref RandomStream stream, IReadOnlyList<T> items, int n)
    {
        T[] pool = [.. items];
        for (int i = 0; i < n; i++)
        {
            int j = i + stream.NextInt(pool.Length - i);
            (pool[i], pool[j]) = (pool[j], pool[i]);
        }
        return pool[..n];
    }

    /// <summary>An index in proportion to <paramref name="weights"/>, whatever their sum.</summary>
    public static int Weighted(this ref RandomStream stream, IReadOnlyList<double> weights)
    {
        double total = 0;
        for (int i = 0; i < weights.Count; i++)
            total += weights[i];
        double left = stream.NextDouble() * total;
        for (int i = 0; i < weights.Count - 1; i++)
        {
            left -= weights[i];
            if (left < 0)
                return i;
        }
        return weights.Count - 1;
    }
}
