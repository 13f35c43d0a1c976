namespace Paddock.Engine.Models.Families;

/// <summary>
/// Llama (Touvron et al. 2023, arXiv 2302.13971) and the models of its shape: RMSNorm before each part, rotary positions, grouped
/// queries, gated SiLU, no biases.
/// </summary>
internal static class Llama
{
    public static readonly ModelFamily Family = new("llama", "", Tensors, Sites, Ignores);

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        ModelConfig config = layout.Config;
        ModelFamily.Require(config, config is { Norm: NormKind.RmsNorm, Activation: ActivationKind.SiluGated, Position: PositionKind.Rotary, Biases: false },
            "RMSNorm, gated SiLU, rotary positions and no biases");
        (int q, int kv, int F) = (layout.QueryWidth, layout.KeyWidth, config.FeedForwardSize);
        List<TensorMap> maps = [new("model.embed_tokens.weight", layout.Embedding)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"model.layers.{l}");
            maps.Add(new($"{path}.input_layernorm.weight", layer.AttentionNorm));
            maps.Add(new($"{path}.self_attn.q_proj.weight", layer.Qkv, 0, q, false));
            maps.Add(new($"{path}.self_attn.k_proj.weight", layer.Qkv, q, kv, false));
            maps.Add(new($"{path}.self_attn.v_proj.weight", layer.Qkv, q + kv, kv, false));
            maps.Add(new($"{path}.self_attn.o_proj.weight", layer.Out));
            maps.Add(new($"{path}.post_attention_layernorm.weight", layer.MlpNorm));
            maps.Add(new($"{path}.mlp.gate_proj.weight", layer.GateUp, 0, F, false));
            maps.Add(new($"{path}.mlp.up_proj.weight", layer.GateUp, F, F, false));
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
        (int q, int kv, int F) = (layout.QueryWidth, layout.KeyWidth, layout.Config.FeedForwardSize);
        return
        [
            new($"{path}.self_attn.q_proj", layer.Qkv, 0, q, ["q"]),
            new($"{path}.self_attn.k_proj", layer.Qkv, q, kv, ["k"]),
            new($"{path}.self_attn.v_proj", layer.Qkv, q + kv, kv, ["v"]),
            new($"{path}.self_attn.o_proj", layer.Out, 0, layer.Out.Rows, ["o"]),
            new($"{path}.mlp.gate_proj", layer.GateUp, 0, F, ["gate"]),
            new($"{path}.mlp.up_proj", layer.GateUp, F, F, ["up"]),
            new($"{path}.mlp.down_proj", layer.Down, 0, layer.Down.Rows, ["down"]),
        ];
    }

    // older files store the rotary frequencies of every layer
    private static bool Ignores(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
