using System.Runtime.InteropServices;

namespace Paddock.Engine.Kernels;

/// <summary>
/// A weight matrix [N, K] packed for <see cref="DecodeMatMul"/>: panels of 32 rows (the last one padded with zeros), in each the values
/// of the 32 rows side by side for every k (<see cref="IDecodeFormat"/>), so that one streamed pass serves all rows of x. K of a block format is a multiple of 32.
/// Immutable once filled.
/// </summary>
internal sealed unsafe class DecodeMatrix : IDisposable
{
    private byte* _data;

    public DecodeMatrix(DecodeFormat format, int N, int K)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(N);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(K);
        if (IsBlocked(format) && K % DecodeFormats.BlockK != 0)
            throw new ArgumentException($"{format} needs rows of a multiple of {DecodeFormats.BlockK} values, got {K}");
        (Format, this.N, this.K) = (format, N, K);
        PanelBytes = checked((long)((K + DecodeFormats.BlockK - 1) / DecodeFormats.BlockK) * DecodeFormats.BlockBytes(format));
        Bytes = checked(PanelBytes * Panels);
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, 64);
        NativeMemory.Clear(_data, (nuint)Bytes);
        GC.AddMemoryPressure(Bytes);
    }

    ~DecodeMatrix() => Free();

    public DecodeFormat Format { get; }

    public int N { get; }

    public int K { get; }

    public int Panels => (N + DecodeFormats.PanelRows - 1) / DecodeFormats.PanelRows;

    public long PanelBytes { get; }

    /// <summary>Memory taken, which is what one pass streams.</summary>
    public long Bytes { get; }

    public byte* Data => _data != null ? _data : throw new ObjectDisposedException(nameof(DecodeMatrix));

    public static bool IsBlocked(DecodeFormat format) => format is DecodeFormat.Q8_0 or DecodeFormat.Q4_0 or DecodeFormat.Q4_1;

    /// <summary>Fills rows from float32 [rows, ld]. bfloat16 rounds to nearest even; Q8_0 takes d = max |w| / 127 of a block, as a half.</summary>
    public void SetRows(int firstRow, int rows, float* source, long ld)
    {
        CheckRows(firstRow, rows);
        byte* encoded = stackalloc byte[34];
        for (int r = 0; r < rows; r++)
        {
            float* row = source + r * ld;
            int n = firstRow + r;
            switch (Format)
            {
                case DecodeFormat.Float32:
                    for (int k = 0; k < K; k++)
                        *FloatCell(n, k) = row[k];
                    break;
                case DecodeFormat.BFloat16:
                    for (int k = 0; k < K; k++)
                        *HalfCell(n, k) = ToBFloat16(row[k]);
                    break;
                case DecodeFormat.Q8_0:
                    for (int block = 0; block < K / 32; block++)
                    {
                        EncodeQ8(row + 32 * block, encoded);
                        SetBlock(n, block, encoded);
                    }
                    break;
                default:
                    throw new NotSupportedException($"{Format} is only taken from files that hold it");
            }
        }
    }

    /// <summary>Fills one row from GGUF blocks of the same format: scale, shift where there is one, then 32 bytes or 16 pairs of nibbles.</summary>
    public void SetRawRow(int n, ReadOnlySpan<byte> blocks)
    {
        CheckRows(n, 1);
        int size = RawBlockBytes(Format);
        if (blocks.Length != K / 32 * size)
            throw new ArgumentException($"a row of {K} values takes {K / 32 * size} bytes in {Format}, got {blocks.Length}");
        fixed (byte* source = blocks)
            for (int block = 0; block < K / 32; block++)
                SetBlock(n, block, source + block * size);
    }

    public static int RawBlockBytes(DecodeFormat format) => format switch
    {
        DecodeFormat.Q8_0 => 34,
        DecodeFormat.Q4_0 => 18,
        DecodeFormat.Q4_1 => 20,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "not a block format"),
    };

    /// <summary>Widens row n into K floats: embedding lookup, and the scalar twin's view of the matrix.</summary>
    public void CopyRow(int n, float* destination)
    {
        CheckRows(n, 1);
        if (!IsBlocked(Format))
        {
            for (int k = 0; k < K; k++)
                destination[k] = Format == DecodeFormat.Float32 ? *FloatCell(n, k) : BitConverter.Int32BitsToSingle(*HalfCell(n, k) << 16);
            return;
        }
        for (int block = 0; block < K / 32; block++)
        {
            (float d, float m) = CopyBlock(n, block, destination + 32 * block);
            for (int k = 32 * block; k < 32 * block + 32; k++)
                destination[k] = MathF.FusedMultiplyAdd(d, destination[k], m);
        }
    }

    /// <summary>The stored integers of a block of row n, and d and m: its values are d * q + m.</summary>
    public (float D, float M) CopyBlock(int n, int block, float* integers)
    {
        int column = n % 32;
        byte* p = Data + n / 32 * PanelBytes + (long)block * DecodeFormats.BlockBytes(Format), values = p + (Format == DecodeFormat.Q4_1 ? 128 : 64);
        for (int k = 0; k < 32; k++)
            integers[k] = Format == DecodeFormat.Q8_0 ? ((sbyte*)values)[k * 32 + column] : (((uint*)values)[k % 4 * 32 + column] >> (k / 4 * 4)) & 15;
        float d = (float)((Half*)p)[column];
        return (d, Format switch
        {
            DecodeFormat.Q8_0 => 0f,
            DecodeFormat.Q4_0 => -8 * d,
            _ => (float)((Half*)p)[32 + column],
        });
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void SetBlock(int n, int block, byte* raw)
    {
        int column = n % 32;
        byte* p = Data + n / 32 * PanelBytes + (long)block * DecodeFormats.BlockBytes(Format);
        ((ushort*)p)[column] = FiniteHalf(raw);
        if (Format == DecodeFormat.Q8_0)
        {
            for (int k = 0; k < 32; k++)
                p[64 + k * 32 + column] = raw[2 + k];
            return;
        }
        bool shifted = Format == DecodeFormat.Q4_1;
        if (shifted)
            ((ushort*)p)[32 + column] = FiniteHalf(raw + 2);
        byte* nibbles = raw + (shifted ? 4 : 2);
        uint* words = (uint*)(p + (shifted ? 128 : 64));
        for (int g = 0; g < 4; g++)
        {
            // low nibbles are values 0 .. 15 of the block, high ones 16 .. 31
            uint word = 0;
            for (int k = g; k < 32; k += 4)
                word |= (uint)((k < 16 ? nibbles[k] : nibbles[k - 16] >> 4) & 15) << (k / 4 * 4);
            words[g * 32 + column] = word;
        }
    }

    private static ushort FiniteHalf(byte* p)
    {
        ushort bits = (ushort)(p[0] | p[1] << 8);
        return (bits & 0x7C00) != 0x7C00 ? bits : throw new BadInputException("a block of packed weights has a scale that is not a number; the file is damaged, fetch it again");
    }

    // d is rounded to a half first, so that the integers fit the scale that will be used
    private static void EncodeQ8(float* values, byte* block)
    {
        float largest = 0;
        for (int k = 0; k < 32; k++)
            largest = MathF.Max(largest, MathF.Abs(values[k]));
        Half d = (Half)(largest / 127f);
        *(Half*)block = d;
        float inverse = d == Half.Zero ? 0 : 1f / (float)d;
        for (int k = 0; k < 32; k++)
            ((sbyte*)block)[2 + k] = (sbyte)Math.Clamp(MathF.Round(values[k] * inverse), -127, 127);
    }

    private static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private float* FloatCell(int n, int k) => (float*)(Data + n / 32 * PanelBytes) + (long)k * 32 + n % 32;

    private ushort* HalfCell(int n, int k) => (ushort*)(Data + n / 32 * PanelBytes) + (long)(k / 2 * 32 + n % 32) * 2 + k % 2;

    private void CheckRows(int firstRow, int rows)
    {
        if ((uint)firstRow > (uint)N || (uint)rows > (uint)(N - firstRow))
            throw new ArgumentOutOfRangeException(nameof(firstRow), $"rows {firstRow} .. {firstRow + rows} of {N}");
    }

    private void Free()
    {
        if (_data == null)
            return;
        NativeMemory.AlignedFree(_data);
        _data = null;
        GC.RemoveMemoryPressure(Bytes);
    }
}
