using Paddock.Engine.Adapters;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Models;

/// <summary>Tiny models whose weights are large enough for every path to matter, and batches for them.</summary>
internal static class TinyModels
{
    public static readonly LoraOptions Lora = new(3, 6, []);

    public static TrainableTransformer Make(ModelConfig config, WorkerPool pool, HeadKind head = HeadKind.Token, LoraOptions? lora = null)
    {
        ModelWeights weights = ModelWeights.Random(config, 11, head);
        foreach (Parameter parameter in weights.Layout.All)
            Add(weights.Values(parameter), 0.3, parameter.Name);
        TrainableTransformer model = new(weights, lora, 7, pool);
        if (lora != null)
            foreach (Parameter parameter in model.TrainedParameters)
                Add(model.Trained.Slice(parameter.Offset, parameter.Count), 0.2, parameter.Name);
        return model;
    }

    public static TrainableTransformer Make(string family, WorkerPool pool, HeadKind head = HeadKind.Token, LoraOptions? lora = null) =>
        Make(TinyConfigs.Of(family, tied: family is "gpt2" or "gemma2" or "opt"), pool, head, lora);

    /// <summary>Sequences of these lengths; about a third of the positions has no target.</summary>
    public static RaggedBatch Batch(ModelConfig config, params ReadOnlySpan<int> lengths)
    {
        RaggedBatch batch = new();
        for (int s = 0; s < lengths.Length; s++)
        {
            RandomStream stream = new((ulong)s, "batch");
            int[] tokens = new int[lengths[s]], targets = new int[lengths[s]];
            for (int i = 0; i < tokens.Length; i++)
            {
                tokens[i] = stream.NextInt(config.VocabularySize);
                targets[i] = stream.NextInt(3) == 0 ? RaggedBatch.NoTarget : stream.NextInt(config.VocabularySize);
            }
            batch.Add(tokens, targets);
        }
        return batch;
    }

    /// <summary>Coefficients in -1 .. 1, also where no target is: they must be ignored there.</summary>
    public static float[] Coefficients(RaggedBatch batch, string purpose = "coefficients")
    {
        RandomStream stream = new(3, purpose);
        float[] coefficients = new float[batch.TokenCount];
        foreach (ref float value in coefficients.AsSpan())
            value = (float)(2 * stream.NextDouble() - 1);
        return coefficients;
    }

    public static float[] Outputs(TrainableTransformer model, RaggedBatch batch)
    {
        float[] outputs = new float[batch.TokenCount];
        model.Forward(batch, outputs);
        return outputs;
    }

    private static void Add(Span<float> values, double deviation, string purpose)
    {
        RandomStream stream = new(19, purpose);
        foreach (ref float value in values)
            value += (float)(deviation * stream.NextGaussian());
    }
}
