using Paddock.Engine.Numerics;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>
/// Gives a reward model what a policy sampled. Where both models' ids mean the same, it sees the very prompt and ids of the policy; where they do not, the text
/// in its own template and ids, with its own end token on an answer that has ended.
/// </summary>
public sealed class RewardInput(ITextCodec policy, ITextCodec reward)
{
    private readonly bool _same = policy.Identity == reward.Identity;

    /// <param name="prompt">What was asked.</param>
    /// <param name="encoded">Its ids to the policy.</param>
    /// <param name="tokens">The answer's ids to the policy.</param>
    public TokenizedExample Of(Prompt prompt, int[] encoded, IReadOnlyList<int> tokens) => _same
        ? new(encoded, [.. tokens])
        : new(reward.EncodePrompt(prompt.Messages), reward.EncodeResponse(policy.DecodeResponse(tokens) with { Tokens = null }));
}

/// <summary>Scores answers with a trained reward model.</summary>
/// <param name="model">A model with a scalar head.</param>
/// <param name="microTokens">Tokens in memory at once.</param>
public sealed class RewardScorer(ITrainableModel model, int microTokens = 8192)
{
    /// <summary>One reward per example, in order; a score depends on its example alone.</summary>
    public async Task<double[]> ScoreAsync(IReadOnlyList<TokenizedExample> examples, CancellationToken cancellation)
    {
        double[] scores = new double[examples.Count];
        Sequence[] sequences = [.. examples.Select(e => Sequence.ForScore(e.Prompt, e.Response))];
        foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], microTokens))
        {
            PassResult pass = await model.ForwardAsync(sequences[start..end], cancellation);
            for (int i = start; i < end; i++)
                scores[i] = pass.Outputs[i - start].Span[^1];
        }
        return scores;
    }
}

/// <summary>A reward model as an annotator: P(first better) = sigmoid(r_first - r_second) (Bradley and Terry 1952).</summary>
public sealed class RewardAnnotator(string name, RewardScorer scorer, ITextCodec codec) : IAnnotator
{
    public string Name => name;

    public async Task<IReadOnlyList<Verdict>> CompareAsync(IReadOnlyList<Comparison> comparisons, CancellationToken cancellation)
    {
        List<TokenizedExample> examples = [];
        foreach (Comparison comparison in comparisons)
        {
            int[] prompt = codec.EncodePrompt(comparison.Prompt.Messages);
            examples.Add(new(prompt, codec.EncodeResponse(comparison.First)));
            examples.Add(new(prompt, codec.EncodeResponse(comparison.Second)));
        }
        double[] scores = await scorer.ScoreAsync(examples, cancellation);
        return [.. comparisons.Select((_, i) => Verdict.Of(ScalarMath.Sigmoid(scores[2 * i] - scores[2 * i + 1])))];
    }
}
