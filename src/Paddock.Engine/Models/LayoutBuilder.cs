namespace Paddock.Engine.Models;

/// <summary>
/// Lays parameters end to end, each on a 64-byte boundary. Matrices come before vectors, so that the optimizer treats each of the
/// two groups, with and without weight decay, as one run. The gaps stay zero.
/// </summary>
internal sealed class LayoutBuilder
{
    private const int FloatsPerLine = 16;

    private readonly List<Parameter> _all = [];
    private bool _vectors;

    public IReadOnlyList<Parameter> All => _all;

    /// <summary>Floats laid out so far.</summary>
    public long Length { get; private set; }

    /// <summary>Floats taken by the matrices.</summary>
    public long MatrixLength { get; private set; }

    public Parameter Matrix(string name, int rows, int columns)
    {
        if (_vectors)
            throw new InvalidOperationException("matrices come before vectors");
        Parameter parameter = Add(name, rows, columns, 2);
        MatrixLength = Length;
        return parameter;
    }

    public Parameter Vector(string name, int length)
    {
        _vectors = true;
        return Add(name, length, 1, 1);
    }

    private Parameter Add(string name, int rows, int columns, int dimensions)
    {
        if ((long)rows * columns > int.MaxValue)
            throw new BadInputException($"tensor '{name}' would have {rows} x {columns} values; at most {int.MaxValue} are supported");
        Parameter parameter = new(name, rows, columns, dimensions, Length);
        _all.Add(parameter);
        Length = checked(Length + ((long)parameter.Count + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine);
        return parameter;
    }
}
