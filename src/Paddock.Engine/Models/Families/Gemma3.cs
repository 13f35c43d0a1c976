namespace Paddock.Engine.Models.Families;

/// <summary>
/// The text model of Gemma 3 (Gemma Team 2025, arXiv 2503.19786): as Gemma 2, with norms of each query and key head in place of caps, and five
/// sliding layers with rotary positions of their own for each full one.
/// </summary>
internal static class Gemma3
{
    public static readonly ModelFamily Family = new("gemma3_text", "Gemma3")
    {
        Features = "Gemma 2's features without a cap of the scores, norms of each query and key head, and rotary positions of their own in the sliding layers",
        Has = config => config.QueryKeyNorm == QueryKeyNormKind.EachHead && GemmaShape.Is(config, c => c with { QueryKeyNorm = QueryKeyNormKind.None, SlidingRopeTheta = 0, LogitCap = 0 }),
        Read = json =>
        {
            ModelConfig config = GemmaShape.Read(json, "gemma3_text", maxPositions: 131072, theta: 1e6);
            RotaryKeys full = RotaryKeys.Read(json, 1e6, "full_attention"), sliding = RotaryKeys.Read(json, json.Number("rope_local_base_freq") ?? 10000, "sliding_attention");
            int pattern = json.Int("sliding_window_pattern") ?? json.Int("_sliding_window_pattern") ?? 6;
            return config with
            {
                QueryKeyNorm = QueryKeyNormKind.EachHead,
                RopeTheta = full.Theta,
                RopeFactor = full.Factor,
                RopeScaling = full.Scaling,
                SlidingRopeTheta = json.Has("rope_parameters") ? sliding.Theta : json.Number("rope_local_base_freq") ?? 10000,
                LogitCap = json.Number("final_logit_softcapping") ?? 0,
                SlidingLayers = LlamaShape.SlidingLayers(json, config.LayerCount, l => pattern > 0 && (l + 1) % pattern != 0),
            };
        },
        Write = (writer, config) =>
        {
            GemmaShape.Write(writer, config);
            writer.WriteNumber("rope_local_base_freq", config.SlidingRopeTheta);
            GemmaShape.WriteCap(writer, "final_logit_softcapping", config.LogitCap);
        },
    };
}
