namespace Paddock.Engine.Kernels;

/// <summary>
/// The last few elements of a row, fewer than a register: they are copied to a buffer of one register (16 floats suffice for every width),
/// so that they go through the same arithmetic as the others.
/// </summary>
internal static unsafe class Tail
{
    public const int Floats = 16;

    public static void Copy(float* from, float* to, int count)
    {
        for (int i = 0; i < count; i++)
            to[i] = from[i];
    }

    /// <summary>The elements, then <paramref name="fill"/> in the other lanes.</summary>
    public static V Load<V>(float* p, int count, float fill = 0)
        where V : unmanaged, ILanes<V>
    {
        float* buffer = stackalloc float[Floats];
        for (int i = 0; i < V.Count; i++)
            buffer[i] = i < count ? p[i] : fill;
        return V.Load(buffer);
    }

    public static void Store<V>(V v, float* p, int count)
        where V : unmanaged, ILanes<V>
    {
        float* buffer = stackalloc float[Floats];
        V.Store(v, buffer);
        Copy(buffer, p, count);
    }
}
