using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Reads the architecture from a GGUF file's metadata. Only <c>llama</c>; a setting that would change the arithmetic and is not
/// implemented is an error, never ignored.
/// </summary>
public static class GgufConfig
{
    /// <exception cref="BadInputException">A key is missing or wrong, or the model is not supported.</exception>
    public static ModelConfig Read(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        string? family = metadata.Text("general.architecture");
        if (family != "llama")
            throw Bad($"the architecture '{JsonInput.Short(family ?? "")}' is not supported in GGUF files; supported is llama");
        int hidden = Required("embedding_length"), heads = Required("attention.head_count");
        if (heads <= 0 || hidden <= 0)
            throw Bad($"llama.embedding_length {hidden} and llama.attention.head_count {heads} must be positive");
        int headSize = Int("attention.key_length") ?? hidden / heads;
        int context = Required("context_length");
        RequireEqual("attention.value_length", headSize);
        RequireEqual("rope.dimension_count", headSize);
        RequireEqual("expert_count", 0);
        if (Int("attention.sliding_window") is int window && window > 0 && window < context)
            throw Bad($"a sliding window of {window} is not supported");
        TensorInfo embedding = file.Tensors.TryGetValue("token_embd.weight", out TensorInfo? found) && found.Shape.Count == 2
            ? found
            : throw Bad("there is no two-dimensional tensor 'token_embd.weight'");
        int vocabulary = Int("vocab_size") ?? embedding.Shape[0];
        if (vocabulary != embedding.Shape[0])
            throw Bad($"llama.vocab_size is {vocabulary} but token_embd.weight has {embedding.Shape[0]} rows");
        ModelConfig config = new()
        {
            Family = "llama",
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            LayerCount = Required("block_count"),
            HeadCount = heads,
            KeyValueHeadCount = Int("attention.head_count_kv") ?? heads,
            HeadSize = headSize,
            FeedForwardSize = Required("feed_forward_length"),
            MaxPositions = context,
            NormEpsilon = (float)(metadata.Number("llama.attention.layer_norm_rms_epsilon") ?? throw Bad("the metadata key 'llama.attention.layer_norm_rms_epsilon' is missing")),
            RopeTheta = metadata.Number("llama.rope.freq_base") ?? 10000,
            TiedEmbeddings = !file.Tensors.ContainsKey("output.weight"),
            BeginOfSequenceId = metadata.Int("tokenizer.ggml.bos_token_id"),
            EndOfSequenceIds = EndIds(metadata),
            PadId = metadata.Int("tokenizer.ggml.padding_token_id"),
        };
        config = ModelConfigCheck.Validated(config, file.Place);
        RequireNoScaling(metadata, file.Place);
        return config with { RopeScaling = GgufRope.Scaling(file, config) };

        int Required(string key) => metadata.RequiredInt("llama." + key);

        int? Int(string key) => metadata.Int("llama." + key);

        void RequireEqual(string key, int supported)
        {
            if (Int(key) is int value && value != supported)
                throw Bad($"llama.{key} {value} is not supported; it must be {supported} here");
        }

        BadInputException Bad(string fault) => new($"{file.Place}: {fault}");
    }

    private static List<int> EndIds(GgufMetadata metadata)
    {
        List<int> ids = [];
        // end of sequence, of turn and of message: each ends an answer
        foreach (string key in (ReadOnlySpan<string>)["eos", "eot", "eom"])
            if (metadata.Int($"tokenizer.ggml.{key}_token_id") is int id && !ids.Contains(id))
                ids.Add(id);
        return ids;
    }

    /// <summary>As llama.cpp reads the keys: without a type the scaling is linear, and a factor of 0 is not set.</summary>
    private static void RequireNoScaling(GgufMetadata metadata, string place)
    {
        string type = metadata.Text("llama.rope.scaling.type") ?? "linear";
        double factor = metadata.Number("llama.rope.scaling.factor") ?? metadata.Number("llama.rope.scale_linear") ?? 1;
        if (type != "none" && !(type == "linear" && factor is (0 or 1)))
            throw new BadInputException($"{place}: rotary scaling '{JsonInput.Short(type)}' by {factor} is not supported in GGUF files; use the Hugging Face folder");
    }
}
