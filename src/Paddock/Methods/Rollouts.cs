using Paddock.Backends;
using Paddock.Engine.Numerics;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>An answer that the policy has sampled during training, with what it was sampled under.</summary>
/// <param name="Row">Index of its prompt in the training data.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Tokens">Ids of the answer, the end token included when it has one; at least one.</param>
/// <param name="LogProbs">Log-prob of each token under the policy that sampled it, at temperature 1.</param>
/// <param name="Ended">False: the answer ran into the length limit.</param>
public sealed record Rollout(int Row, int[] Prompt, int[] Tokens, double[] LogProbs, bool Ended)
{
    /// <summary>Prompt and answer, one output per token of the answer.</summary>
    public Sequence Sequence => Sequence.ForResponse(Prompt, Tokens);
}

/// <summary>One reward per answer, in order; NaN says that an answer could not be scored, which is not the same as 0.</summary>
public delegate Task<double[]> RewardOf(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation);

/// <summary>
/// Sampling and scoring of training answers. They are drawn at temperature 1 without filters, the distribution that the seam's log-probs
/// belong to: a ratio between two temperatures would be no ratio of one policy to another.
/// </summary>
internal static class Rollouts
{
    /// <summary>
    /// Draws <paramref name="samples"/> answers for each row; those of a row stand together. A pure function of the policy's weights, the
    /// stream and the rows, so a resumed run draws the same.
    /// </summary>
    public static async Task<Rollout[]> SampleAsync(ISampler sampler, IReadOnlyList<int[]> prompts, int[] rows, int samples, int maxTokens, IReadOnlyList<int> stopTokens,
        RandomStream stream, CancellationToken cancellation)
    {
        SampleRequest[] requests = [.. rows.Select((row, i) => new SampleRequest(prompts[row], samples, stream.Split((ulong)i).AsSeed()))];
        Rollout[] rollouts = new Rollout[rows.Length * samples];
        await foreach (Completion completion in sampler.SampleAsync(requests, SamplingOptions.Plain(maxTokens, 1f, stopTokens), cancellation))
        {
            int row = rows[completion.Request];
            rollouts[completion.Request * samples + completion.Sample] = new(row, prompts[row], [.. completion.Tokens], [.. completion.LogProbs.Select(l => (double)l)],
                completion.Stop != StopReason.Length);
        }
        return rollouts;
    }

    /// <summary>Draws from the policy as it is now; see the overload.</summary>
    public static async Task<Rollout[]> SampleAsync(ITrainableModel policy, IReadOnlyList<int[]> prompts, int[] rows, int samples, int maxTokens, IReadOnlyList<int> stopTokens,
        RandomStream stream, CancellationToken cancellation)
    {
        await using ISampler sampler = await policy.SnapshotSamplerAsync(cancellation);
        return await SampleAsync(sampler, prompts, rows, samples, maxTokens, stopTokens, stream, cancellation);
    }

    /// <summary>The outputs of a frozen or not yet updated model for every token of every answer: log-probs, or values before each token.</summary>
    public static async Task<double[][]> OutputsAsync(ITrainableModel model, IReadOnlyList<Rollout> rollouts, int microTokens, CancellationToken cancellation)
    {
        double[][] outputs = new double[rollouts.Count][];
        Sequence[] sequences = [.. rollouts.Select(r => r.Sequence)];
        foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], microTokens))
        {
            Sequence[] batch = sequences[start..end];
            PassResult pass = await model.ForwardAsync(batch, cancellation);
            for (int i = start; i < end; i++)
                outputs[i] = Gather(sequences[i], pass.Outputs[i - start]);
        }
        return outputs;
    }

    /// <summary>The wanted outputs of one row.</summary>
    public static double[] Gather(Sequence sequence, ReadOnlyMemory<float> outputs)
    {
        double[] wanted = new double[ResponseOutputs.Count(sequence)];
        ResponseOutputs.Gather(sequence, outputs.Span, wanted);
        return wanted;
    }

    /// <summary>The order in which a pass over the answers takes them: a pure function of (stream, step, epoch), cut into so many minibatches of like size.</summary>
    public static IEnumerable<int[]> MiniBatches(RandomStream stream, int step, int epoch, int count, int parts)
    {
        int[] order = stream.Split((ulong)step).Split((ulong)epoch).Permutation(count);
        parts = Math.Min(parts, count);
        for (int part = 0; part < parts; part++)
            yield return order[(part * count / parts)..((part + 1) * count / parts)];
    }
}
