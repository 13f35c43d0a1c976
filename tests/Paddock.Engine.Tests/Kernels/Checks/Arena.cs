using Paddock.Engine.Memory;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>What a check throws; it knows no test framework, because the tier probe runs the same checks.</summary>
public sealed class MismatchException(string message) : Exception(message);

/// <summary>Random arrays between guard values, so that a kernel that writes outside its output is caught.</summary>
public sealed unsafe class Arena(string purpose) : IDisposable
{
    private const int Guard = 64;
    private const float Mark = -123456.75f;
    private readonly List<NativeBuffer> _buffers = [];
    private RandomStream _random = new(1, purpose);

    /// <summary>Normal numbers times <paramref name="scale"/>.</summary>
    public float* Random(long count, float scale = 1)
    {
        float* p = New(count);
        for (long i = 0; i < count; i++)
            p[i] = scale * (float)_random.NextGaussian();
        return p;
    }

    public float* Zeros(long count) => New(count);

    public float* Copy(float* source, long count)
    {
        float* p = New(count);
        for (long i = 0; i < count; i++)
            p[i] = source[i];
        return p;
    }

    /// <summary>Whole numbers in 0 .. below - 1.</summary>
    public int* Integers(int count, int below)
    {
        int* p = (int*)New(count);
        for (int i = 0; i < count; i++)
            p[i] = _random.NextInt(below);
        return p;
    }

    public int* Values(params int[] values)
    {
        int* p = (int*)New(values.Length);
        for (int i = 0; i < values.Length; i++)
            p[i] = values[i];
        return p;
    }

    public void CheckGuards(string what)
    {
        foreach (NativeBuffer buffer in _buffers)
            for (int i = 0; i < Guard; i++)
                if (buffer.Pointer[i] != Mark || buffer.Pointer[buffer.Length - 1 - i] != Mark)
                    throw new MismatchException($"{what} wrote outside an array of {buffer.Length - 2 * Guard}");
    }

    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());

    private float* New(long count)
    {
        NativeBuffer buffer = new(count + 2 * Guard);
        for (int i = 0; i < Guard; i++)
            buffer.Pointer[i] = buffer.Pointer[count + Guard + i] = Mark;
        _buffers.Add(buffer);
        return buffer.Pointer + Guard;
    }
}

/// <summary>Comparisons of arrays.</summary>
public static unsafe class Compare
{
    /// <summary>Every difference at most tolerance times (1 + the largest expected magnitude); NaN where NaN is expected.</summary>
    public static void Near(string what, float* actual, float* expected, long count, double tolerance)
    {
        double largest = 1;
        for (long i = 0; i < count; i++)
            if (float.IsFinite(expected[i]))
                largest = Math.Max(largest, Math.Abs(expected[i]));
        for (long i = 0; i < count; i++)
            if (!(Math.Abs((double)actual[i] - expected[i]) <= tolerance * largest) && !actual[i].Equals(expected[i]))
                throw new MismatchException($"{what}: element {i} of {count} is {actual[i]:R}, expected {expected[i]:R}");
    }

    public static void SameBits(string what, float* actual, float* expected, long count)
    {
        for (long i = 0; i < count; i++)
            if (BitConverter.SingleToInt32Bits(actual[i]) != BitConverter.SingleToInt32Bits(expected[i]))
                throw new MismatchException($"{what}: element {i} of {count} is {actual[i]:R}, expected the bits of {expected[i]:R}");
    }
}
