namespace Paddock.Engine.Models.Families;

/// <summary>Mistral (Jiang et al. 2023, arXiv 2310.06825): Llama with a sliding window in every layer.</summary>
internal static class Mistral
{
    private const int DefaultWindow = 4096;

    public static readonly ModelFamily Family = new("mistral", "Mistral")
    {
        Features = "Llama's features and one window in all layers or none",
        Has = config => LlamaShape.Is(config, c => c with { SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json =>
        {
            ModelConfig config = LlamaShape.Read(json, "mistral", maxPositions: 131072);
            // null is no window, but a missing key is the default one
            int window = json.Int("sliding_window") ?? (json.HasNull("sliding_window") ? 0 : DefaultWindow);
            return config with { SlidingWindow = window, SlidingLayers = LlamaShape.SlidingLayers(json, config.LayerCount, _ => window > 0) };
        },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            LlamaShape.WriteWindow(writer, config);
        },
    };
}
