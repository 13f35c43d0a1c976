using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>
/// What the many families share that write their config and tensors as Llama does. Tensors follow from which parameters a config has, so a
/// family of this shape is its features alone.
/// </summary>
internal static class LlamaShape
{
    /// <summary>Whether a config differs from Llama's features by no more than <paramref name="allowed"/> takes back.</summary>
    public static bool Is(ModelConfig config, Func<ModelConfig, ModelConfig> allowed)
    {
        ModelConfig plain = new()
        {
            Family = config.Family,
            VocabularySize = config.VocabularySize,
            HiddenSize = config.HiddenSize,
            LayerCount = config.LayerCount,
            HeadCount = config.HeadCount,
            KeyValueHeadCount = config.KeyValueHeadCount,
            HeadSize = config.HeadSize,
            FeedForwardSize = config.FeedForwardSize,
            MaxPositions = config.MaxPositions,
            NormEpsilon = config.NormEpsilon,
            RopeTheta = config.RopeTheta,
            RopeFactor = config.RopeFactor,
            RopeScaling = config.RopeScaling,
            TiedEmbeddings = config.TiedEmbeddings,
            BeginOfSequenceId = config.BeginOfSequenceId,
            EndOfSequenceIds = config.EndOfSequenceIds,
            PadId = config.PadId,
        };
        return allowed(config) == plain;
    }

    /// <summary>The keys that all of them have. Defaults are Llama's unless given.</summary>
    public static ModelConfig Read(JsonKeys json, string family, int? headSize = null, double epsilon = 1e-6, int maxPositions = 2048, double theta = 10000, bool tied = false,
        string activationKey = "hidden_act", string activation = "silu")
    {
        json.RequireText(activationKey, activation, activation, activation == "silu" ? "swish" : activation);
        json.RequireFlag("attention_bias", false);
        json.RequireFlag("mlp_bias", false);
        json.RequireFlag("rope_interleaved", false);
        int hidden = json.RequiredInt("hidden_size"), heads = json.RequiredInt("num_attention_heads");
        headSize = json.Int("head_dim") ?? headSize;
        if (headSize is null && (heads <= 0 || hidden % heads != 0))
            throw new BadInputException($"{json.Place}: hidden_size {hidden} is not a multiple of num_attention_heads {heads}, and head_dim is missing");
        RotaryKeys rope = RotaryKeys.Read(json, theta);
        return new()
        {
            Family = family,
            VocabularySize = json.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            LayerCount = json.RequiredInt("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = json.Int("num_key_value_heads") ?? heads,
            HeadSize = headSize ?? hidden / heads,
            FeedForwardSize = json.RequiredInt("intermediate_size"),
            MaxPositions = json.Int("max_position_embeddings") ?? maxPositions,
            NormEpsilon = (float)(json.Number("rms_norm_eps") ?? epsilon),
            RopeTheta = rope.Theta,
            RopeFactor = rope.Factor,
            RopeScaling = rope.Scaling,
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? tied,
        };
    }

    /// <summary>The layers that <c>layer_types</c> calls sliding, or, where that key is missing, those that answer yes.</summary>
    public static LayerSet SlidingLayers(JsonKeys json, int layers, Func<int, bool> otherwise)
    {
        List<string>? types = json.Texts("layer_types");
        if (types == null)
            return LayerSet.Where(Math.Clamp(layers, 0, ModelConfigCheck.MaxLayers), otherwise);
        if (types.Count != layers)
            throw new BadInputException($"{json.Place}: layer_types has {types.Count} entries for {layers} layers");
        foreach (string type in types)
            if (type is not ("full_attention" or "sliding_attention"))
                throw new BadInputException($"{json.Place}: the layer type '{JsonInput.Short(type)}' is not supported; supported are full_attention and sliding_attention");
        return LayerSet.Where(layers, l => types[l] == "sliding_attention");
    }

    public static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        writer.WriteBoolean("attention_bias", false);
        writer.WriteNumber("attention_dropout", 0);
        writer.WriteNumber("head_dim", config.HeadSize);
        writer.WriteString("hidden_act", config.Activation == ActivationKind.SiluGated ? "silu" : "gelu_pytorch_tanh");
        writer.WriteNumber("hidden_size", config.HiddenSize);
        writer.WriteNumber("initializer_range", 0.02);
        writer.WriteNumber("intermediate_size", config.FeedForwardSize);
        writer.WriteNumber("max_position_embeddings", config.MaxPositions);
        writer.WriteBoolean("mlp_bias", false);
        writer.WriteNumber("num_attention_heads", config.HeadCount);
        writer.WriteNumber("num_hidden_layers", config.LayerCount);
        writer.WriteNumber("num_key_value_heads", config.KeyValueHeadCount);
        writer.WriteNumber("rms_norm_eps", config.NormEpsilon);
        RotaryKeys.Write(writer, config);
    }

