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
        GateUpWidth = config.Activation == ActivationKind.SiluGated ? checked(2 * F) : F;

        Embedding = _builder.Matrix("embedding", config.VocabularySize, C);
        if (config.Position == PositionKind.Learned)
            Positions = _builder.Matrix("positions", config.MaxPositions, C);
        Parameter[,] matrices = new Parameter[config.LayerCount, 4];
        for (int l = 0; l < config.LayerCount; l++)
        {
            matrices[l, 0] = _builder.Matrix($"layers.{l}.qkv", QkvWidth, C);
            matrices[l, 1] = _builder.Matrix($"layers.{l}.out", C, QueryWidth);
            matrices[l, 2] = _builder.Matrix($"layers.{l}.gateUp", GateUpWidth, C);
            matrices[l, 3] = _builder.Matrix($"layers.{l}.down", C, F);
        }
        if (head == HeadKind.Scalar)
            Score = _builder.Matrix("score", 1, C);
        else if (!config.TiedEmbeddings)
            OutputHead = _builder.Matrix("head", config.VocabularySize, C);

        LayerParameters[] layers = new LayerParameters[config.LayerCount];
        for (int l = 0; l < layers.Length; l++)
            layers[l] = new()
            {
                AttentionNorm = _builder.Vector($"layers.{l}.attentionNorm", C),
                AttentionNormBias = NormBias($"layers.{l}.attentionNormBias"),
                Qkv = matrices[l, 0],
                QkvBias = Bias($"layers.{l}.qkvBias", QkvWidth),
                Out = matrices[l, 1],
                OutBias = Bias($"layers.{l}.outBias", C),
                MlpNorm = _builder.Vector($"layers.{l}.mlpNorm", C),
                MlpNormBias = NormBias($"layers.{l}.mlpNormBias"),
                GateUp = matrices[l, 2],
                GateUpBias = Bias($"layers.{l}.gateUpBias", GateUpWidth),
                Down = matrices[l, 3],
                DownBias = Bias($"layers.{l}.downBias", C),
            };
        Layers = layers;
        FinalNorm = _builder.Vector("finalNorm", C);
        FinalNormBias = NormBias("finalNormBias");
        foreach (Parameter parameter in All)
            ParameterCount += parameter.Count;
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

    /// <summary>[P, C] learned positions, or null for rotary ones.</summary>
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

    private Parameter? Bias(string name, int length) => Config.Biases ? _builder.Vector(name, length) : null;

    private Parameter? NormBias(string name) => Config.Norm == NormKind.LayerNorm ? _builder.Vector(name, Config.HiddenSize) : null;
}
