using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>How the Qwen family says which layers have a window: none unless <c>use_sliding_window</c>, then those from <c>max_window_layers</c> on.</summary>
internal static class QwenWindow
{
    public static ModelConfig Read(JsonKeys json, ModelConfig config)
    {
        int window = json.Flag("use_sliding_window") ?? false ? json.Int("sliding_window") ?? 4096 : 0, first = json.Int("max_window_layers") ?? 28;
        LayerSet layers = LlamaShape.SlidingLayers(json, config.LayerCount, l => window > 0 && l >= first);
        return config with { SlidingWindow = layers.Equals(LayerSet.None) ? 0 : window, SlidingLayers = layers };
    }

    public static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteBoolean("use_sliding_window", config.SlidingWindow > 0);
        LlamaShape.WriteWindow(writer, config, layerTypes: true);
    }
}
