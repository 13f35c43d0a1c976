namespace Paddock.Engine.Models;

/// <summary>
/// Where every parameter of a model lies in one flat fp32 buffer. Fused matrices are stored as one: queries, keys and values share
/// their input, and so do gate and up. Weights, gradients and both Adam moments share a layout.
/// </summary>
public sealed class ParameterLayout
{
    // far above any published model; keeps a hostile config from filling the memory with empty layers
    private const int MaxLayers = 4096;

    private readonly LayoutBuilder _builder = new();

    public ParameterLayout(ModelConfig config, HeadKind head)
    {
        if (config.LayerCount is < 1 or > MaxLayers)
            throw new BadInputException($"a model of {config.LayerCount} layers is not supported: 1 to {MaxLayers} are");
        (Config, Head) = (config, head);
        (int C, int F) = (config.HiddenSize, config.FeedForwardSize);
        (QueryWidth, KeyWidth) = (checked(config.HeadCount * config.HeadSize), checked(config.KeyValueHeadCount * config.HeadSize));
        QkvWidth = checked(QueryWidth + 2 * KeyWidth);
        GateUpWidth = config.IsGated ? checked(2 * F) : F;

        Embedding = _builder.Matrix("embedding", config.VocabularySize, C);
        if (config.Position == PositionKind.Learned)
            Positions = _builder.Matrix("positions", checked(config.MaxPositions + config.PositionOffset), C);
        Parameter[,] matrices = new Parameter[config.LayerCount, 2];
        Parameter?[] routers = new Parameter?[config.LayerCount];
        List<(Parameter GateUp, Parameter Down)>[] mlps = new List<(Parameter, Parameter)>[config.LayerCount];
        for (int l = 0; l < config.LayerCount; l++)
        {
            matrices[l, 0] = _builder.Matrix($"layers.{l}.qkv", QkvWidth, C);
            matrices[l, 1] = _builder.Matrix($"layers.{l}.out", C, QueryWidth);
            mlps[l] = [];
            if (config.HasExperts(l))
                AddExperts(l);
            else
                mlps[l].Add((_builder.Matrix($"layers.{l}.gateUp", GateUpWidth, C), _builder.Matrix($"layers.{l}.down", C, F)));
        }
        if (head == HeadKind.Scalar)
            Score = _builder.Matrix("score", 1, C);
        else if (!config.TiedEmbeddings)
            OutputHead = _builder.Matrix("head", config.VocabularySize, C);

        bool hasNorms = config.Block != BlockKind.After, hasOutNorms = config.Block is BlockKind.After or BlockKind.Around;
        LayerParameters[] layers = new LayerParameters[config.LayerCount];
        for (int l = 0; l < layers.Length; l++)
            layers[l] = new()
            {
                AttentionNorm = hasNorms ? _builder.Vector($"layers.{l}.attentionNorm", C) : null,
                AttentionNormBias = hasNorms ? NormBias($"layers.{l}.attentionNormBias") : null,
                Qkv = matrices[l, 0],
                QkvBias = config.QueryKeyValueBiases ? _builder.Vector($"layers.{l}.qkvBias", QkvWidth) : Bias($"layers.{l}.qkvBias", QkvWidth),
                QueryNorm = QueryKeyNorm($"layers.{l}.queryNorm", QueryWidth),
                KeyNorm = QueryKeyNorm($"layers.{l}.keyNorm", KeyWidth),
                Out = matrices[l, 1],
                OutBias = Bias($"layers.{l}.outBias", C),
                AttentionOutNorm = hasOutNorms ? _builder.Vector($"layers.{l}.attentionOutNorm", C) : null,
                MlpNorm = hasNorms ? _builder.Vector($"layers.{l}.mlpNorm", C) : null,
                MlpNormBias = hasNorms ? NormBias($"layers.{l}.mlpNormBias") : null,
                MlpOutNorm = hasOutNorms ? _builder.Vector($"layers.{l}.mlpOutNorm", C) : null,
                Router = routers[l],
                Mlps = Mlps(l, mlps[l]),
            };
        Layers = layers;
        FinalNorm = _builder.Vector("finalNorm", C);
        FinalNormBias = NormBias("finalNormBias");
        foreach (Parameter parameter in All)
            ParameterCount += parameter.Count;

        void AddExperts(int l)
        {
            ExpertMixture experts = config.Experts!;
            routers[l] = _builder.Matrix($"layers.{l}.router", experts.Count, C);
            int width = config.IsGated ? checked(2 * experts.FeedForwardSize) : experts.FeedForwardSize;
            for (int e = 0; e < experts.Count; e++)
                mlps[l].Add((_builder.Matrix($"layers.{l}.experts.{e}.gateUp", width, C), _builder.Matrix($"layers.{l}.experts.{e}.down", C, experts.FeedForwardSize)));
        }
    }

