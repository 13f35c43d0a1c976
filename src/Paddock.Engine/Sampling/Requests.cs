namespace Paddock.Engine.Sampling;

/// <param name="Prompt">Ids, at least one.</param>
/// <param name="Count">Samples of this prompt, at least one; the prompt is computed once for all.</param>
/// <param name="Stream">Names the random stream; the same stream gives the same samples whatever else is in the batch.</param>
public sealed record PromptRequest(ReadOnlyMemory<int> Prompt, int Count, ulong Stream);

/// <summary>Why a sample ended. Length: the token limit, or the end of the model's learned positions.</summary>
public enum FinishReason { StopToken, StopString, Length }

/// <summary>One token as it is drawn.</summary>
/// <param name="LogProb">Log-prob under the model at temperature 1, before any processor.</param>
public readonly record struct SampledToken(int Request, int Sample, int Token, float LogProb);

/// <param name="Request">Index of the request.</param>
/// <param name="Sample">Index within the request, 0 .. Count - 1.</param>
/// <param name="Tokens">Drawn ids, the stop token or the token that completed the stop string included.</param>
/// <param name="LogProbs">Per token, under the model at temperature 1 before any processor: what <see cref="BatchSampler.Score"/> gives.</param>
/// <param name="FilteredLogProbs">Per token, under the distribution drawn from; null unless asked for. Zero when greedy.</param>
/// <param name="Text">Decoded tokens, cut before a stop string and without a stop token; null without a decoder.</param>
public sealed record FinishedSample(int Request, int Sample, int[] Tokens, float[] LogProbs, float[]? FilteredLogProbs, FinishReason Reason, string? Text);

/// <summary>How a sampler holds its weights. Logits differ from float32 ones by the rounding of the weights alone: arithmetic is float32.</summary>
public enum WeightFormat { Float32, BFloat16, Q8_0 }

/// <param name="MaxConcurrent">Sequences decoded at once; more gives speed and takes memory, never other tokens.</param>
/// <param name="CacheBytes">Most memory for keys and values.</param>
/// <param name="MaxRows">Positions computed in one pass, prompts included.</param>
public sealed record SamplerSettings(int MaxConcurrent = 64, long CacheBytes = 1L << 30, int MaxRows = 256)
{
    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConcurrent);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(CacheBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxRows);
    }
}
