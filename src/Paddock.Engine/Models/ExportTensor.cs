namespace Paddock.Engine.Models;

/// <summary>A tensor ready to be written to a checkpoint.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Outermost dimension first.</param>
/// <param name="Fill">Writes the values, row-major, into a span of exactly as many floats as the shape says.</param>
public sealed record ExportTensor(string Name, int[] Shape, Action<Span<float>> Fill)
{
    /// <summary>Number of values.</summary>
    public int Count
    {
        get
        {
            int count = 1;
            foreach (int dimension in Shape)
                count = checked(count * dimension);
            return count;
        }
    }
}
