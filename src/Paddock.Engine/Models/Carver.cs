namespace Paddock.Engine.Models;

/// <summary>
/// Cuts aligned pieces off a block of memory in order. Started at null it only counts, so that one piece of code both measures a
/// region and lays it out.
/// </summary>
internal unsafe struct Carver(float* start)
{
    private const int FloatsPerLine = 16;

    /// <summary>Floats taken so far.</summary>
    public long Used { get; private set; }

    public float* Take(long count)
    {
        float* piece = start + Used;
        Used = checked(Used + (count + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine);
        return piece;
    }

    public int* TakeInts(long count) => (int*)Take(count);
}
