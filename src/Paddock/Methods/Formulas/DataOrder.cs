using Paddock.Engine.Numerics;

namespace Paddock.Methods.Formulas;

/// <summary>
/// Which rows a step trains on: a fresh permutation per epoch, a pure function of (stream, step), so a resumed run sees the same rows
/// as an uninterrupted one. The last batch of an epoch is smaller when the batch size does not divide the data.
/// </summary>
public sealed class DataOrder(RandomStream stream, int rows, int batch, int epochs)
{
    /// <summary>As many passes as <paramref name="steps"/> steps take.</summary>
    public static DataOrder ForSteps(RandomStream stream, int rows, int batch, int steps) => new(stream, rows, batch, (int)(((long)steps * batch + rows - 1) / rows) + 1);

    private int _epoch = -1;
    private int[] _order = [];

    public int StepsPerEpoch { get; } = (rows + batch - 1) / batch;

    public int Steps => StepsPerEpoch * epochs;

    /// <summary>Row indices of one step.</summary>
    public ReadOnlySpan<int> Rows(int step)
    {
        int epoch = step / StepsPerEpoch, start = step % StepsPerEpoch * batch;
        if (epoch != _epoch)
            (_epoch, _order) = (epoch, stream.Split((ulong)epoch).Permutation(rows));
        return _order.AsSpan(start, Math.Min(batch, rows - start));
    }

    /// <summary>Passes over the data finished after <paramref name="step"/> steps.</summary>
    public double Epoch(int step) => (double)step / StepsPerEpoch;
}
