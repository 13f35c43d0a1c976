namespace Paddock.Engine.Tokenizers;

/// <summary>A tokenizer's pipeline, each part chosen from its JSON by a closed switch.</summary>
/// <param name="Components">The JSON of the parts that have no state of their own, kept to be written again as it was read.</param>
internal sealed record TokenizerParts(TokenModel Model, IReadOnlyList<AddedToken> Added, Normalizer? Normalizer, PreTokenizer PreTokenizer,
    bool AddPrefixSpace, PostProcessor Post, Decoder Decoder, ComponentJson Components);

/// <summary>Raw JSON of the pipeline's parts; null where the file has none.</summary>
internal sealed record ComponentJson(string? Normalizer, string? PreTokenizer, string? PostProcessor, string? Decoder);

/// <summary>Ids that stand around a text encoded with special tokens.</summary>
internal sealed record PostProcessor(int[] Before, int[] After)
{
    public static PostProcessor None { get; } = new([], []);
}
