namespace Paddock.Engine.Models.Families;

/// <summary>
/// Gemma 2 (Gemma Team 2024, arXiv 2408.00118): norms around each part that multiply by 1 + weight, gated tanh GELU, scaled embeddings, capped
/// scores and logits, a window in every other layer.
/// </summary>
internal static class Gemma2
{
    public static readonly ModelFamily Family = new("gemma2", "Gemma2")
    {
        Features = "norms of 1 + weight around each part, gated tanh GELU, rotary positions and embeddings scaled by the root of their width",
        Has = config => GemmaShape.Is(config, c => c with { ScoreCap = 0, LogitCap = 0 }),
        Read = json =>
        {
            ModelConfig config = GemmaShape.Read(json, "gemma2", maxPositions: 8192, theta: 10000);
            return config with
            {
                ScoreCap = json.Number("attn_logit_softcapping") ?? (json.HasNull("attn_logit_softcapping") ? 0 : 50),
                LogitCap = json.Number("final_logit_softcapping") ?? (json.HasNull("final_logit_softcapping") ? 0 : 30),
                SlidingLayers = LlamaShape.SlidingLayers(json, config.LayerCount, l => l % 2 == 0),
            };
        },
        Write = (writer, config) =>
        {
            GemmaShape.Write(writer, config);
            GemmaShape.WriteCap(writer, "attn_logit_softcapping", config.ScoreCap);
            GemmaShape.WriteCap(writer, "final_logit_softcapping", config.LogitCap);
        },
    };
}
