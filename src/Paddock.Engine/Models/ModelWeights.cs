using Paddock.Engine.Checkpoints;
using Paddock.Engine.Memory;
using Paddock.Engine.Models.Families;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Models;

/// <summary>
/// The parameters of one model in a flat, 64-byte aligned fp32 buffer. May be shared by several readers; whoever trains it must be
/// its only user.
/// </summary>
public sealed unsafe class ModelWeights : IDisposable
{
    private const double InitialDeviation = 0.02;

    private readonly ModelFamily _family;
    private readonly IReadOnlyList<TensorMap> _maps;

    /// <summary>Zero weights.</summary>
    public ModelWeights(ModelConfig config, HeadKind head) : this(Plan(config, head)) { }

    private ModelWeights((ModelFamily Family, ParameterLayout Layout, IReadOnlyList<TensorMap> Maps) plan)
    {
        (_family, Layout, _maps) = plan;
        Buffer = new(Layout.Length);
    }

    public ParameterLayout Layout { get; }

    public ModelConfig Config => Layout.Config;

    internal NativeBuffer Buffer { get; }

    /// <summary>
    /// Reads a checkpoint; nothing is allocated before every tensor's name and shape has been checked. Under a scalar head
    /// <c>lm_head.weight</c> is left out and <c>score.weight</c> is read when it is there, else it is zero.
    /// </summary>
    /// <exception cref="BadInputException">A tensor is missing, misshapen or unknown, or has values that are not finite.</exception>
    public static ModelWeights Load(ModelConfig config, IWeightSource source, HeadKind head = HeadKind.Token)
    {
        (ModelFamily family, ParameterLayout layout, IReadOnlyList<TensorMap> maps) = Plan(config, head);
        string prefix = family.Prefix;
        if (prefix.Length > 0 && !source.Tensors.ContainsKey(maps[0].Name) && source.Tensors.ContainsKey(maps[0].Name[prefix.Length..]))
            prefix = "";
        List<string> names = new(maps.Count);
        HashSet<string> known = [];
        foreach (TensorMap map in maps)
        {
            string name = prefix.Length < family.Prefix.Length && map.Name.StartsWith(family.Prefix, StringComparison.Ordinal) ? map.Name[family.Prefix.Length..] : map.Name;
            bool optional = map.Name == ModelFamily.ScoreName && !source.Tensors.ContainsKey(name);
            if (!optional)
                map.Check(source, name);
            known.Add(name);
            names.Add(optional ? "" : name);
        }
        foreach (string name in source.Tensors.Keys)
            if (!known.Contains(name) && !family.Ignores(name) && !IsSpareHead(name, layout))
                throw new BadInputException(name == ModelFamily.ScoreName
                    ? $"{source.Place}: tensor '{name}' makes this a reward model; open it with a scalar head"
                    : $"{source.Place}: tensor '{name}' is not one of a {config.Family} model");

        ModelWeights weights = new((family, layout, maps));
        try
        {
            for (int i = 0; i < maps.Count; i++)
                if (names[i].Length > 0)
                {
                    maps[i].Read(source, names[i], weights.Buffer);
                    WeightCheck.CheckFinite(source.Place, names[i], maps[i].Place(weights.Buffer));
                }
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Fresh weights as GPT-2 starts them: normal with deviation 0.02, projections into the residual stream scaled by 1/sqrt(2 L), norms
    /// one, biases and the scalar head zero. A pure function of config, head and seed.
    /// </summary>
    public static ModelWeights Random(ModelConfig config, ulong seed, HeadKind head = HeadKind.Token)
    {
        ModelWeights weights = new(config, head);
        ParameterLayout layout = weights.Layout;
        double residual = InitialDeviation / Math.Sqrt(2.0 * config.LayerCount);
        weights.FillNormal(layout.Embedding, InitialDeviation, seed);
        weights.FillNormal(layout.Positions, InitialDeviation, seed);
        weights.FillNormal(layout.OutputHead, InitialDeviation, seed);
        foreach (LayerParameters layer in layout.Layers)
        {
            weights.FillNormal(layer.Qkv, InitialDeviation, seed);
            weights.FillNormal(layer.Out, residual, seed);
            weights.FillNormal(layer.Router, InitialDeviation, seed);
            foreach (MlpParameters mlp in layer.Mlps)
            {
                weights.FillNormal(mlp.GateUp, InitialDeviation, seed);
                weights.FillNormal(mlp.Down, residual, seed);
            }
            foreach (Parameter? norm in (ReadOnlySpan<Parameter?>)[layer.AttentionNorm, layer.QueryNorm, layer.KeyNorm, layer.AttentionOutNorm, layer.MlpNorm, layer.MlpOutNorm])
                if (norm != null && !config.NormsAddOne)
                    weights.Values(norm).Fill(1f);
        }
        if (!config.NormsAddOne)
            weights.Values(layout.FinalNorm).Fill(1f);
        return weights;
    }

    /// <summary>The values of one parameter, row-major.</summary>
    public Span<float> Values(Parameter parameter) => Buffer.Slice(parameter.Offset, parameter.Count);

    /// <summary>An independent copy.</summary>
    public ModelWeights Clone()
    {
        ModelWeights copy = new((_family, Layout, _maps));
        System.Buffer.MemoryCopy(Buffer.Pointer, copy.Buffer.Pointer, Buffer.Length * sizeof(float), Buffer.Length * sizeof(float));
        return copy;
    }

    /// <summary>
    /// The tensors of a Hugging Face checkpoint of these weights, under that family's names. A tied head is not among them. The fill
    /// actions read the weights as they are when called.
    /// </summary>
    public IEnumerable<ExportTensor> Export() => Export(Buffer);

    /// <summary>The same names and shapes over another buffer of this layout: gradients or moments.</summary>
    internal IEnumerable<ExportTensor> Export(NativeBuffer buffer)
    {
        foreach (TensorMap map in _maps)
            yield return map.Export(buffer);
    }

    /// <summary>Projections of one layer that can carry an adapter.</summary>
    internal IReadOnlyList<ProjectionSite> Sites(int layer) => _family.Sites(Layout, layer);

    /// <summary>Address of a parameter, or null where the family has none.</summary>
    internal float* Pointer(Parameter? parameter) => parameter == null ? null : Buffer.Pointer + parameter.Offset;

    public void Dispose() => Buffer.Dispose();

    private static (ModelFamily Family, ParameterLayout Layout, IReadOnlyList<TensorMap> Maps) Plan(ModelConfig config, HeadKind head)
    {
        ModelFamily family = ModelFamily.For(config);
        ParameterLayout layout = new(config, head);
        List<TensorMap> maps = [.. family.Tensors(layout)];
        if (layout.Score is { } score)
            maps.Add(new(ModelFamily.ScoreName, score));
        return (family, layout, maps);
    }

    // a token head that a scalar head does not need, or a second copy of a tied one
    private static bool IsSpareHead(string name, ParameterLayout layout) => (name is "lm_head.weight" or "embed_out.weight") && layout.OutputHead == null;

    private void FillNormal(Parameter? parameter, double deviation, ulong seed)
    {
        if (parameter == null)
            return;
        RandomStream stream = new(seed, "init/" + parameter.Name);
        foreach (ref float value in Values(parameter))
            value = (float)(deviation * stream.NextGaussian());
    }
}
