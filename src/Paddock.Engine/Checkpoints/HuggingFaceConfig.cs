using System.Text.Json;
using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Reads <c>config.json</c> of a Hugging Face folder, in the key style of transformers 5 (<c>rope_parameters</c>) and in the older one
/// (<c>rope_theta</c>, <c>rope_scaling</c>). A setting that would change the arithmetic and is not implemented is an error, never ignored.
/// </summary>
public static class HuggingFaceConfig
{
    /// <param name="path">A model folder or its <c>config.json</c>. A <c>generation_config.json</c> beside it adds its end-of-sequence ids.</param>
    /// <exception cref="BadInputException">The file is missing or damaged, or the model is not supported.</exception>
    public static ModelConfig Read(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        string generation = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "generation_config.json");
        ModelConfig config = JsonInput.ReadFile(file, root => FromJson(new(root, file)));
        if (File.Exists(generation))
            config = JsonInput.ReadFile(generation, root => WithTokens(config, new(root, generation)));
        return ModelConfigCheck.Validated(config, file);
    }

    internal static ModelConfig FromJson(JsonKeys json)
    {
        if (json.Has("quantization_config"))
            throw new BadInputException($"{json.Place}: the weights are quantised (quantization_config); use the original checkpoint or a GGUF file");
        string? family = json.Text("model_type");
        ModelConfig config = family switch
        {
            "llama" => Llama(json),
            "gpt2" => Gpt2(json),
            null => throw new BadInputException($"{json.Place}: key 'model_type' is missing; supported are llama and gpt2"),
            _ => throw new BadInputException($"{json.Place}: model_type '{JsonInput.Short(family)}' is not supported; supported are llama and gpt2"),
        };
        return WithTokens(config, json);
    }

    private static ModelConfig Llama(JsonKeys json)
    {
        Require(json, "hidden_act", json.Text("hidden_act") ?? "silu", "silu", "swish");
        RequireFlag(json, "attention_bias", false);
        RequireFlag(json, "mlp_bias", false);
        RequireFlag(json, "rope_interleaved", false);
        int hidden = json.RequiredInt("hidden_size"), heads = json.RequiredInt("num_attention_heads");
        int? headSize = json.Int("head_dim");
        if (headSize is null && (heads <= 0 || hidden % heads != 0))
            throw new BadInputException($"{json.Place}: hidden_size {hidden} is not a multiple of num_attention_heads {heads}, and head_dim is missing");
        (double theta, RopeScaling? scaling) = Rope(json);
        return new()
        {
            Family = "llama",
            VocabularySize = json.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            LayerCount = json.RequiredInt("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = json.Int("num_key_value_heads") ?? heads,
            HeadSize = headSize ?? hidden / heads,
            FeedForwardSize = json.RequiredInt("intermediate_size"),
            MaxPositions = json.Int("max_position_embeddings") ?? 2048,
            NormEpsilon = (float)(json.Number("rms_norm_eps") ?? 1e-6),
            RopeTheta = theta,
            RopeScaling = scaling,
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? false,
        };
    }

    private static ModelConfig Gpt2(JsonKeys json)
    {
        // the three names are one function: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
        Require(json, "activation_function", json.Text("activation_function") ?? "gelu_new", "gelu_new", "gelu_pytorch_tanh", "gelu_fast");
        RequireFlag(json, "scale_attn_weights", true);
        RequireFlag(json, "scale_attn_by_inverse_layer_idx", false);
        RequireFlag(json, "add_cross_attention", false);
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

    private static (double Theta, RopeScaling? Scaling) Rope(JsonKeys json)
    {
        JsonKeys? parameters = json.Object("rope_parameters");
        double theta = parameters?.Number("rope_theta") ?? json.Number("rope_theta") ?? 10000;
        if ((parameters ?? json.Object("rope_scaling")) is not JsonKeys rope)
            return (theta, null);
        string type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        return type switch
        {
            "default" => (theta, null),
            "llama3" => (theta, new(Required("factor"), Required("low_freq_factor"), Required("high_freq_factor"), rope.RequiredInt("original_max_position_embeddings"))),
            _ => throw new BadInputException($"{json.Place}: rotary scaling '{JsonInput.Short(type)}' is not supported; supported are default and llama3"),
        };

        double Required(string key) => rope.Number(key) ?? throw new BadInputException($"{json.Place}: key '{rope.Path}{key}' is missing");
    }

    /// <summary>Adds the special ids of one file to what is known; a set of end ids, and -1 (old files) means none.</summary>
    private static ModelConfig WithTokens(ModelConfig config, JsonKeys json)
    {
        List<int> ends = [.. config.EndOfSequenceIds];
        foreach (int id in json.Ints("eos_token_id"))
            if (id != -1 && !ends.Contains(id))
                ends.Add(id);
        return config with
        {
            BeginOfSequenceId = config.BeginOfSequenceId ?? Id("bos_token_id"),
            PadId = config.PadId ?? Id("pad_token_id"),
            EndOfSequenceIds = ends,
        };

        int? Id(string key) => json.Int(key) is int id && id != -1 ? id : null;
    }

    private static void Require(JsonKeys json, string key, string value, params ReadOnlySpan<string> supported)
    {
        if (!supported.Contains(value))
            throw new BadInputException($"{json.Place}: {key} '{JsonInput.Short(value)}' is not supported for this family; supported is {supported[0]}");
    }

    private static void RequireFlag(JsonKeys json, string key, bool supported)
    {
        if (json.Flag(key) is bool value && value != supported)
            throw new BadInputException($"{json.Place}: {key} {(value ? "true" : "false")} is not supported for this family");
    }
}
