namespace Paddock.Engine.Models.Families;

/// <summary>OLMo 2 (OLMo Team 2025, arXiv 2501.00656): Llama with norms after each part in place of before, and of all queries and all keys at once.</summary>
internal static class Olmo2
{
    public static readonly ModelFamily Family = new("olmo2", "Olmo2")
    {
        Features = "norms after each part, norms of all queries and of all keys, gated SiLU, rotary positions and no biases",
        Has = config => config is { Block: BlockKind.After, QueryKeyNorm: QueryKeyNormKind.AllHeads }
            && LlamaShape.Is(config, c => c with { Block = BlockKind.Before, QueryKeyNorm = QueryKeyNormKind.None }),
        Read = json => LlamaShape.Read(json, "olmo2", epsilon: 1e-5) with { Block = BlockKind.After, QueryKeyNorm = QueryKeyNormKind.AllHeads },
        Write = LlamaShape.Write,
    };
}
