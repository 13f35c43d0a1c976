using System.Numerics.Tensors;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Models.Families;

namespace Paddock.Engine.Sampling;

/// <summary>
/// Weights of a token model packed for decoding: a copy, so that training may go on, and immutable, so that samplers may share it.
/// Counted: every <see cref="Share"/> is matched by a <see cref="Dispose"/>, the last of which frees the memory.
/// </summary>
public sealed unsafe class SamplerWeights : IDisposable
{
    private readonly ParameterLayout _layout;
    private readonly Dictionary<string, DecodeMatrix> _matrices = [];
    private readonly Dictionary<string, long> _offsets = [];
    private NativeBuffer _vectors = null!;
    private int _references = 1;

    private SamplerWeights(ParameterLayout layout) => _layout = layout;

    public ModelConfig Config => _layout.Config;

    /// <summary>Bytes of the matrices, the embedding included.</summary>
    public long MatrixBytes { get; private set; }

    /// <summary>Bytes read for one decoded position: every matrix once, an embedding that is not also the head left out.</summary>
    public long StreamedBytes { get; private set; }

    internal ParameterLayout Layout => _layout;

    /// <summary>Copies and packs weights in training.</summary>
    public static SamplerWeights Pack(ModelWeights weights, WeightFormat format = WeightFormat.Float32) =>
        Build(weights.Layout, parameter => (Format(format), matrix => matrix.SetRows(0, parameter.Rows, weights.Pointer(parameter), parameter.Columns)), weights.Values);

    /// <summary>
    /// Packs a checkpoint. Without a format the stored one is kept where every part of a matrix shares it (Q4_0, Q4_1, Q8_0 and
    /// bfloat16); other matrices become float32.
    /// </summary>
    public static SamplerWeights Load(ModelConfig config, IWeightSource source, WeightFormat? format = null)
    {
        ParameterLayout layout = new(config, HeadKind.Token);
        IReadOnlyList<TensorMap> maps = ModelFamily.For(config).Tensors(layout);
        foreach (TensorMap map in maps)
            if (!source.Tensors.ContainsKey(map.Name))
            {
                // names without the family's prefix, or a missing tensor: the loader of trained models knows both
                using ModelWeights weights = ModelWeights.Load(config, source);
                return Pack(weights, format ?? WeightFormat.Float32);
            }
        foreach (TensorMap map in maps)
            map.Check(source, map.Name);
        Dictionary<string, List<TensorMap>> partsOf = [];
        foreach (TensorMap map in maps)
            (partsOf.TryGetValue(map.Target.Name, out List<TensorMap>? parts) ? parts : partsOf[map.Target.Name] = []).Add(map);
        return Build(layout, parameter =>
        {
            List<TensorMap> parts = partsOf[parameter.Name];
            DecodeFormat stored = format is { } given ? Format(given) : Stored(source, parts);
            return (stored, matrix => Fill(matrix, source, parts));
        }, parameter =>
        {
            float[] values = new float[parameter.Count];
            foreach (TensorMap part in partsOf[parameter.Name])
                part.Read(source, part.Name, values.AsSpan(part.FirstRow * parameter.Columns, part.Count));
            return values;
        });
    }

