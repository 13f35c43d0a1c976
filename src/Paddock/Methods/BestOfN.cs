// Best-of-n (rejection sampling at inference): draw n answers, keep the one the reward model likes best
// (Stiennon et al. 2020; Nakano et al. 2021, section 3). No training; first index on ties.
//
//   KL(best-of-n || policy) = log n - (n - 1) / n   (exact without ties), relative to the policy as sampled
//
// Page, metrics and results: docs/methods/best-of-n.md
using Paddock.Backends;
using Paddock.Data;
using Paddock.Evaluation;

namespace Paddock.Methods;

/// <summary>Settings of best-of-n.</summary>
public sealed record BestOfNSettings(int N = 16);

/// <summary>What best-of-n chose for one prompt.</summary>
/// <param name="Chosen">Index of the kept answer.</param>
/// <param name="Rewards">Reward of each of the n answers.</param>
public sealed record BestOfNChoice(int Chosen, IReadOnlyList<double> Rewards);

/// <summary>Chooses among sampled answers.</summary>
public sealed class BestOfN(BestOfNSettings settings)
{
    /// <summary>Samples n answers for each prompt and keeps the best by the reward model.</summary>
    /// <param name="streams">Names each prompt's random stream.</param>
    /// <param name="onSample">Sees every answer drawn, for accounts of cost.</param>
    /// <param name="input">From a prompt's index and an answer's ids to what the reward model is given; null where it takes the policy's own ids.</param>
    public async Task<IReadOnlyList<(Completion Kept, BestOfNChoice Choice)>> RunAsync(IReadOnlyList<int[]> prompts, IReadOnlyList<ulong> streams,
        ISampler policy, SamplingOptions sampling, RewardScorer reward, CancellationToken cancellation, Action<Completion>? onSample = null,
        Func<int, IReadOnlyList<int>, TokenizedExample>? input = null)
    {
        // 1. n answers a prompt, put back in the order of the requests
        Completion[][] samples = [.. prompts.Select(_ => new Completion[settings.N])];
        List<SampleRequest> requests = [.. prompts.Select((prompt, i) => new SampleRequest(prompt, settings.N, streams[i]))];
        await foreach (Completion completion in policy.SampleAsync(requests, sampling, cancellation))
        {
            samples[completion.Request][completion.Sample] = completion;
            onSample?.Invoke(completion);
        }

        // 2. a reward for each, 3. the first of the best
        input ??= (i, tokens) => new TokenizedExample(prompts[i], [.. tokens]);
        double[] rewards = await reward.ScoreAsync([.. prompts.SelectMany((_, i) => samples[i].Select(sample => input(i, sample.Tokens)))], cancellation);
        return [.. prompts.Select((_, i) =>
        {
            BestOfNChoice choice = Choose(rewards.AsSpan(i * settings.N, settings.N));
            return (samples[i][choice.Chosen], choice);
        })];
    }

    /// <summary>The first index of the largest reward. A reward that is not a number never wins, unless none is one.</summary>
    internal static BestOfNChoice Choose(ReadOnlySpan<double> rewards)
    {
        int best = 0;
        for (int i = 1; i < rewards.Length; i++)
            if (rewards[i] > rewards[best] || (double.IsNaN(rewards[best]) && !double.IsNaN(rewards[i])))
                best = i;
        return new(best, rewards.ToArray());
    }

    /// <summary>bon/n, bon/reward_mean, bon/reward_selected, bon/kl_analytic over a set of prompts.</summary>
    public Dictionary<string, double> Metrics(IReadOnlyList<BestOfNChoice> choices) => new()
    {
        ["bon/n"] = settings.N,
        ["bon/reward_mean"] = choices.SelectMany(choice => choice.Rewards).Average(),
        ["bon/reward_selected"] = choices.Average(choice => choice.Rewards[choice.Chosen]),
        ["bon/kl_analytic"] = BestOfNStatistics.AnalyticKl(settings.N),
    };
}
