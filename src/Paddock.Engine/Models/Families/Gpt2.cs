namespace Paddock.Engine.Models.Families;

/// <summary>
/// GPT-2 (Radford et al. 2019): LayerNorm before each part, learned positions, tanh GELU, biases everywhere. Its Conv1D matrices are
/// stored as [in, out], queries, keys and values already fused.
/// </summary>
internal static class Gpt2
{
    public static readonly ModelFamily Family = new("gpt2", "transformer.", Tensors, Sites, Ignores);

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        ModelConfig config = layout.Config;
        ModelFamily.Require(config, config is { Norm: NormKind.LayerNorm, Activation: ActivationKind.GeluTanh, Position: PositionKind.Learned, Biases: true },
            "LayerNorm, tanh GELU, learned positions and biases");
        List<TensorMap> maps = [new("transformer.wte.weight", layout.Embedding), new("transformer.wpe.weight", layout.Positions!)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"transformer.h.{l}");
            maps.Add(new($"{path}.ln_1.weight", layer.AttentionNorm));
            maps.Add(new($"{path}.ln_1.bias", layer.AttentionNormBias!));
            maps.Add(new($"{path}.attn.c_attn.weight", layer.Qkv, transposed: true));
            maps.Add(new($"{path}.attn.c_attn.bias", layer.QkvBias!));
            maps.Add(new($"{path}.attn.c_proj.weight", layer.Out, transposed: true));
            maps.Add(new($"{path}.attn.c_proj.bias", layer.OutBias!));
            maps.Add(new($"{path}.ln_2.weight", layer.MlpNorm));
            maps.Add(new($"{path}.ln_2.bias", layer.MlpNormBias!));
            maps.Add(new($"{path}.mlp.c_fc.weight", layer.GateUp, transposed: true));
            maps.Add(new($"{path}.mlp.c_fc.bias", layer.GateUpBias!));
            maps.Add(new($"{path}.mlp.c_proj.weight", layer.Down, transposed: true));
            maps.Add(new($"{path}.mlp.c_proj.bias", layer.DownBias!));
        }
        maps.Add(new("transformer.ln_f.weight", layout.FinalNorm));
        maps.Add(new("transformer.ln_f.bias", layout.FinalNormBias!));
        if (layout.OutputHead is { } head)
            maps.Add(new("lm_head.weight", head));
        return maps;
    }

    private static ProjectionSite[] Sites(ParameterLayout layout, int l)
    {
        (LayerParameters layer, string path) = (layout.Layers[l], $"transformer.h.{l}");
        return
        [
            new($"{path}.attn.c_attn", layer.Qkv, 0, layer.Qkv.Rows, ["q", "k", "v"]),
            new($"{path}.attn.c_proj", layer.Out, 0, layer.Out.Rows, ["o"]),
            new($"{path}.mlp.c_fc", layer.GateUp, 0, layer.GateUp.Rows, ["up"]),
            new($"{path}.mlp.c_proj", layer.Down, 0, layer.Down.Rows, ["down"]),
        ];
    }

    // constant buffers of the causal mask
    private static bool Ignores(string name) => name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal);
}
