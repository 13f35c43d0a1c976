namespace Paddock.Engine.Models.Families;

/// <summary>Mixtral (Jiang et al. 2024, arXiv 2401.04088): Mistral with a mixture of experts in every layer.</summary>
internal static class Mixtral
{
    private static readonly ExpertNames Names = new("block_sparse_moe", "w1", "w3", "w2");

    public static readonly ModelFamily Family = new("mixtral", "Mixtral")
    {
        Features = "Llama's features, experts in every layer whose weights add up to 1, and one window in all layers or none",
        Has = config => config.Experts is { Renormalise: true } experts && experts.DenseLayers.Equals(LayerSet.None) && experts.FeedForwardSize == config.FeedForwardSize
            && LlamaShape.Is(config, c => c with { Experts = null, SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json =>
        {
            ModelConfig config = LlamaShape.Read(json, "mixtral", epsilon: 1e-5, maxPositions: 131072, theta: 1e6);
            int window = json.Int("sliding_window") ?? 0;
            return config with
            {
                Experts = new(json.Int("num_local_experts") ?? 8, json.Int("num_experts_per_tok") ?? 2, config.FeedForwardSize, true, LayerSet.None),
                SlidingWindow = window,
                SlidingLayers = LlamaShape.SlidingLayers(json, config.LayerCount, _ => window > 0),
            };
        },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            LlamaShape.WriteWindow(writer, config);
            writer.WriteNumber("num_experts_per_tok", config.Experts!.PerToken);
            writer.WriteNumber("num_local_experts", config.Experts.Count);
        },
        Tensors = layout => LlamaShape.Tensors(layout, Names),
    };
}
