namespace Paddock.Engine.Models;

public enum NormKind { RmsNorm, LayerNorm }

public enum ActivationKind { SiluGated, GeluTanh }

public enum PositionKind { Rotary, Learned }

/// <summary>Llama 3's stretching of the slow rotary frequencies (golden/hf README, "llama3 scaling").</summary>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions);

/// <summary>
/// What a family's checkpoint says about its architecture: features, not code. Built from a <c>config.json</c> or from GGUF metadata;
/// all sizes have been checked to be positive and consistent.
/// </summary>
public sealed record ModelConfig
{
    /// <summary><c>model_type</c> of the Hugging Face config: <c>llama</c> or <c>gpt2</c>.</summary>
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

    public ActivationKind Activation { get; init; } = ActivationKind.SiluGated;

    public PositionKind Position { get; init; } = PositionKind.Rotary;

    public double RopeTheta { get; init; } = 10000;

    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Whether the output head is the input embedding.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether q, k, v, o and the MLP have biases (gpt2 has, llama has not).</summary>
    public bool Biases { get; init; }

    public int? BeginOfSequenceId { get; init; }

    /// <summary>Every id that ends a sequence; a set, because many chat models have two.</summary>
    public IReadOnlyList<int> EndOfSequenceIds { get; init; } = [];

    public int? PadId { get; init; }
}
