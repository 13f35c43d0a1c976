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

    public static ModelConfig Of(string family, bool tied) => family == "llama" ? Llama(tied) : Gpt2(tied);
}
