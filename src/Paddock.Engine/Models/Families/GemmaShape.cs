using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>What Gemma 2 and 3 share.</summary>
internal static class GemmaShape
{
    public static bool Is(ModelConfig config, Func<ModelConfig, ModelConfig> allowed) =>
        config is { Block: BlockKind.Around, NormsAddOne: true, Activation: ActivationKind.GeluTanhGated } && config.EmbeddingScale == (float)Math.Sqrt(config.HiddenSize)
        && LlamaShape.Is(config, c => allowed(c) with
        {
            Block = BlockKind.Before,
            NormsAddOne = false,
            Activation = ActivationKind.SiluGated,
            EmbeddingScale = 1,
            ScoreScale = 0,
            SlidingWindow = 0,
            SlidingLayers = LayerSet.None,
        });

    public static ModelConfig Read(JsonKeys json, string family, int maxPositions, double theta)
    {
        json.RequireFlag("use_bidirectional_attention", false);
        ModelConfig config = LlamaShape.Read(json, family, headSize: 256, maxPositions: maxPositions, theta: theta, tied: true,
            activationKey: "hidden_activation", activation: "gelu_pytorch_tanh");
        double scalar = json.Number("query_pre_attn_scalar") ?? 256;
        return config with
        {
            Block = BlockKind.Around,
            NormsAddOne = true,
            Activation = ActivationKind.GeluTanhGated,
            EmbeddingScale = (float)Math.Sqrt(config.HiddenSize),
            ScoreScale = scalar > 0 ? 1 / Math.Sqrt(scalar) : throw new BadInputException($"{json.Place}: query_pre_attn_scalar must be positive, not {scalar}"),
            SlidingWindow = json.Int("sliding_window") ?? 4096,
        };
    }

    public static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        LlamaShape.Write(writer, config);
        writer.WriteString("hidden_activation", "gelu_pytorch_tanh");
        // the file holds the scalar, the config 1 / sqrt of it: rounded back where it was a whole number, as it is in published models
        double scalar = 1 / (config.EffectiveScoreScale * config.EffectiveScoreScale), whole = Math.Round(scalar);
        writer.WriteNumber("query_pre_attn_scalar", Math.Abs(scalar - whole) < 1e-9 * scalar ? whole : scalar);
        LlamaShape.WriteWindow(writer, config, layerTypes: true);
    }

    public static void WriteCap(Utf8JsonWriter writer, string key, double cap)
    {
        if (cap > 0)
            writer.WriteNumber(key, cap);
        else
            writer.WriteNull(key);
    }
}
