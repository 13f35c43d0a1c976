namespace Paddock.Engine.Models.Families;

/// <summary>Qwen2 (Yang et al. 2024, arXiv 2407.10671): Llama with biases on queries, keys and values, and perhaps a window in the upper layers.</summary>
internal static class Qwen2
{
    public static readonly ModelFamily Family = new("qwen2", "Qwen2")
    {
        Features = "Llama's features, biases on queries, keys and values, and a window in some layers or none",
        Has = config => config.QueryKeyValueBiases && LlamaShape.Is(config, c => c with { QueryKeyValueBiases = false, SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json => QwenWindow.Read(json, LlamaShape.Read(json, "qwen2", maxPositions: 32768)) with { QueryKeyValueBiases = true },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            QwenWindow.Write(writer, config);
        },
    };
}
