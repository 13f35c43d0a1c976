using Paddock.Engine.Checkpoints;
using Paddock.Engine.Memory;

namespace Paddock.Engine.Models;

/// <summary>Where one tensor of a checkpoint lies inside an internal parameter.</summary>
/// <param name="Name">Name in the checkpoint.</param>
/// <param name="Target">The internal parameter.</param>
/// <param name="FirstRow">First row (or element of a vector) of the target.</param>
/// <param name="Rows">Rows (or elements) of the target that this tensor fills.</param>
/// <param name="Transposed">Whether the checkpoint stores the matrix as [in, out].</param>
internal sealed record TensorMap(string Name, Parameter Target, int FirstRow, int Rows, bool Transposed)
{
    private const int TransposeBlock = 32;

    /// <summary>Which row of the checkpoint's tensor each row here is, where the orders differ; null where they do not.</summary>
    public int[]? StoredRows { get; init; }

    /// <summary>A tensor that fills its parameter.</summary>
    public TensorMap(string name, Parameter target, bool transposed = false) : this(name, target, 0, target.Rows, transposed) { }

    /// <summary>Shape in the checkpoint.</summary>
    public int[] Shape => Target.Dimensions == 1 ? [Rows] : Transposed ? [Target.Columns, Rows] : [Rows, Target.Columns];

    /// <summary>Number of values.</summary>
    public int Count => Rows * Target.Columns;

    /// <summary>This tensor, read from or written to its place in a buffer.</summary>
    public Span<float> Place(NativeBuffer buffer) => buffer.Slice(Target.Offset + (long)FirstRow * Target.Columns, Count);

    /// <summary>Throws unless <paramref name="source"/> has the tensor under <paramref name="name"/> with this shape.</summary>
    public void Check(IWeightSource source, string name)
    {
        if (!source.Tensors.TryGetValue(name, out TensorInfo? info))
            throw new BadInputException($"{source.Place}: tensor '{name}' is missing; the config asks for one of shape [{string.Join(", ", Shape)}]");
        int[] shape = Shape;
        bool same = info.Shape.Count == shape.Length;
        for (int i = 0; same && i < shape.Length; i++)
            same = info.Shape[i] == shape[i];
        if (!same)
            throw new BadInputException($"{source.Place}: tensor '{name}' has shape [{string.Join(", ", info.Shape)}], the config asks for [{string.Join(", ", shape)}]");
    }

    /// <summary>Reads the tensor into its place.</summary>
    public void Read(IWeightSource source, string name, NativeBuffer buffer) => Read(source, name, Place(buffer));

    /// <summary>Reads the tensor in the order it has here.</summary>
    public void Read(IWeightSource source, string name, Span<float> destination)
    {
        if (!Transposed && StoredRows == null)
        {
            source.Read(name, destination);
            return;
        }
        using NativeBuffer stored = new(Count);
        source.Read(name, stored.Span);
        if (Transposed)
            Transpose(stored.Span, Target.Columns, Rows, destination);
        else
            for (int r = 0; r < Rows; r++)
                stored.Slice((long)StoredRows![r] * Target.Columns, Target.Columns).CopyTo(destination[(r * Target.Columns)..]);
    }

    /// <summary>The tensor as it is written to a checkpoint, read from <paramref name="buffer"/> when it is filled.</summary>
    public ExportTensor Export(NativeBuffer buffer) => new(Name, Shape, destination =>
    {
        if (Transposed)
            Transpose(Place(buffer), Rows, Target.Columns, destination);
        else if (StoredRows == null)
            Place(buffer).CopyTo(destination);
        else
            for (int r = 0; r < Rows; r++)
                Place(buffer).Slice(r * Target.Columns, Target.Columns).CopyTo(destination[(StoredRows[r] * Target.Columns)..]);
    });

    internal static void Transpose(ReadOnlySpan<float> source, int rows, int columns, Span<float> destination)
    {
        for (int r0 = 0; r0 < rows; r0 += TransposeBlock)
            for (int c0 = 0; c0 < columns; c0 += TransposeBlock)
                for (int r = r0; r < Math.Min(r0 + TransposeBlock, rows); r++)
                    for (int c = c0; c < Math.Min(c0 + TransposeBlock, columns); c++)
                        destination[c * rows + r] = source[r * columns + c];
    }
}
