// Nash-MD: Nash mirror descent from preferences (Munos et al. 2023, arXiv 2312.00886, section 7): a policy that no other is preferred to.
//
//   y ~ pi      y' ~ pi^(1 - m) ref^m, normalised at each token      p = P(y preferred to y')
//   gradient of log pi(y|x) with coefficient beta (log pi - log ref)_t - (p - 1/2) at each token
//
// Differs from the paper: p is sigmoid(r(y) - r(y')) of a reward model; AdamW with a cosine. The mixture needs the logits of both models
// at every token, so the embedded backend alone can run it. Page, metrics and results: docs/methods/nash-md.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of Nash-MD.</summary>
/// <param name="Mixture">Share of the reference in the opponent: 0 plays against itself, 1 against the reference.</param>
/// <param name="Prompts">Prompts a step; the policy and its opponent answer each once.</param>
/// <param name="Steps">Steps of the optimizer, each on answers of its own.</param>
/// <param name="MissingEndPenalty">Taken off the reward of an answer that never ended.</param>
public sealed record NashMdSettings([Range(0, double.MaxValue)] double Beta = 0.02, [Range(0, 1)] double Mixture = 0.5, [Range(1, 1 << 20)] int Prompts = 64, [Range(1, int.MaxValue)] int Steps = 80,
    [Range(0, double.MaxValue)] double MissingEndPenalty = 0, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null,
    [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Learns to be preferred to a mixture of itself and its reference. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class NashMd(NashMdSettings settings)
{
    private sealed record State(int Step, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; frozen.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel reference, int maxTokens, IReadOnlyList<int> stopTokens,
        Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        stage.Backend.Traits.Require(policy is IMixtureModel, "sampling from a mixture of two models, which only the embedded backend has");
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, BestPolicy.None, WatchState.Start);

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. an answer of the policy as it is and one of the mixture: pure functions of (weights, seed, step)
            int[] rows = order.Rows(step).ToArray();
            Rollout[] own = await Rollouts.SampleAsync(policy, prompts, rows, 1, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation), others;
            await using (ISampler mixture = await ((IMixtureModel)policy).SnapshotMixtureAsync(reference, settings.Mixture, cancellation))
                others = await Rollouts.SampleAsync(mixture, prompts, rows, 1, maxTokens, stopTokens, stage.Stream("opponent").Split((ulong)step), cancellation);
            Rollout[] both = [.. own, .. others];

            // 2. how probable it is that the policy's answer is preferred; a pair that was not scored is left out
            double[] rewards = await reward(both, cancellation);
            for (int i = 0; i < rewards.Length; i++)
                rewards[i] -= both[i].Ended ? 0 : settings.MissingEndPenalty;
            int n = rows.Length;
            double[][] references = await Rollouts.OutputsAsync(reference, own, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(own, rewards[..n], 1, references);
            int[] scored = [.. Enumerable.Range(0, n).Where(i => !double.IsNaN(rewards[i] - rewards[n + i]))];
            double[] preferred = [.. scored.Select(i => ScalarMath.Sigmoid(rewards[i] - rewards[n + i]))];

            // 3. the gradient on the policy's own answers
            double loss = 0, score = 0, kl = 0;
            Sequence[] sequences = [.. scored.Select(i => own[i].Sequence)];
            foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[start..end];
                PassResult pass = await policy.ForwardAsync(batch, cancellation);
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int k = 0; k < batch.Length; k++)
                {
                    double[] logProbs = Rollouts.Gather(batch[k], pass.Outputs[k]), gradient = new double[logProbs.Length];
                    (double Score, double Kl, double Loss) one = OnlinePairLoss.NashMd(logProbs, references[scored[start + k]], preferred[start + k], settings.Beta, gradient);
                    loss += one.Loss / scored.Length;
                    score += one.Score / scored.Length;
                    kl += one.Kl / scored.Length;
                    for (int t = 0; t < gradient.Length; t++)
                        gradient[t] /= scored.Length;
                    coefficients[k] = ResponseOutputs.Scatter(batch[k], gradient);
                }
                await policy.BackwardAsync(batch, coefficients, cancellation);
            }
            AdamStep adam = settings.Optimisation.At(step, settings.Steps, settings.LearningRate);
            double gradientNorm = scored.Length == 0 ? 0 : (await policy.StepAsync(adam, cancellation)).GradientNorm;

            // 4. what there is to tell, and whether this is the best policy so far
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = scored.Length == 0 ? double.NaN : loss,
                ["loss/score"] = score,
                ["loss/kl"] = kl,
                ["grad_norm"] = gradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
                ["rewards/probabilities"] = GroupAdvantages.Mean(preferred),
                ["objective/mixture_scores"] = GroupAdvantages.Mean(rewards.AsSpan(n)),
            };
            look.AddTo(metrics);
            state = new State(step + 1, await Selection.ConsiderAsync(selection, state.Best, step + 1, settings.Steps, policy, metrics, cancellation), state.Watch);
            #region shared: watch, log and keep the step
            (WatchState watch, IReadOnlyList<string> warnings) = RunWatch.Observe(state.Watch, look);
            foreach (string warning in warnings)
                stage.Warn(warning);
            state = state with { Watch = watch };
            stage.Log(step, metrics);
            stage.Progress(step + 1, settings.Steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
        return state.Best;
    }
}
