using System.Collections;

namespace Paddock.Engine.Models;

/// <summary>Some of a model's layers, counted from 0; equal by content, so that configs compare by value.</summary>
public sealed class LayerSet : IEquatable<LayerSet>
{
    private readonly BitArray _layers;

    private LayerSet(BitArray layers) => _layers = layers;

    /// <summary>No layer.</summary>
    public static LayerSet None { get; } = new(new(0));

    /// <summary>The layers of a model of <paramref name="count"/> layers that answer yes; none of them is <see cref="None"/>.</summary>
    public static LayerSet Where(int count, Func<int, bool> isIn)
    {
        BitArray layers = new(count);
        bool any = false;
        for (int l = 0; l < count; l++)
            any |= layers[l] = isIn(l);
        return any ? new(layers) : None;
    }

    public bool Contains(int layer) => layer < _layers.Length && _layers[layer];

    public bool Equals(LayerSet? other)
    {
        if (other == null)
            return false;
        for (int l = 0; l < Math.Max(_layers.Length, other._layers.Length); l++)
            if (Contains(l) != other.Contains(l))
                return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    public override int GetHashCode()
    {
        int hash = 0;
        for (int l = 0; l < _layers.Length; l++)
            if (_layers[l])
                hash = HashCode.Combine(hash, l);
        return hash;
    }

    /// <summary>Their numbers, as in <c>0 2</c>.</summary>
    public override string ToString()
    {
        List<int> layers = [];
        for (int l = 0; l < _layers.Length; l++)
            if (_layers[l])
                layers.Add(l);
        return string.Join(' ', layers);
    }
}
