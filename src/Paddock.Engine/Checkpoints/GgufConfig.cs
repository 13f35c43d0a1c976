using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Reads the architecture from a GGUF file's metadata (<see cref="GgufArchitecture"/>). A setting that would change the arithmetic and is not
/// implemented is an error, never ignored.
/// </summary>
public static class GgufConfig
{
    /// <exception cref="BadInputException">A key is missing or wrong, or the model is not supported.</exception>
    public static ModelConfig Read(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        GgufArchitecture architecture = Architecture(file);
        string prefix = architecture.Name + ".";
        int hidden = Required("embedding_length"), heads = Required("attention.head_count");
        if (heads <= 0 || hidden <= 0)
            throw Bad($"{prefix}embedding_length {hidden} and {prefix}attention.head_count {heads} must be positive");
        int headSize = Int("attention.key_length") ?? hidden / heads;
        int context = Required("context_length");
        RequireEqual("attention.value_length", headSize);
        if (!architecture.PartialRope)
            RequireEqual("rope.dimension_count", headSize);
        RequireEqual("expert_count", 0);
        if (!architecture.Windows && Int("attention.sliding_window") is int window && window > 0 && window < context)
            throw Bad($"a sliding window of {window} is not supported");
        TensorInfo embedding = file.Tensors.TryGetValue("token_embd.weight", out TensorInfo? found) && found.Shape.Count == 2
            ? found
            : throw Bad("there is no two-dimensional tensor 'token_embd.weight'");
        int vocabulary = Int("vocab_size") ?? embedding.Shape[0];
        if (vocabulary != embedding.Shape[0])
            throw Bad($"{prefix}vocab_size is {vocabulary} but token_embd.weight has {embedding.Shape[0]} rows");
        ModelConfig config = new()
        {
            Family = architecture.Family,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            LayerCount = Required("block_count"),
            HeadCount = heads,
            KeyValueHeadCount = Int("attention.head_count_kv") ?? heads,
            HeadSize = headSize,
            FeedForwardSize = Required("feed_forward_length"),
            MaxPositions = context,
            NormEpsilon = (float)(metadata.Number(prefix + "attention.layer_norm_rms_epsilon") ?? throw Bad($"the metadata key '{prefix}attention.layer_norm_rms_epsilon' is missing")),
            RopeTheta = metadata.Number(prefix + "rope.freq_base") ?? 10000,
            TiedEmbeddings = !file.Tensors.ContainsKey("output.weight"),
            BeginOfSequenceId = metadata.Int("tokenizer.ggml.bos_token_id"),
            EndOfSequenceIds = EndIds(metadata),
            PadId = metadata.Int("tokenizer.ggml.padding_token_id"),
        };
        config = ModelConfigCheck.Validated(config, file.Place);
        config = architecture.Features(metadata, config) with { RopeFactor = LinearFactor(metadata, architecture, file.Place) };
        config = ModelConfigCheck.Validated(config, file.Place);
        return config with { RopeScaling = GgufRope.Scaling(file, config) };

        int Required(string key) => metadata.RequiredInt(prefix + key);

        int? Int(string key) => metadata.Int(prefix + key);

        void RequireEqual(string key, int supported)
        {
            if (Int(key) is int value && value != supported)
                throw Bad($"{prefix}{key} {value} is not supported; it must be {supported} here");
        }

        BadInputException Bad(string fault) => new($"{file.Place}: {fault}");
    }

    /// <exception cref="BadInputException">It is not supported.</exception>
    internal static GgufArchitecture Architecture(GgufFile file)
    {
        string? name = file.Metadata.Text("general.architecture");
        return GgufArchitecture.Find(name) ?? throw new BadInputException($"{file.Place}: the architecture '{JsonInput.Short(name ?? "")}' is not supported in GGUF files; supported are {GgufArchitecture.Known}");
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
    private static double LinearFactor(GgufMetadata metadata, GgufArchitecture architecture, string place)
    {
        string type = metadata.Text(architecture.Name + ".rope.scaling.type") ?? "linear";
        double factor = metadata.Number(architecture.Name + ".rope.scaling.factor") ?? metadata.Number(architecture.Name + ".rope.scale_linear") ?? 1;
        if (type == "none" || (type == "linear" && factor is (0 or 1)))
            return 1;
        return type == "linear" && architecture.LinearRope ? factor : throw new BadInputException($"{place}: rotary scaling '{JsonInput.Short(type)}' by {factor} is not supported in GGUF files; use the Hugging Face folder");
    }
}
