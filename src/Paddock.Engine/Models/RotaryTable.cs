using Paddock.Engine.Memory;

namespace Paddock.Engine.Models;

/// <summary>
/// Cosines and sines of rotary positions (Su et al. 2021, arXiv 2104.09864), [positions, R/2] each. Grows to the longest sequence seen,
/// so that a config with a very long context costs nothing. Angles are rounded to fp32 as the reference implementations do.
/// </summary>
internal sealed unsafe class RotaryTable : IDisposable
{
    private const int FirstPositions = 256;

    private readonly float[] _frequencies;
    private NativeBuffer? _cosines, _sines;
    private int _positions;

    /// <param name="sliding">For the sliding layers of a config that gives them a base of their own.</param>
    public RotaryTable(ModelConfig config, bool sliding = false)
    {
        int R = config.EffectiveRotarySize;
        double theta = sliding ? config.SlidingRopeTheta : config.RopeTheta, factor = sliding ? 1 : config.RopeFactor;
        _frequencies = new float[R / 2];
        for (int j = 0; j < _frequencies.Length; j++)
            _frequencies[j] = (float)(Scale(Math.Pow(theta, -2.0 * j / R), sliding ? null : config.RopeScaling) / factor);
    }

    /// <summary>Valid after <see cref="Reserve"/>, until the next one.</summary>
    public float* Cosines => _cosines!.Pointer;

    public float* Sines => _sines!.Pointer;

    /// <summary>Makes positions 0 .. <paramref name="positions"/> - 1 available; allocates only when more are asked for than ever before.</summary>
    public void Reserve(int positions)
    {
        if (positions <= _positions)
            return;
        int grown = (int)Math.Min(Math.Max(Math.Max(positions, 2L * _positions), FirstPositions), int.MaxValue);
        Dispose();
        _positions = grown;
        (_cosines, _sines) = (new((long)grown * _frequencies.Length), new((long)grown * _frequencies.Length));
        for (int p = 0; p < grown; p++)
            for (int j = 0; j < _frequencies.Length; j++)
            {
                (double sin, double cos) = Math.SinCos(p * _frequencies[j]);
                _cosines.Pointer[(long)p * _frequencies.Length + j] = (float)cos;
                _sines.Pointer[(long)p * _frequencies.Length + j] = (float)sin;
            }
    }

    public void Dispose()
    {
        _cosines?.Dispose();
        _sines?.Dispose();
    }

    // Llama 3's scaling: fast rotations stay, slow ones are stretched by the factor, those between are interpolated
    private static double Scale(double frequency, RopeScaling? scaling)
    {
        if (scaling == null)
            return frequency;
        double wavelength = 2 * Math.PI / frequency, old = scaling.OriginalMaxPositions;
        if (wavelength > old / scaling.LowFrequencyFactor)
            return frequency / scaling.Factor;
        if (wavelength < old / scaling.HighFrequencyFactor)
            return frequency;
        double share = (old / wavelength - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return (1 - share) * frequency / scaling.Factor + share * frequency;
    }
}