    /// <summary>Another holder of the same memory.</summary>
    public SamplerWeights Share()
    {
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref _references) <= 1, this);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _references) != 0)
            return;
        foreach (DecodeMatrix matrix in _matrices.Values)
            matrix.Dispose();
        _vectors?.Dispose();
    }

    internal DecodeMatrix Matrix(Parameter parameter) => _matrices[parameter.Name];

    /// <summary>Address of a vector or of the table of learned positions; null where the family has none.</summary>
    internal float* Vector(Parameter? parameter) => parameter == null ? null : _vectors.Pointer + _offsets[parameter.Name];

    private static SamplerWeights Build(ParameterLayout layout, Func<Parameter, (DecodeFormat Format, Action<DecodeMatrix> Fill)> matrices, Func<Parameter, Span<float>> vectors)
    {
        if (layout.Logits == null)
            throw new BadInputException("a model with a scalar head gives no tokens: sample from one with a token head");
        SamplerWeights packed = new(layout);
        try
        {
            long floats = 0;
            foreach (Parameter parameter in layout.All)
                if (!IsMatrix(layout, parameter))
                {
                    packed._offsets[parameter.Name] = floats;
                    floats += (parameter.Count + 15) & ~15;
                }
            packed._vectors = new(floats);
            foreach (Parameter parameter in layout.All)
            {
                if (!IsMatrix(layout, parameter))
                {
                    Span<float> place = packed._vectors.Slice(packed._offsets[parameter.Name], parameter.Count);
                    vectors(parameter).CopyTo(place);
                    // such models have no other vectors than the scales of norms
                    if (layout.Config.NormsAddOne)
                        TensorPrimitives.Add(place, 1, place);
                    continue;
                }
                (DecodeFormat format, Action<DecodeMatrix> fill) = matrices(parameter);
                if (DecodeMatrix.IsBlocked(format) && parameter.Columns % DecodeFormats.BlockK != 0)
                    throw new BadInputException($"{format} weights need widths that are multiples of {DecodeFormats.BlockK}, '{parameter.Name}' has {parameter.Columns}; use bfloat16 or float32");
                DecodeMatrix matrix = packed._matrices[parameter.Name] = new(format, parameter.Rows, parameter.Columns);
                fill(matrix);
                packed.MatrixBytes += matrix.Bytes;
                if (parameter != layout.Embedding || layout.Logits == parameter)
                    packed.StreamedBytes += matrix.Bytes;
            }
            return packed;
        }
        catch
        {
            packed.Dispose();
            throw;
        }
    }

    private static bool IsMatrix(ParameterLayout layout, Parameter parameter) => parameter.Dimensions == 2 && parameter != layout.Positions;

    private static DecodeFormat Format(WeightFormat format) => format switch
    {
        WeightFormat.Float32 => DecodeFormat.Float32,
        WeightFormat.BFloat16 => DecodeFormat.BFloat16,
        _ => DecodeFormat.Q8_0,
    };

    private static DecodeFormat Stored(IWeightSource source, List<TensorMap> parts)
    {
        TensorFormat format = source.Tensors[parts[0].Name].Format;
        foreach (TensorMap part in parts)
            if (source.Tensors[part.Name].Format != format || part.Transposed || source.Raw(part.Name).IsEmpty)
                return DecodeFormat.Float32;
        return format switch
        {
            TensorFormat.Q4_0 => DecodeFormat.Q4_0,
            TensorFormat.Q4_1 => DecodeFormat.Q4_1,
            TensorFormat.Q8_0 => DecodeFormat.Q8_0,
            TensorFormat.BFloat16 => DecodeFormat.BFloat16,
            _ => DecodeFormat.Float32,
        };
    }

    private static void Fill(DecodeMatrix matrix, IWeightSource source, List<TensorMap> parts)
    {
        foreach (TensorMap part in parts)
        {
            TensorFormat stored = source.Tensors[part.Name].Format;
            if (DecodeMatrix.IsBlocked(matrix.Format) && stored.ToString() == matrix.Format.ToString() && !source.Raw(part.Name).IsEmpty)
            {
                ReadOnlySpan<byte> raw = source.Raw(part.Name);
                int rowBytes = raw.Length / part.Rows;
                for (int r = 0; r < part.Rows; r++)
                    matrix.SetRawRow(part.FirstRow + r, raw.Slice((part.StoredRows?[r] ?? r) * rowBytes, rowBytes));
                continue;
            }
            using NativeBuffer values = new(part.Count);
            part.Read(source, part.Name, values.Span);
            matrix.SetRows(part.FirstRow, part.Rows, values.Pointer, part.Target.Columns);
        }
    }
}
