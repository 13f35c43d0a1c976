namespace Paddock.Engine.Models.Families;

/// <summary>Qwen3 (Yang et al. 2025, arXiv 2505.09388): Llama with an RMSNorm of every query and key head, and perhaps a window in the upper layers.</summary>
internal static class Qwen3
{
    public static readonly ModelFamily Family = new("qwen3", "Qwen3")
    {
        Features = "Llama's features, norms of each query and key head, and a window in some layers or none",
        Has = config => config.QueryKeyNorm == QueryKeyNormKind.EachHead
            && LlamaShape.Is(config, c => c with { QueryKeyNorm = QueryKeyNormKind.None, SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json => QwenWindow.Read(json, LlamaShape.Read(json, "qwen3", headSize: 128, maxPositions: 32768)) with { QueryKeyNorm = QueryKeyNormKind.EachHead },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            QwenWindow.Write(writer, config);
        },
    };
}
