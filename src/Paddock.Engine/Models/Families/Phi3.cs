namespace Paddock.Engine.Models.Families;

/// <summary>Phi-3 (Abdin et al. 2024, arXiv 2404.14219) and Phi-4-mini: Llama with fused matrices, a window or none, and perhaps only a part of each head rotated.</summary>
internal static class Phi3
{
    public static readonly ModelFamily Family = new("phi3", "Phi3")
    {
        Features = "Llama's features, one window in all layers or none, and leading channels of each head rotated",
        Has = config => LlamaShape.Is(config, c => c with { SlidingWindow = 0, SlidingLayers = LayerSet.None, RotarySize = 0 }),
        Read = json =>
        {
            ModelConfig config = LlamaShape.Read(json, "phi3", epsilon: 1e-5, maxPositions: 4096);
            int window = json.Int("sliding_window") ?? 0, rotated = (int)(config.HeadSize * RotaryKeys.Read(json).Partial);
            return config with
            {
                RotarySize = rotated == config.HeadSize ? 0 : rotated,
                SlidingWindow = window,
                SlidingLayers = LlamaShape.SlidingLayers(json, config.LayerCount, _ => window > 0),
            };
        },
        Write = (writer, config) =>
        {
            LlamaShape.Write(writer, config);
            LlamaShape.WriteWindow(writer, config);
            writer.WriteNumber("original_max_position_embeddings", config.MaxPositions);
            writer.WriteNumber("partial_rotary_factor", (double)config.EffectiveRotarySize / config.HeadSize);
        },
        Tensors = Tensors,
        Sites = Sites,
    };

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        List<TensorMap> maps = [new("model.embed_tokens.weight", layout.Embedding)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"model.layers.{l}");
            maps.Add(new($"{path}.input_layernorm.weight", layer.AttentionNorm!));
            maps.Add(new($"{path}.self_attn.qkv_proj.weight", layer.Qkv));
            maps.Add(new($"{path}.self_attn.o_proj.weight", layer.Out));
            maps.Add(new($"{path}.post_attention_layernorm.weight", layer.MlpNorm!));
            maps.Add(new($"{path}.mlp.gate_up_proj.weight", layer.GateUp));
            maps.Add(new($"{path}.mlp.down_proj.weight", layer.Down));
        }
        maps.Add(new("model.norm.weight", layout.FinalNorm));
        if (layout.OutputHead is { } head)
            maps.Add(new("lm_head.weight", head));
        return maps;
    }

    private static ProjectionSite[] Sites(ParameterLayout layout, int l)
    {
        (LayerParameters layer, string path) = (layout.Layers[l], $"model.layers.{l}");
        return
        [
            new($"{path}.self_attn.qkv_proj", layer.Qkv, 0, layer.Qkv.Rows, ["q", "k", "v"]),
            new($"{path}.self_attn.o_proj", layer.Out, 0, layer.Out.Rows, ["o"]),
            new($"{path}.mlp.gate_up_proj", layer.GateUp, 0, layer.GateUp.Rows, ["gate", "up"]),
            new($"{path}.mlp.down_proj", layer.Down, 0, layer.Down.Rows, ["down"]),
        ];
    }
}
