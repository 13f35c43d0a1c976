using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>Qwen3-MoE (Yang et al. 2025, arXiv 2505.09388): Qwen3 with a mixture of experts in all layers but those listed.</summary>
internal static class Qwen3Moe
{
    public static readonly ModelFamily Family = new("qwen3_moe", "Qwen3Moe")
    {
        Features = "Qwen3's features and experts",
        Has = config => config is { QueryKeyNorm: QueryKeyNormKind.EachHead, Experts: not null }
            && LlamaShape.Is(config, c => c with { QueryKeyNorm = QueryKeyNormKind.None, Experts = null, SlidingWindow = 0, SlidingLayers = LayerSet.None }),
        Read = json =>
        {
            ModelConfig config = LlamaShape.Read(json, "qwen3_moe", maxPositions: 32768);
            return QwenWindow.Read(json, config) with
            {
                QueryKeyNorm = QueryKeyNormKind.EachHead,
                Experts = new(json.Int("num_experts") ?? json.Int("num_local_experts") ?? 128, json.Int("num_experts_per_tok") ?? 8, json.Int("moe_intermediate_size") ?? 768,
                    json.Flag("norm_topk_prob") ?? false, DenseLayers(json, config.LayerCount)),
            };
        },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            QwenWindow.Write(writer, config);
            writer.WriteNumber("decoder_sparse_step", 1);
            writer.WriteStartArray("mlp_only_layers");
            for (int l = 0; l < config.LayerCount; l++)
                if (!config.HasExperts(l))
                    writer.WriteNumberValue(l);
            writer.WriteEndArray();
            writer.WriteNumber("moe_intermediate_size", config.Experts!.FeedForwardSize);
            writer.WriteBoolean("norm_topk_prob", config.Experts.Renormalise);
            writer.WriteNumber("num_experts", config.Experts.Count);
            writer.WriteNumber("num_experts_per_tok", config.Experts.PerToken);
        },
    };

    private static LayerSet DenseLayers(JsonKeys json, int layers)
    {
        List<int> listed = json.Ints("mlp_only_layers");
        int step = json.Int("decoder_sparse_step") ?? 1;
        if (step <= 0)
            throw new BadInputException($"{json.Place}: decoder_sparse_step must be positive, not {step}");
        return LayerSet.Where(Math.Clamp(layers, 0, ModelConfigCheck.MaxLayers), l => listed.Contains(l) || (l + 1) % step != 0);
    }
}
