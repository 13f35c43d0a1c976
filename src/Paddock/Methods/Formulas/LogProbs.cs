using Paddock.Backends;

namespace Paddock.Methods.Formulas;

/// <summary>
/// Log-prob of a whole response: the sum over its tokens, in nats. A type of its own, so that a loss on sums is never given a mean.
/// </summary>
public readonly record struct SumLogProb(double Value)
{
    /// <summary>Sum of a row's outputs; positions without a target read 0 (see <see cref="Sequence"/>).</summary>
    public static SumLogProb Of(ReadOnlySpan<float> outputs)
    {
        double sum = 0;
        foreach (float output in outputs)
            sum += output;
        return new(sum);
    }

    /// <summary>
    /// LD-DPO (Liu et al. 2024, arXiv 2409.06411): the first <paramref name="shared"/> tokens in full and <paramref name="alpha"/> times
    /// those beyond, where shared is the shorter length of the pair. <paramref name="tokens"/>: the response's tokens alone.
    /// </summary>
    public static SumLogProb LengthDesensitised(ReadOnlySpan<double> tokens, int shared, double alpha)
    {
        double head = 0, tail = 0;
        for (int i = 0; i < tokens.Length; i++)
            if (i < shared)
                head += tokens[i];
            else
                tail += tokens[i];
        return new(head + alpha * tail);
    }

    /// <summary>Per-token mean over <paramref name="tokens"/> response tokens.</summary>
    public MeanLogProb Mean(int tokens) => new(Value / tokens);
}

/// <summary>Mean log-prob of a response's tokens, in nats per token.</summary>
public readonly record struct MeanLogProb(double Value);

/// <summary>From a loss on whole responses to the seam's coefficients per position.</summary>
public static class ResponseOutputs
{
    /// <summary>How many outputs a row asks for: its response tokens.</summary>
    public static int Count(Sequence sequence)
    {
        int count = 0;
        foreach (int target in sequence.Targets.Span)
            if (target != Sequence.NoTarget)
                count++;
        return count;
    }

    /// <summary>The wanted outputs of a row, in order, into <paramref name="wanted"/> of length <see cref="Count"/>.</summary>
    public static void Gather(Sequence sequence, ReadOnlySpan<float> outputs, Span<double> wanted)
    {
        ReadOnlySpan<int> targets = sequence.Targets.Span;
        for (int i = 0, token = 0; i < targets.Length; i++)
            if (targets[i] != Sequence.NoTarget)
                wanted[token++] = outputs[i];
    }

    /// <summary>The reverse of <see cref="Gather"/>: one coefficient per wanted position, 0 elsewhere.</summary>
    public static ReadOnlyMemory<float> Scatter(Sequence sequence, ReadOnlySpan<double> wanted)
    {
        ReadOnlySpan<int> targets = sequence.Targets.Span;
        float[] coefficients = new float[targets.Length];
        for (int i = 0, token = 0; i < targets.Length; i++)
            if (targets[i] != Sequence.NoTarget)
                coefficients[i] = (float)wanted[token++];
        return coefficients;
    }

    /// <summary>
    /// The same coefficient on every wanted position, 0 elsewhere: d loss / d sum of log-probs, spread over its tokens. Those after the first
    /// <paramref name="shared"/> are weighted by <paramref name="alpha"/> (LD-DPO).
    /// </summary>
    public static ReadOnlyMemory<float> Spread(Sequence sequence, double gradient, int shared = int.MaxValue, double alpha = 1)
    {
        ReadOnlySpan<int> targets = sequence.Targets.Span;
        float[] coefficients = new float[targets.Length];
        for (int i = 0, token = 0; i < targets.Length; i++)
            if (targets[i] != Sequence.NoTarget)
                coefficients[i] = (float)(token++ < shared ? gradient : gradient * alpha);
        return coefficients;
    }
}
