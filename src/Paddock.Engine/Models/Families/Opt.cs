using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>OPT (Zhang et al. 2022, arXiv 2205.01068): LayerNorm before each part, learned positions that begin at row 2 of their table, ReLU, biases everywhere.</summary>
internal static class Opt
{
    private const int Offset = 2;

    public static readonly ModelFamily Family = new("opt", "OPT")
    {
        Features = "LayerNorm before each part, ReLU, learned positions that begin at row 2, and biases",
        Has = config => config is { Norm: NormKind.LayerNorm, Activation: ActivationKind.Relu, Position: PositionKind.Learned, PositionOffset: Offset, Biases: true }
            && config is { Block: BlockKind.Before, QueryKeyNorm: QueryKeyNormKind.None, Experts: null } && config.KeyValueHeadCount == config.HeadCount,
        Read = Read,
        Write = Write,
        Tensors = Tensors,
        Sites = Sites,
        Prefix = "model.",
    };

    private static ModelConfig Read(JsonKeys json)
    {
        json.RequireText("activation_function", "relu", "relu");
        json.RequireFlag("do_layer_norm_before", true);
        json.RequireFlag("enable_bias", true);
        json.RequireFlag("layer_norm_elementwise_affine", true);
        json.RequireFlag("_remove_final_layer_norm", false);
        int hidden = json.RequiredInt("hidden_size"), heads = json.RequiredInt("num_attention_heads");
        if (hidden <= 0 || heads <= 0 || hidden % heads != 0)
            throw new BadInputException($"{json.Place}: hidden_size {hidden} must be a positive multiple of num_attention_heads {heads}");
        if (json.Int("word_embed_proj_dim") is int width && width != hidden)
            throw new BadInputException($"{json.Place}: word_embed_proj_dim {width} is not supported; it must be hidden_size, {hidden}");
        return new()
        {
            Family = "opt",
            VocabularySize = json.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            LayerCount = json.RequiredInt("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadSize = hidden / heads,
            FeedForwardSize = json.RequiredInt("ffn_dim"),
            MaxPositions = json.Int("max_position_embeddings") ?? 2048,
            Norm = NormKind.LayerNorm,
            Activation = ActivationKind.Relu,
            Position = PositionKind.Learned,
            PositionOffset = Offset,
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? true,
            Biases = true,
        };
    }

    private static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteBoolean("_remove_final_layer_norm", false);
        writer.WriteString("activation_function", "relu");
        writer.WriteBoolean("do_layer_norm_before", true);
        writer.WriteBoolean("enable_bias", true);
        writer.WriteNumber("ffn_dim", config.FeedForwardSize);
        writer.WriteNumber("hidden_size", config.HiddenSize);
        writer.WriteNumber("init_std", 0.02);
        writer.WriteBoolean("layer_norm_elementwise_affine", true);
        writer.WriteNumber("max_position_embeddings", config.MaxPositions);
        writer.WriteNumber("num_attention_heads", config.HeadCount);
        writer.WriteNumber("num_hidden_layers", config.LayerCount);
        writer.WriteNumber("word_embed_proj_dim", config.HiddenSize);
    }

    private static List<TensorMap> Tensors(ParameterLayout layout)
    {
        int C = layout.Config.HiddenSize;
        List<TensorMap> maps = [new("model.decoder.embed_tokens.weight", layout.Embedding), new("model.decoder.embed_positions.weight", layout.Positions!)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"model.decoder.layers.{l}");
            Both("self_attn_layer_norm", layer.AttentionNorm!, layer.AttentionNormBias!);
            Part("self_attn.q_proj", 0);
            Part("self_attn.k_proj", C);
            Part("self_attn.v_proj", 2 * C);
            Both("self_attn.out_proj", layer.Out, layer.OutBias!);
            Both("final_layer_norm", layer.MlpNorm!, layer.MlpNormBias!);
            Both("fc1", layer.GateUp, layer.GateUpBias!);
            Both("fc2", layer.Down, layer.DownBias!);

            void Both(string name, Parameter weight, Parameter bias)
            {
                maps.Add(new($"{path}.{name}.weight", weight));
                maps.Add(new($"{path}.{name}.bias", bias));
            }

            void Part(string name, int first)
            {
                maps.Add(new($"{path}.{name}.weight", layer.Qkv, first, C, false));
                maps.Add(new($"{path}.{name}.bias", layer.QkvBias!, first, C, false));
            }
        }
        maps.Add(new("model.decoder.final_layer_norm.weight", layout.FinalNorm));
        maps.Add(new("model.decoder.final_layer_norm.bias", layout.FinalNormBias!));
        if (layout.OutputHead is { } head)
            maps.Add(new("lm_head.weight", head));
        return maps;
    }

    private static ProjectionSite[] Sites(ParameterLayout layout, int l)
    {
        (LayerParameters layer, string path, int C) = (layout.Layers[l], $"model.decoder.layers.{l}", layout.Config.HiddenSize);
        return
        [
            new($"{path}.self_attn.q_proj", layer.Qkv, 0, C, ["q"]),
            new($"{path}.self_attn.k_proj", layer.Qkv, C, C, ["k"]),
            new($"{path}.self_attn.v_proj", layer.Qkv, 2 * C, C, ["v"]),
            new($"{path}.self_attn.out_proj", layer.Out, 0, C, ["o"]),
            new($"{path}.fc1", layer.GateUp, 0, layer.GateUp.Rows, ["up"]),
            new($"{path}.fc2", layer.Down, 0, layer.Down.Rows, ["down"]),
        ];
    }
}
