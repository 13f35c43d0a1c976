using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>SmolLM3 (Bakouch et al. 2025): Llama without rotary positions in every fourth layer.</summary>
internal static class SmolLm3
{
    public static readonly ModelFamily Family = new("smollm3", "SmolLM3")
    {
        Features = "Llama's features, some layers without rotary positions, and a window in some layers or none",
        Has = config => LlamaShape.Is(config, c => c with { UnrotatedLayers = LayerSet.None, SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json =>
        {
            ModelConfig config = LlamaShape.Read(json, "smollm3", maxPositions: 32768, theta: 2e6, tied: true);
            LayerSet unrotated = Unrotated(json, config.LayerCount);
            int window = json.Flag("use_sliding_window") ?? false ? json.Int("sliding_window") ?? 0 : 0;
            LayerSet sliding = LlamaShape.SlidingLayers(json, config.LayerCount, l => window > 0 && unrotated.Contains(l));
            return config with { UnrotatedLayers = unrotated, SlidingWindow = sliding.Equals(LayerSet.None) ? 0 : window, SlidingLayers = sliding };
        },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            QwenWindow.Write(writer, config);
            writer.WriteStartArray("no_rope_layers");
            for (int l = 0; l < config.LayerCount; l++)
                writer.WriteNumberValue(config.UnrotatedLayers.Contains(l) ? 0 : 1);
            writer.WriteEndArray();
        },
    };

    // the list says 1 for layers that do rotate
    private static LayerSet Unrotated(JsonKeys json, int layers)
    {
        if (!json.Has("no_rope_layers"))
        {
            int interval = json.Int("no_rope_layer_interval") ?? 4;
            return LayerSet.Where(Math.Clamp(layers, 0, ModelConfigCheck.MaxLayers), l => interval > 0 && (l + 1) % interval == 0);
        }
        List<int> rotated = json.Ints("no_rope_layers");
        if (rotated.Count != layers)
            throw new BadInputException($"{json.Place}: no_rope_layers has {rotated.Count} entries for {layers} layers");
        return LayerSet.Where(layers, l => rotated[l] == 0);
    }
}
