using Paddock.Engine.Models;

namespace Paddock.Engine.Tests.Models;

/// <summary>Smallest configs that still use every feature of a family; sizes are odd on purpose.</summary>
internal static class TinyConfigs
{
    public static ModelConfig Llama(bool tied = false) => new()
    {
        Family = "llama",
        VocabularySize = 37,
        HiddenSize = 20,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadSize = 6,
        FeedForwardSize = 28,
        MaxPositions = 64,
        TiedEmbeddings = tied,
    };

    public static ModelConfig Gpt2(bool tied = true) => new()
    {
        Family = "gpt2",
        VocabularySize = 33,
        HiddenSize = 20,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 4,
        HeadSize = 5,
        FeedForwardSize = 80,
        MaxPositions = 40,
        Norm = NormKind.LayerNorm,
        Activation = ActivationKind.GeluTanh,
        Position = PositionKind.Learned,
        TiedEmbeddings = tied,
        Biases = true,
    };

    /// <summary>Families by name, and variants of them that no golden covers.</summary>
    public static ModelConfig Of(string family, bool tied) => family switch
    {
        "llama" => Llama(tied),
        "gpt2" => Gpt2(tied),
        "mistral" => Llama(tied) with { Family = family, SlidingWindow = 4, SlidingLayers = Layers(0, 1) },
        "qwen2" => Llama(tied) with { Family = family, QueryKeyValueBiases = true, SlidingWindow = 3, SlidingLayers = Layers(1) },
        "qwen3" => Llama(tied) with { Family = family, QueryKeyNorm = QueryKeyNormKind.EachHead },
        "gemma2" => Gemma(tied) with { Family = family, ScoreCap = 1.5, LogitCap = 2 },
        "gemma3_text" => Gemma(tied) with { Family = family, QueryKeyNorm = QueryKeyNormKind.EachHead, SlidingRopeTheta = 100, RopeFactor = 4 },
        "phi3" => Llama(tied) with { Family = family, RotarySize = 4, SlidingWindow = 5, SlidingLayers = Layers(0, 1) },
        "olmo2" => Llama(tied) with { Family = family, Block = BlockKind.After, QueryKeyNorm = QueryKeyNormKind.AllHeads },
        "smollm3" => Llama(tied) with { Family = family, UnrotatedLayers = Layers(1) },
        "gpt_neox" => NeoX(tied) with { Block = BlockKind.Parallel },
        "gpt_neox sequential" => NeoX(tied) with { Activation = ActivationKind.GeluTanh },
        "opt" => Gpt2(tied) with { Family = family, Activation = ActivationKind.Relu, PositionOffset = 2 },
        "mixtral" => Llama(tied) with { Family = family, Experts = new(4, 2, 28, true, LayerSet.None) },
        // a choice among experts is a jump, which finite differences may straddle: with all of them chosen there is none
        "mixtral of all" => Llama(tied) with { Family = "mixtral", Experts = new(4, 4, 28, true, LayerSet.None) },
        "qwen3_moe" => Llama(tied) with { Family = family, QueryKeyNorm = QueryKeyNormKind.EachHead, Experts = new(3, 2, 9, false, Layers(1)) },
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "no such tiny config"),
    };

    private static ModelConfig Gemma(bool tied) => Llama(tied) with
    {
        Block = BlockKind.Around,
        NormsAddOne = true,
        Activation = ActivationKind.GeluTanhGated,
        EmbeddingScale = (float)Math.Sqrt(20),
        ScoreScale = 0.3,
        SlidingWindow = 4,
        SlidingLayers = Layers(0),
    };

    private static ModelConfig NeoX(bool tied) => Gpt2(tied) with
    {
        Family = "gpt_neox",
        HeadSize = 5,
        RotarySize = 2,
        Activation = ActivationKind.Gelu,
        Position = PositionKind.Rotary,
    };

    private static LayerSet Layers(params int[] layers) => LayerSet.Where(2, l => layers.Contains(l));
}
