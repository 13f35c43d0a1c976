namespace Paddock.Engine.Checkpoints;

/// <summary>The vocabulary that a GGUF file carries; a tokenizer is built from it elsewhere.</summary>
/// <param name="Place">The file, for messages.</param>
/// <param name="Model"><c>gpt2</c> (byte-level BPE) or <c>llama</c> (SentencePiece), for instance.</param>
/// <param name="Pre">Name of the rule that splits text before BPE, or null.</param>
/// <param name="Tokens">Spelling of every id.</param>
/// <param name="TokenTypes">1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; as many as tokens, or none.</param>
/// <param name="Merges">BPE merges, "left right", best first; empty for SentencePiece.</param>
/// <param name="Scores">SentencePiece scores; as many as tokens, or none.</param>
public sealed record GgufTokenizer(string Place, string Model, string? Pre, IReadOnlyList<string> Tokens, IReadOnlyList<int> TokenTypes, IReadOnlyList<string> Merges,
    IReadOnlyList<float> Scores)
{
    public int? BeginOfSequenceId { get; init; }

    public int? EndOfSequenceId { get; init; }

    public int? UnknownId { get; init; }

    public int? PadId { get; init; }

    public bool AddBeginOfSequence { get; init; }

    public bool AddEndOfSequence { get; init; }

    /// <summary>Whether a space is put before the text; null when the file does not say.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <summary>Jinja source, or null.</summary>
    public string? ChatTemplate { get; init; }

    /// <exception cref="BadInputException">There is no vocabulary, or its lists disagree.</exception>
    public static GgufTokenizer From(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        IReadOnlyList<string> tokens = metadata.Texts("tokenizer.ggml.tokens") ?? throw new BadInputException($"{file.Place}: the file has no vocabulary (tokenizer.ggml.tokens)");
        IReadOnlyList<int> types = metadata.Ints("tokenizer.ggml.token_type") ?? [];
        IReadOnlyList<float> scores = metadata.Numbers("tokenizer.ggml.scores") ?? [];
        if (types.Count != 0 && types.Count != tokens.Count)
            throw new BadInputException($"{file.Place}: {tokens.Count} tokens but {types.Count} token types");
        if (scores.Count != 0 && scores.Count != tokens.Count)
            throw new BadInputException($"{file.Place}: {tokens.Count} tokens but {scores.Count} scores");
        return new(file.Place, metadata.Text("tokenizer.ggml.model") ?? throw new BadInputException($"{file.Place}: the metadata key 'tokenizer.ggml.model' is missing"),
            metadata.Text("tokenizer.ggml.pre"), tokens, types, metadata.Texts("tokenizer.ggml.merges") ?? [], scores)
        {
            BeginOfSequenceId = Id("bos"),
            EndOfSequenceId = Id("eos"),
            UnknownId = Id("unknown"),
            PadId = Id("padding"),
            AddBeginOfSequence = metadata.Flag("tokenizer.ggml.add_bos_token") ?? false,
            AddEndOfSequence = metadata.Flag("tokenizer.ggml.add_eos_token") ?? false,
            AddSpacePrefix = metadata.Flag("tokenizer.ggml.add_space_prefix"),
            ChatTemplate = metadata.Text("tokenizer.chat_template"),
        };

        int? Id(string name)
        {
            int? id = metadata.Int($"tokenizer.ggml.{name}_token_id");
            return id is null || id >= 0 && id < tokens.Count
                ? id
                : throw new BadInputException($"{file.Place}: tokenizer.ggml.{name}_token_id {id} is outside the vocabulary of {tokens.Count}");
        }
    }
}
