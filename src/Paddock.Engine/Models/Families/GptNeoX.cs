using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>
/// GPT-NeoX (Black et al. 2022, arXiv 2204.06745) and Pythia: LayerNorm, attention and MLP side by side, exact GELU, biases everywhere, a
/// quarter of each head rotated. Its fused matrix has queries, keys and values of one head after those of another.
/// </summary>
internal static class GptNeoX
{
    public static readonly ModelFamily Family = new("gpt_neox", "GPTNeoX")
    {
        Features = "LayerNorm, GELU, rotary positions, biases and as many key heads as query heads",
        Has = config => config is { Norm: NormKind.LayerNorm, Activation: ActivationKind.Gelu or ActivationKind.GeluTanh, Position: PositionKind.Rotary, Biases: true }
            && config is { Block: BlockKind.Parallel or BlockKind.Before, QueryKeyNorm: QueryKeyNormKind.None, Experts: null } && config.KeyValueHeadCount == config.HeadCount,
        Read = Read,
        Write = Write,
        Tensors = Tensors,
        Sites = Sites,
        Prefix = "gpt_neox.",
        Ignores = name => name.EndsWith(".attention.bias", StringComparison.Ordinal) || name.EndsWith(".attention.masked_bias", StringComparison.Ordinal) || LlamaShape.Ignores(name),
    };

    private static ModelConfig Read(JsonKeys json)
    {
        string activation = json.RequireText("hidden_act", "gelu", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh");
        json.RequireFlag("attention_bias", true);
        int hidden = json.RequiredInt("hidden_size"), heads = json.RequiredInt("num_attention_heads");
        if (hidden <= 0 || heads <= 0 || hidden % heads != 0)
            throw new BadInputException($"{json.Place}: hidden_size {hidden} must be a positive multiple of num_attention_heads {heads}");
        RotaryKeys rope = RotaryKeys.Read(json, json.Number("rotary_emb_base") ?? 10000);
        double share = json.Object("rope_parameters") is { } parameters && parameters.Has("partial_rotary_factor") ? rope.Partial : json.Number("rotary_pct") ?? 0.25;
        if (!(share is > 0 and <= 1))
            throw new BadInputException($"{json.Place}: rotary_pct must be above 0 and at most 1, not {share}");
        int D = hidden / heads, rotated = (int)(D * share);
        return new()
        {
            Family = "gpt_neox",
            VocabularySize = json.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            LayerCount = json.RequiredInt("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadSize = D,
            FeedForwardSize = json.RequiredInt("intermediate_size"),
            MaxPositions = json.Int("max_position_embeddings") ?? 2048,
            Norm = NormKind.LayerNorm,
            NormEpsilon = (float)(json.Number("layer_norm_eps") ?? 1e-5),
            Block = json.Flag("use_parallel_residual") ?? true ? BlockKind.Parallel : BlockKind.Before,
            Activation = activation == "gelu" ? ActivationKind.Gelu : ActivationKind.GeluTanh,
            RopeTheta = rope.Theta,
            RopeFactor = rope.Factor,
            RopeScaling = rope.Scaling,
            RotarySize = rotated == D ? 0 : rotated,
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? false,
            Biases = true,
        };
    }

    private static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteBoolean("attention_bias", true);
        writer.WriteString("hidden_act", config.Activation == ActivationKind.Gelu ? "gelu" : "gelu_new");
        writer.WriteNumber("hidden_size", config.HiddenSize);
        writer.WriteNumber("initializer_range", 0.02);
        writer.WriteNumber("intermediate_size", config.FeedForwardSize);
        writer.WriteNumber("layer_norm_eps", config.NormEpsilon);
        writer.WriteNumber("max_position_embeddings", config.MaxPositions);
        writer.WriteNumber("num_attention_heads", config.HeadCount);
        writer.WriteNumber("num_hidden_layers", config.LayerCount);
        RotaryKeys.Write(writer, config);
        writer.WriteNumber("rotary_emb_base", config.RopeTheta);
        writer.WriteNumber("rotary_pct", (double)config.EffectiveRotarySize / config.HeadSize);
        writer.WriteBoolean("use_parallel_residual", config.Block == BlockKind.Parallel);
    }

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        int[] rows = StoredRows(layout.Config);
        List<TensorMap> maps = [new("gpt_neox.embed_in.weight", layout.Embedding)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"gpt_neox.layers.{l}");
            maps.Add(new($"{path}.input_layernorm.weight", layer.AttentionNorm!));
            maps.Add(new($"{path}.input_layernorm.bias", layer.AttentionNormBias!));
            maps.Add(new($"{path}.attention.query_key_value.weight", layer.Qkv) { StoredRows = rows });
            maps.Add(new($"{path}.attention.query_key_value.bias", layer.QkvBias!) { StoredRows = rows });
            maps.Add(new($"{path}.attention.dense.weight", layer.Out));
            maps.Add(new($"{path}.attention.dense.bias", layer.OutBias!));
            maps.Add(new($"{path}.post_attention_layernorm.weight", layer.MlpNorm!));
            maps.Add(new($"{path}.post_attention_layernorm.bias", layer.MlpNormBias!));
            maps.Add(new($"{path}.mlp.dense_h_to_4h.weight", layer.GateUp));
            maps.Add(new($"{path}.mlp.dense_h_to_4h.bias", layer.GateUpBias!));
            maps.Add(new($"{path}.mlp.dense_4h_to_h.weight", layer.Down));
            maps.Add(new($"{path}.mlp.dense_4h_to_h.bias", layer.DownBias!));
        }
        maps.Add(new("gpt_neox.final_layer_norm.weight", layout.FinalNorm));
        maps.Add(new("gpt_neox.final_layer_norm.bias", layout.FinalNormBias!));
        if (layout.OutputHead is { } head)
            maps.Add(new("embed_out.weight", head));
        return maps;
    }

    private static ProjectionSite[] Sites(ParameterLayout layout, int l)
    {
        (LayerParameters layer, string path) = (layout.Layers[l], $"gpt_neox.layers.{l}");
        return
        [
            new($"{path}.attention.query_key_value", layer.Qkv, 0, layer.Qkv.Rows, ["q", "k", "v"], StoredRows(layout.Config)),
            new($"{path}.attention.dense", layer.Out, 0, layer.Out.Rows, ["o"]),
            new($"{path}.mlp.dense_h_to_4h", layer.GateUp, 0, layer.GateUp.Rows, ["up"]),
            new($"{path}.mlp.dense_4h_to_h", layer.Down, 0, layer.Down.Rows, ["down"]),
        ];
    }

    // here [part][head][channel], in the file [head][part][channel]
    private static int[] StoredRows(ModelConfig config)
    {
        (int H, int D) = (config.HeadCount, config.HeadSize);
        int[] rows = new int[3 * H * D];
        for (int r = 0; r < rows.Length; r++)
            rows[r] = (r / D % H * 3 + r / (H * D)) * D + r % D;
        return rows;
    }
}
