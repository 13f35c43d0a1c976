using Paddock.Engine.Adapters;
using Paddock.Engine.Models;

namespace Paddock.Cli.Bench;

/// <summary>One product C[M,N] = A[M,K] B[N,K]^T.</summary>
internal sealed record GemmCase(string Name, int M, int N, int K);

/// <summary>Steps of a model on a batch of equally long sequences, every position wanted.</summary>
/// <param name="Lora">Adapters to train in place of the weights; null trains everything.</param>
internal sealed record TrainCase(string Name, ModelConfig Config, int Sequences, int Length, LoraOptions? Lora = null);

/// <summary>Decoding with the given numbers of sequences at once, for each format of the weights: fp32, bf16, q8_0, q4_1.</summary>
internal sealed record DecodeCase(string Name, ModelConfig Config, IReadOnlyList<string> Formats, IReadOnlyList<int> Batches);

/// <summary>What is measured, and how long.</summary>
/// <param name="Seconds">Least time spent on one measurement, after as much warming up.</param>
/// <param name="StreamFloats">Size of the array whose reading gives the bandwidth; far above any cache.</param>
internal sealed record BenchPlan(IReadOnlyList<GemmCase> Gemm, IReadOnlyList<TrainCase> Train, IReadOnlyList<DecodeCase> Decode, double Seconds, long StreamFloats)
{
    /// <summary>Shapes of three real sizes: a model that learns in minutes, a middling one and SmolLM2-135M.</summary>
    public static BenchPlan Standard { get; } = new(
        [
            new("tiny qkv", 2048, 576, 192),
            new("tiny gate_up", 2048, 1024, 192),
            new("small gate_up", 1024, 2048, 384),
            new("smollm2 gate_up", 512, 3072, 576),
            new("smollm2 down", 512, 576, 1536),
            new("smollm2 head", 512, 49152, 576),
        ],
        [
            new("tiny", Llama(192, 4, 6, 6, 512, 1024), 32, 64),
            new("small", Llama(384, 6, 6, 6, 1024, 8192), 8, 128),
            new("smollm2", SmolLm2, 4, 128),
            new("smollm2-lora", SmolLm2, 4, 128, new LoraOptions(8, 16, [])),
        ],
        [new("smollm2", SmolLm2, ["fp32", "bf16", "q8_0", "q4_1"], [1, 4, 16])],
        Seconds: 0.4,
        StreamFloats: 1L << 27);

    /// <summary>A model of Llama's shape with tied embeddings.</summary>
    public static ModelConfig Llama(int hidden, int layers, int heads, int keyValueHeads, int feedForward, int vocabulary) => new()
    {
        Family = "llama",
        VocabularySize = vocabulary,
        HiddenSize = hidden,
        LayerCount = layers,
        HeadCount = heads,
        KeyValueHeadCount = keyValueHeads,
        HeadSize = hidden / heads,
        FeedForwardSize = feedForward,
        MaxPositions = 2048,
        TiedEmbeddings = true,
    };

    private static ModelConfig SmolLm2 => Llama(576, 30, 9, 3, 1536, 49152);
}
