using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Tokenizers;

namespace Paddock.Backends.Embedded;

/// <summary>Sizes of a new Llama-family model with tied embeddings.</summary>
/// <param name="HiddenSize">C; divisible by <paramref name="Heads"/>.</param>
public sealed record NewModelSettings([Range(2, 1 << 16)] int HiddenSize = 128, [Range(1, 1024)] int Layers = 5, [Range(1, 1024)] int Heads = 4, [Range(1, 1 << 18)] int FeedForward = 384,
    [Range(1, 1 << 20)] int MaxPositions = 256);

/// <summary>Writes a fresh model folder: random weights and a word-level tokenizer.</summary>
public static class NewModel
{
    /// <param name="folder">Must not exist; it appears whole.</param>
    /// <param name="words">The vocabulary; index = id.</param>
    /// <param name="special">Those of the words that are special tokens.</param>
    public static void Write(string folder, NewModelSettings sizes, IReadOnlyList<string> words, IReadOnlyList<string> special, string endWord, string padWord, string chatTemplate, ulong seed)
    {
        Tokenizer tokenizer = WordLevelTokenizer.Build(words, special, new TokenizerConfig(EosToken: endWord, PadToken: padWord, ChatTemplate: chatTemplate));
        ModelConfig config = new()
        {
            Family = "llama",
            VocabularySize = words.Count,
            HiddenSize = sizes.HiddenSize,
            LayerCount = sizes.Layers,
            HeadCount = sizes.Heads,
            KeyValueHeadCount = sizes.Heads,
            HeadSize = sizes.HiddenSize / sizes.Heads,
            FeedForwardSize = sizes.FeedForward,
            MaxPositions = sizes.MaxPositions,
            NormEpsilon = 1e-5f,
            TiedEmbeddings = true,
            EndOfSequenceIds = [tokenizer.EosId!.Value],
            PadId = tokenizer.PadId,
        };
        using ModelWeights weights = ModelWeights.Random(config, seed);
        HuggingFaceFolder.Save(folder, config, weights.Export(), TensorFormat.Float32, null, temporary =>
        {
            tokenizer.Save(Path.Combine(temporary, "tokenizer.json"));
            tokenizer.Config.Save(temporary);
        });
    }

    /// <summary>Writes a model's folder with its weights rounded to bf16, and a card that knows their hash: what is committed or shipped.</summary>
    /// <param name="card">From the SHA-256 of the rounded weights to the text of README.md.</param>
    public static void WriteRounded(string model, string folder, Func<string, string> card)
    {
        ModelLibrary library = new([]);
        ModelFiles files = library.Find(model);
        using ModelWeights weights = library.OpenWeights(model, HeadKind.Token);
        HuggingFaceFolder.Save(folder, files.Config, weights.Export(), TensorFormat.BFloat16, files.TokenizerFolder, temporary =>
        {
            using FileStream written = File.OpenRead(Path.Combine(temporary, "model.safetensors"));
            File.WriteAllText(Path.Combine(temporary, "README.md"), card(Convert.ToHexStringLower(SHA256.HashData(written))));
        });
    }
}
