using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>
/// GPT-2 (Radford et al. 2019): LayerNorm before each part, learned positions, tanh GELU, biases everywhere. Its Conv1D matrices are
/// stored as [in, out], queries, keys and values already fused.
/// </summary>
internal static class Gpt2
{
    public static readonly ModelFamily Family = new("gpt2", "GPT2")
    {
        Features = "LayerNorm, tanh GELU, learned positions and biases",
        Has = config => config is { Norm: NormKind.LayerNorm, Activation: ActivationKind.GeluTanh, Position: PositionKind.Learned, PositionOffset: 0, Biases: true }
            && config is { Block: BlockKind.Before, QueryKeyNorm: QueryKeyNormKind.None, Experts: null },
        Read = Read,
        Write = Write,
        Tensors = Tensors,
        Sites = Sites,
        Ignores = Ignores,
        Prefix = "transformer.",
        TokenClass = "LMHeadModel",
    };

    private static ModelConfig Read(JsonKeys json)
    {
        // the three names are one function: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
        json.RequireText("activation_function", "gelu_new", "gelu_new", "gelu_pytorch_tanh", "gelu_fast");
        json.RequireFlag("scale_attn_weights", true);
        json.RequireFlag("scale_attn_by_inverse_layer_idx", false);
        json.RequireFlag("add_cross_attention", false);
        int hidden = json.RequiredInt("n_embd"), heads = json.RequiredInt("n_head");
        if (hidden <= 0 || hidden > int.MaxValue / 4 || heads <= 0 || hidden % heads != 0)
            throw new BadInputException($"{json.Place}: n_embd {hidden} must be a positive multiple of n_head {heads}");
        return new()
        {
            Family = "gpt2",
            VocabularySize = json.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            LayerCount = json.RequiredInt("n_layer"),
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadSize = hidden / heads,
            FeedForwardSize = json.Int("n_inner") ?? 4 * hidden,
            MaxPositions = json.Int("n_positions") ?? json.Int("n_ctx") ?? 1024,
            Norm = NormKind.LayerNorm,
            NormEpsilon = (float)(json.Number("layer_norm_epsilon") ?? 1e-5),
            Activation = ActivationKind.GeluTanh,
            Position = PositionKind.Learned,
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? true,
            Biases = true,
        };
    }

    private static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteString("activation_function", "gelu_new");
        writer.WriteNumber("initializer_range", 0.02);
        writer.WriteNumber("layer_norm_epsilon", config.NormEpsilon);
        writer.WriteNumber("n_ctx", config.MaxPositions);
        writer.WriteNumber("n_embd", config.HiddenSize);
        writer.WriteNumber("n_head", config.HeadCount);
        writer.WriteNumber("n_inner", config.FeedForwardSize);
        writer.WriteNumber("n_layer", config.LayerCount);
        writer.WriteNumber("n_positions", config.MaxPositions);
        writer.WriteBoolean("scale_attn_weights", true);
    }

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        List<TensorMap> maps = [new("transformer.wte.weight", layout.Embedding), new("transformer.wpe.weight", layout.Positions!)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"transformer.h.{l}");
            maps.Add(new($"{path}.ln_1.weight", layer.AttentionNorm!));
            maps.Add(new($"{path}.ln_1.bias", layer.AttentionNormBias!));
            maps.Add(new($"{path}.attn.c_attn.weight", layer.Qkv, transposed: true));
            maps.Add(new($"{path}.attn.c_attn.bias", layer.QkvBias!));
            maps.Add(new($"{path}.attn.c_proj.weight", layer.Out, transposed: true));
            maps.Add(new($"{path}.attn.c_proj.bias", layer.OutBias!));
            maps.Add(new($"{path}.ln_2.weight", layer.MlpNorm!));
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