    /// <summary>The window, and the layers that have it where not all do.</summary>
    public static void WriteWindow(Utf8JsonWriter writer, ModelConfig config, bool layerTypes = false)
    {
        if (config.SlidingWindow > 0)
            writer.WriteNumber("sliding_window", config.SlidingWindow);
        else
            writer.WriteNull("sliding_window");
        if (!layerTypes)
            return;
        writer.WriteStartArray("layer_types");
        for (int l = 0; l < config.LayerCount; l++)
            writer.WriteStringValue(config.SlidingLayers.Contains(l) ? "sliding_attention" : "full_attention");
        writer.WriteEndArray();
    }

    /// <summary>Every tensor, experts named as Qwen3-MoE does.</summary>
    public static IReadOnlyList<TensorMap> Tensors(ParameterLayout layout) => Tensors(layout, ExpertNames.Qwen);

    public static IReadOnlyList<TensorMap> Tensors(ParameterLayout layout, ExpertNames names)
    {
        (int q, int kv) = (layout.QueryWidth, layout.KeyWidth);
        List<TensorMap> maps = [new("model.embed_tokens.weight", layout.Embedding)];
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            (LayerParameters layer, string path) = (layout.Layers[l], $"model.layers.{l}");
            Add($"{path}.input_layernorm.weight", layer.AttentionNorm);
            maps.Add(new($"{path}.self_attn.q_proj.weight", layer.Qkv, 0, q, false));
            maps.Add(new($"{path}.self_attn.k_proj.weight", layer.Qkv, q, kv, false));
            maps.Add(new($"{path}.self_attn.v_proj.weight", layer.Qkv, q + kv, kv, false));
            if (layer.QkvBias is { } bias)
            {
                maps.Add(new($"{path}.self_attn.q_proj.bias", bias, 0, q, false));
                maps.Add(new($"{path}.self_attn.k_proj.bias", bias, q, kv, false));
                maps.Add(new($"{path}.self_attn.v_proj.bias", bias, q + kv, kv, false));
            }
            Add($"{path}.self_attn.q_norm.weight", layer.QueryNorm);
            Add($"{path}.self_attn.k_norm.weight", layer.KeyNorm);
            maps.Add(new($"{path}.self_attn.o_proj.weight", layer.Out));
            Add($"{path}.post_attention_layernorm.weight", layer.AttentionOutNorm);
            Add(layer.AttentionOutNorm == null ? $"{path}.post_attention_layernorm.weight" : $"{path}.pre_feedforward_layernorm.weight", layer.MlpNorm);
            Add($"{path}.post_feedforward_layernorm.weight", layer.MlpOutNorm);
            Add($"{path}.{names.Module}.gate.weight", layer.Router);
            for (int e = 0; e < layer.Mlps.Count; e++)
                AddMlp(maps, layer.Mlps[e], layer.Router == null ? $"{path}.mlp" : $"{path}.{names.Module}.experts.{e}", layer.Router == null ? ExpertNames.Qwen : names);
        }
        maps.Add(new("model.norm.weight", layout.FinalNorm));
        Add("lm_head.weight", layout.OutputHead);
        return maps;

        void Add(string name, Parameter? parameter)
        {
            if (parameter != null)
                maps.Add(new(name, parameter));
        }
    }

    public static IReadOnlyList<ProjectionSite> Sites(ParameterLayout layout, int l)
    {
        (LayerParameters layer, string path) = (layout.Layers[l], $"model.layers.{l}");
        (int q, int kv, int F) = (layout.QueryWidth, layout.KeyWidth, layout.Config.FeedForwardSize);
        List<ProjectionSite> sites =
        [
            new($"{path}.self_attn.q_proj", layer.Qkv, 0, q, ["q"]),
            new($"{path}.self_attn.k_proj", layer.Qkv, q, kv, ["k"]),
            new($"{path}.self_attn.v_proj", layer.Qkv, q + kv, kv, ["v"]),
            new($"{path}.self_attn.o_proj", layer.Out, 0, layer.Out.Rows, ["o"]),
        ];
        // experts have no adapters, as in PEFT, where they are no modules of their own
        if (layer.Router == null)
        {
            sites.Add(new($"{path}.mlp.gate_proj", layer.GateUp, 0, F, ["gate"]));
            sites.Add(new($"{path}.mlp.up_proj", layer.GateUp, F, F, ["up"]));
            sites.Add(new($"{path}.mlp.down_proj", layer.Down, 0, layer.Down.Rows, ["down"]));
        }
        return sites;
    }

    /// <summary>Older files store the rotary frequencies of every layer.</summary>
    public static bool Ignores(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    private static void AddMlp(List<TensorMap> maps, MlpParameters mlp, string path, ExpertNames names)
    {
        int F = mlp.Down.Columns;
        maps.Add(new($"{path}.{names.Gate}.weight", mlp.GateUp, 0, F, false));
        maps.Add(new($"{path}.{names.Up}.weight", mlp.GateUp, F, F, false));
        maps.Add(new($"{path}.{names.Down}.weight", mlp.Down));
    }
}

/// <summary>Names of the tensors of a mixture of experts.</summary>
internal sealed record ExpertNames(string Module, string Gate, string Up, string Down)
{
    public static ExpertNames Qwen { get; } = new("mlp", "gate_proj", "up_proj", "down_proj");
}
