namespace Paddock.Engine.Models;

public enum NormKind { RmsNorm, LayerNorm }

/// <summary>The MLP's function; a gated one multiplies its value at the gate with the other half of the inner layer.</summary>
public enum ActivationKind { SiluGated, GeluTanh, GeluTanhGated, Gelu, Relu }

public enum PositionKind { Rotary, Learned }

/// <summary>
/// Where a block norms. Before: x += part(norm x). After: x += norm(part(x)). Around: x += norm(part(norm x)). Parallel:
/// x += attention(norm x) + mlp(other norm x).
/// </summary>
public enum BlockKind { Before, After, Around, Parallel }

/// <summary>Whether queries and keys are normed before they are rotated: each head of its own, or all heads as one vector.</summary>
public enum QueryKeyNormKind { None, EachHead, AllHeads }

/// <summary>A mixture of experts in place of the MLP: a router's softmax chooses the best few for each token (Shazeer et al. 2017).</summary>
/// <param name="Count">E.</param>
/// <param name="PerToken">How many a token uses.</param>
/// <param name="FeedForwardSize">Inner width of one expert.</param>
/// <param name="Renormalise">Whether the weights of the chosen are divided by their sum.</param>
/// <param name="DenseLayers">Layers that have an ordinary MLP.</param>
public sealed record ExpertMixture(int Count, int PerToken, int FeedForwardSize, bool Renormalise, LayerSet DenseLayers);

/// <summary>Llama 3's stretching of the slow rotary frequencies (golden/hf README, "llama3 scaling").</summary>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions);

/// <summary>
/// What a family's checkpoint says about its architecture: features, not code. Built from a <c>config.json</c> or from GGUF metadata;
/// all sizes have been checked to be positive and consistent.
/// </summary>
public sealed record ModelConfig
{
    /// <summary><c>model_type</c> of the Hugging Face config, such as <c>llama</c>.</summary>
    public required string Family { get; init; }

    /// <summary>V: rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>C: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    public required int LayerCount { get; init; }

    /// <summary>H: query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>D: width of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>F: width of the MLP's inner layer.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Longest sequence: a hard limit for learned positions, advisory for rotary ones.</summary>
    public required int MaxPositions { get; init; }

    public NormKind Norm { get; init; } = NormKind.RmsNorm;

    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Whether an RMSNorm multiplies by 1 + weight in place of weight (Gemma).</summary>
    public bool NormsAddOne { get; init; }

    public BlockKind Block { get; init; } = BlockKind.Before;

    public QueryKeyNormKind QueryKeyNorm { get; init; }

    public ActivationKind Activation { get; init; } = ActivationKind.SiluGated;

    public PositionKind Position { get; init; } = PositionKind.Rotary;

    /// <summary>Rows of the table of learned positions before that of position 0 (OPT has 2).</summary>
    public int PositionOffset { get; init; }

    public double RopeTheta { get; init; } = 10000;

    /// <summary>R: leading channels of each head that are rotated; 0 for all of them.</summary>
    public int RotarySize { get; init; }

    /// <summary>Linear scaling: every rotary frequency is divided by it.</summary>
    public double RopeFactor { get; init; } = 1;

    /// <summary>Base of the rotary frequencies of the layers with a sliding window, which are then not scaled; 0 where it is that of all layers.</summary>
    public double SlidingRopeTheta { get; init; }

    /// <summary>Layers that do not rotate at all.</summary>
    public LayerSet UnrotatedLayers { get; init; } = LayerSet.None;

    /// <summary>W: keys that a query sees in the sliding layers, its own included; 0 for no window.</summary>
    public int SlidingWindow { get; init; }

    public LayerSet SlidingLayers { get; init; } = LayerSet.None;

    /// <summary>Scores are products of queries and keys times this number; 0 for D^-0.5.</summary>
    public double ScoreScale { get; init; }

    /// <summary>Scores become cap tanh(score / cap); 0 for no cap.</summary>
    public double ScoreCap { get; init; }

    /// <summary>Logits become cap tanh(logit / cap); 0 for no cap.</summary>
    public double LogitCap { get; init; }

    /// <summary>Embeddings are multiplied by it on their way in.</summary>
    public float EmbeddingScale { get; init; } = 1;

    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Whether the output head is the input embedding.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether q, k, v, o and the MLP have biases (gpt2 has, llama has not).</summary>
    public bool Biases { get; init; }

    /// <summary>Whether q, k and v alone have biases (qwen2).</summary>
    public bool QueryKeyValueBiases { get; init; }

    public ExpertMixture? Experts { get; init; }

    public int? BeginOfSequenceId { get; init; }

    /// <summary>Every id that ends a sequence; a set, because many chat models have two.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; init; } = [];

    public int? PadId { get; init; }

    /// <summary>Whether the MLP's inner layer is gates and ups.</summary>
    public bool IsGated => Activation is ActivationKind.SiluGated or ActivationKind.GeluTanhGated;

    /// <summary>What scaled scores are multiplied by.</summary>
    public double EffectiveScoreScale => ScoreScale > 0 ? ScoreScale : 1 / Math.Sqrt(HeadSize);

    /// <summary>R, all channels written out.</summary>
    public int EffectiveRotarySize => RotarySize > 0 ? RotarySize : HeadSize;

    /// <summary>Keys that a query of a layer sees; 0 for all before it.</summary>
    public int WindowOf(int layer) => SlidingLayers.Contains(layer) ? SlidingWindow : 0;

    /// <summary>Whether a layer has experts.</summary>
    public bool HasExperts(int layer) => Experts is { } experts && !experts.DenseLayers.Contains(layer);
}
