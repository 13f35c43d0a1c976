// REINFORCE with a baseline (Williams 1992; in the form of RLAIF, Lee et al. 2023, arXiv 2309.00267, section 3): the plainest policy gradient.
//
//   R = score - kl sum_t (log pi - log ref)      A = R - b      loss = -mean over answers of A log pi(y|x)
//
// b is a running mean of the rewards of earlier steps, so that an answer is compared with what the policy used to get, and one answer a
// prompt is enough. Differs from RLAIF: a running mean in place of a value model. Page, metrics and results: docs/methods/reinforce.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of REINFORCE.</summary>
/// <param name="Prompts">Prompts a step.</param>
/// <param name="Samples">Answers a prompt.</param>
/// <param name="Steps">Steps of the optimizer, each on answers of its own.</param>
/// <param name="Kl">Coefficient of the KL penalty in the reward.</param>
/// <param name="Decay">How slowly the baseline follows the rewards; 0 takes the last step's mean.</param>
/// <param name="Normalise">Divides the advantages of a step by their standard deviation.</param>
/// <param name="MissingEndPenalty">Taken off the score of an answer that never ended.</param>
public sealed record ReinforceSettings([Range(1, 1 << 20)] int Prompts = 128, [Range(1, 65536)] int Samples = 1, [Range(1, int.MaxValue)] int Steps = 80, [Range(0, double.MaxValue)] double Kl = 0.02,
    [Range(0, 1, MaximumIsExclusive = true)] double Decay = 0.8, bool Normalise = true, [Range(0, double.MaxValue)] double MissingEndPenalty = 0,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 4e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Follows the gradient of the expected reward. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Reinforce(ReinforceSettings settings)
{
    /// <param name="Baseline">NaN before the first step.</param>
    private sealed record State(int Step, double Baseline, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; frozen.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel reference, int maxTokens, IReadOnlyList<int> stopTokens,
        Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, double.NaN, BestPolicy.None, WatchState.Start);

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. answers of the policy as it is: a pure function of (weights, seed, step)
            Rollout[] rollouts = await Rollouts.SampleAsync(policy, prompts, order.Rows(step).ToArray(), settings.Samples, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);

            // 2. reward with the KL penalty, and how it compares with what there was before
            double[] scores = await reward(rollouts, cancellation);
            double[][] references = await Rollouts.OutputsAsync(reference, rollouts, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(rollouts, scores, settings.Samples, references);
            double[] rewards = [.. rollouts.Select((r, i) => scores[i] - (r.Ended ? 0 : settings.MissingEndPenalty) - settings.Kl * KlPenalty.Sum(KlEstimator.K1, r.LogProbs, references[i]))];
            double mean = GroupAdvantages.Mean(rewards), baseline = double.IsNaN(state.Baseline) ? mean : state.Baseline;
            double[] advantages = Advantages(rewards, baseline, settings.Normalise);

            // 3. the gradient of A log pi, and one AdamW step; an answer without a score has A = 0
            double loss = 0;
            Sequence[] sequences = [.. rollouts.Select(r => r.Sequence)];
            foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[start..end];
                PassResult pass = await policy.ForwardAsync(batch, cancellation);
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int k = 0; k < batch.Length; k++)
                {
                    double share = -advantages[start + k] / rollouts.Length;
                    loss += share * SumLogProb.Of(pass.Outputs[k].Span).Value;
                    coefficients[k] = ResponseOutputs.Spread(batch[k], share);
                }
                await policy.BackwardAsync(batch, coefficients, cancellation);
            }
            AdamStep adam = settings.Optimisation.At(step, settings.Steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            // 4. the next baseline, what there is to tell, and whether this is the best policy so far
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss,
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
                ["baseline"] = baseline,
                ["advantage_std"] = GroupAdvantages.Deviation(advantages),
            };
            look.AddTo(metrics);
            state = new State(step + 1, double.IsNaN(mean) ? state.Baseline : settings.Decay * baseline + (1 - settings.Decay) * mean,
                await Selection.ConsiderAsync(selection, state.Best, step + 1, settings.Steps, policy, metrics, cancellation), state.Watch);
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

    /// <summary>R - b, divided by the spread of the step's rewards when normalised; 0 where there is no reward.</summary>
    internal static double[] Advantages(double[] rewards, double baseline, bool normalise)
    {
        double deviation = normalise ? GroupAdvantages.Deviation(rewards) : 1;
        double scale = double.IsNaN(deviation) ? 1 : deviation + (normalise ? 1e-4 : 0);
        return [.. rewards.Select(r => double.IsNaN(r) ? 0 : (r - baseline) / scale)];
    }
}
