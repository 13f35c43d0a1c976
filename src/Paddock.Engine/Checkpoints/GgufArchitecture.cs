using System.Globalization;
using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>What an architecture of GGUF files is as a family: its features, and how its tensors differ from Hugging Face's (llama.cpp, gguf-py and convert_hf_to_gguf.py).</summary>
/// <param name="Name"><c>general.architecture</c>, the first part of its metadata keys.</param>
/// <param name="Family">As in <see cref="ModelConfig.Family"/>.</param>
internal sealed record GgufArchitecture(string Name, string Family)
{
    private const int GemmaPattern = 6;

    private static readonly GgufArchitecture[] All =
    [
        new("llama", "llama") { HasTurnedHeads = true },
        new("qwen2", "qwen2") { Features = (_, config) => config with { QueryKeyValueBiases = true } },
        new("qwen3", "qwen3") { Features = (_, config) => config with { QueryKeyNorm = QueryKeyNormKind.EachHead } },
        new("gemma2", "gemma2") { HasNormsWithOne = true, Windows = true, Features = Gemma2 },
        new("gemma3", "gemma3_text") { HasNormsWithOne = true, Windows = true, LinearRope = true, Features = Gemma3 },
        new("phi3", "phi3") { Windows = true, PartialRope = true, Features = Phi3 },
        new("olmo2", "olmo2") { Features = (_, config) => config with { Block = BlockKind.After, QueryKeyNorm = QueryKeyNormKind.AllHeads } },
        new("smollm3", "smollm3") { HasTurnedHeads = true, Features = (_, config) => config with { UnrotatedLayers = LayerSet.Where(Bounded(config), l => (l + 1) % 4 == 0) } },
    ];

    /// <summary>Names of the architectures, for messages.</summary>
    public static string Known { get; } = string.Join(", ", Array.ConvertAll(All, a => a.Name));

    /// <summary>Adds the family's features to the sizes.</summary>
    public Func<GgufMetadata, ModelConfig, ModelConfig> Features { get; init; } = (_, config) => config;

    /// <summary>Whether the rows of queries and keys are interleaved, because llama.cpp rotates neighbouring channels of this architecture.</summary>
    public bool HasTurnedHeads { get; init; }

    /// <summary>Whether the file's norms are 1 + weight.</summary>
    public bool HasNormsWithOne { get; init; }

    /// <summary>Whether a sliding window, a linear scaling and a partial rotation are read; elsewhere they are errors.</summary>
    public bool Windows { get; init; }

    public bool LinearRope { get; init; }

    public bool PartialRope { get; init; }

    /// <summary>Null for a name that is not known.</summary>
    public static GgufArchitecture? Find(string? name) => Array.Find(All, architecture => architecture.Name == name);

    /// <summary>The Hugging Face name of a tensor; null for one that the architecture does not have.</summary>
    public string? HuggingFaceName(string name)
    {
        switch (name)
        {
            case "token_embd.weight":
                return "model.embed_tokens.weight";
            case "output_norm.weight":
                return "model.norm.weight";
            case "output.weight":
                return "lm_head.weight";
        }
        if (name.Split('.') is not ["blk", string layer, string part, string kind] || kind is not ("weight" or "bias")
            || !uint.TryParse(layer, NumberStyles.None, CultureInfo.InvariantCulture, out uint index) || index.ToString(CultureInfo.InvariantCulture) != layer)
            return null;
        if (kind == "bias" && Family != "qwen2")
            return null;
        bool isGemma = HasNormsWithOne;
        string? place = part switch
        {
            "attn_norm" => "input_layernorm",
            "attn_q" => "self_attn.q_proj",
            "attn_k" => "self_attn.k_proj",
            "attn_v" => "self_attn.v_proj",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            "attn_qkv" => "self_attn.qkv_proj",
            "attn_output" => "self_attn.o_proj",
            "post_attention_norm" => "post_attention_layernorm",
            "ffn_norm" => isGemma ? "pre_feedforward_layernorm" : "post_attention_layernorm",
            "post_ffw_norm" => "post_feedforward_layernorm",
            "ffn_gate" => "mlp.gate_proj",
            "ffn_up" => Name == "phi3" ? "mlp.gate_up_proj" : "mlp.up_proj",
            "ffn_down" => "mlp.down_proj",
            _ => null,
        };
        return place is null ? null : $"model.layers.{layer}.{place}.{kind}";
    }

    private static ModelConfig Gemma2(GgufMetadata metadata, ModelConfig config) => Gemma(metadata, config, "gemma2", published27: 46) with
    {
        ScoreCap = metadata.Number("gemma2.attn_logit_softcapping") ?? 50,
        LogitCap = metadata.Number("gemma2.final_logit_softcapping") ?? 30,
        SlidingLayers = LayerSet.Where(Bounded(config), l => l % 2 == 0),
    };

    private static ModelConfig Gemma3(GgufMetadata metadata, ModelConfig config)
    {
        int pattern = metadata.Int("gemma3.attention.sliding_window_pattern") ?? GemmaPattern;
        return Gemma(metadata, config, "gemma3", published27: 62) with
        {
            QueryKeyNorm = QueryKeyNormKind.EachHead,
            SlidingRopeTheta = metadata.Number("gemma3.rope.freq_base_swa") ?? 10000,
            LogitCap = metadata.Number("gemma3.final_logit_softcapping") ?? 0,
            SlidingLayers = LayerSet.Where(Bounded(config), l => pattern > 0 && (l + 1) % pattern != 0),
        };
    }

    // The file has no scale of the scores: llama.cpp takes D^-0.5, and (C / H)^-0.5 for the one published size that differs, told by its layers.
    private static ModelConfig Gemma(GgufMetadata metadata, ModelConfig config, string name, int published27) => config with
    {
        Block = BlockKind.Around,
        NormsAddOne = true,
        Activation = ActivationKind.GeluTanhGated,
        EmbeddingScale = (float)Math.Sqrt(config.HiddenSize),
        ScoreScale = metadata.Number(name + ".attention.scale") ?? 1 / Math.Sqrt(config.LayerCount == published27 ? (double)config.HiddenSize / config.HeadCount : config.HeadSize),
        SlidingWindow = metadata.RequiredInt(name + ".attention.sliding_window"),
    };

    private static ModelConfig Phi3(GgufMetadata metadata, ModelConfig config)
    {
        int window = metadata.Int("phi3.attention.sliding_window") ?? 0, rotated = metadata.Int("phi3.rope.dimension_count") ?? config.HeadSize;
        return config with
        {
            RotarySize = rotated == config.HeadSize ? 0 : rotated,
            SlidingWindow = window,
            SlidingLayers = LayerSet.Where(Bounded(config), _ => window > 0),
        };
    }

    private static int Bounded(ModelConfig config) => Math.Clamp(config.LayerCount, 0, ModelConfigCheck.MaxLayers);
}