    public ModelConfig Config { get; }

    public HeadKind Head { get; }

    /// <summary>H D: width of the queries and of attention's output.</summary>
    public int QueryWidth { get; }

    /// <summary>KV D: width of the keys, and of the values.</summary>
    public int KeyWidth { get; }

    /// <summary>(H + 2 KV) D: width of a row of queries, keys and values.</summary>
    public int QkvWidth { get; }

    /// <summary>2 F for a gated MLP, else F.</summary>
    public int GateUpWidth { get; }

    /// <summary>[V, C]; also the output head when embeddings are tied.</summary>
    public Parameter Embedding { get; }

    /// <summary>[P, C] learned positions, after the rows of <see cref="ModelConfig.PositionOffset"/>; null for rotary ones.</summary>
    public Parameter? Positions { get; }

    public IReadOnlyList<LayerParameters> Layers { get; }

    /// <summary>[C].</summary>
    public Parameter FinalNorm { get; }

    public Parameter? FinalNormBias { get; }

    /// <summary>[V, C] output head of its own; null when tied, and under a scalar head.</summary>
    public Parameter? OutputHead { get; }

    /// <summary>The matrix that turns final states into logits; null under a scalar head.</summary>
    public Parameter? Logits => Head == HeadKind.Scalar ? null : OutputHead ?? Embedding;

    /// <summary>[1, C]; null under a token head.</summary>
    public Parameter? Score { get; }

    /// <summary>Every parameter in the order of the buffer.</summary>
    public IReadOnlyList<Parameter> All => _builder.All;

    /// <summary>Floats of the buffer, the gaps included.</summary>
    public long Length => _builder.Length;

    /// <summary>Floats of the leading part that holds the matrices.</summary>
    public long MatrixLength => _builder.MatrixLength;

    /// <summary>Number of parameters; a tied matrix counts once.</summary>
    public long ParameterCount { get; }

    private MlpParameters[] Mlps(int l, List<(Parameter GateUp, Parameter Down)> matrices)
    {
        MlpParameters[] mlps = new MlpParameters[matrices.Count];
        for (int e = 0; e < mlps.Length; e++)
        {
            string path = Config.HasExperts(l) ? $"layers.{l}.experts.{e}" : $"layers.{l}";
            mlps[e] = new(matrices[e].GateUp, Bias(path + ".gateUpBias", matrices[e].GateUp.Rows), matrices[e].Down, Bias(path + ".downBias", Config.HiddenSize));
        }
        return mlps;
    }

    private Parameter? QueryKeyNorm(string name, int width) => Config.QueryKeyNorm switch
    {
        QueryKeyNormKind.EachHead => _builder.Vector(name, Config.HeadSize),
        QueryKeyNormKind.AllHeads => _builder.Vector(name, width),
        _ => null,
    };

    private Parameter? Bias(string name, int length) => Config.Biases ? _builder.Vector(name, length) : null;

    private Parameter? NormBias(string name) => Config.Norm == NormKind.LayerNorm ? _builder.Vector(name, Config.HiddenSize) : null;
}
