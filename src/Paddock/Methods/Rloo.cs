// RLOO: REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024, arXiv 2402.14740, eq. 8).
//
//   R = score - kl sum_t (log pi_old - log ref)      A = R - mean R of the prompt's other answers
//   loss = mean over answers of max(-A rho, -A clip(rho, 1 - c, 1 + c))        rho = pi(y|x) / pi_old(y|x) of the whole answer
//
// Differs from the paper: the clip, which acts only when answers are used for more than one update (as TRL has it).
// Page, metrics and results: docs/methods/rloo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of RLOO.</summary>
/// <param name="Prompts">Prompts a step.</param>
/// <param name="Samples">Answers a prompt; each is compared with the others.</param>
/// <param name="Steps">Rounds of sampling and updating.</param>
/// <param name="Epochs">Passes over the answers of a step.</param>
/// <param name="MiniBatches">Updates a pass.</param>
/// <param name="Clip">How far the ratio of a whole answer may move.</param>
/// <param name="Kl">Coefficient of the KL penalty in the reward.</param>
/// <param name="RewardClip">Scores are held between minus and plus this; off when left out.</param>
/// <param name="Normalise">Scales the advantages of a step to mean 0 and variance 1.</param>
/// <param name="MissingEndPenalty">Taken off the score of an answer that never ended.</param>
public sealed record RlooSettings([Range(1, 1 << 20)] int Prompts = 32, [Range(2, 65536)] int Samples = 4, [Range(1, int.MaxValue)] int Steps = 40, [Range(1, 1000)] int Epochs = 1, [Range(1, 1 << 20)] int MiniBatches = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Clip = 0.2, [Range(0, double.MaxValue)] double Kl = 0.02, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? RewardClip = null, bool Normalise = false,
    [Range(0, double.MaxValue)] double MissingEndPenalty = 0, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 4e-4, [Inline] Optimisation? Optimisation = null,
    [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Optimises a policy against a reward, an answer being one action. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Rloo(RlooSettings settings)
{
    private sealed record State(int Step, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; frozen.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel reference, int maxTokens, IReadOnlyList<int> stopTokens,
        Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, BestPolicy.None, WatchState.Start);
        int updates = settings.Epochs * settings.MiniBatches;

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. answers of the policy as it is: a pure function of (weights, seed, step)
            Rollout[] rollouts = await Rollouts.SampleAsync(policy, prompts, order.Rows(step).ToArray(), settings.Samples, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);

            // 2. reward with the KL penalty, and how it compares with the other answers to the prompt
            double[] scores = await reward(rollouts, cancellation);
            double[][] references = await Rollouts.OutputsAsync(reference, rollouts, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(rollouts, scores, settings.Samples, references);
            double[] advantages = Advantages(settings, [.. scores.Select((s, i) => s - (rollouts[i].Ended ? 0 : settings.MissingEndPenalty))],
                [.. rollouts.Select((r, i) => KlPenalty.Sum(KlEstimator.K1, r.LogProbs, references[i]))]);

            // 3. several updates on them
            GrpoSums sums = new();
            double loss = 0, gradientNorm = 0, rate = 0;
            int done = 0;
            for (int epoch = 0; epoch < settings.Epochs; epoch++)
                foreach (int[] rows in Rollouts.MiniBatches(stage.Stream("minibatches"), step, epoch, rollouts.Length, settings.MiniBatches))
                {
                    Sequence[] sequences = [.. rows.Select(i => rollouts[i].Sequence)];
                    foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens))
                    {
                        Sequence[] batch = sequences[start..end];
                        PassResult pass = await policy.ForwardAsync(batch, cancellation);
                        ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                        for (int k = 0; k < batch.Length; k++)
                        {
                            int i = rows[start + k];
                            loss += RlooLoss.Of(SumLogProb.Of(pass.Outputs[k].Span), new(rollouts[i].LogProbs.Sum()), advantages[i], settings.Clip, settings.Clip, out double gradient, sums) / rows.Length;
                            coefficients[k] = ResponseOutputs.Spread(batch[k], gradient / rows.Length);
                        }
                        await policy.BackwardAsync(batch, coefficients, cancellation);
                    }
                    AdamStep adam = settings.Optimisation.At(step * updates + done++, settings.Steps * updates, settings.LearningRate);
                    gradientNorm += (await policy.StepAsync(adam, cancellation)).GradientNorm;
                    rate = adam.LearningRate;
                }

            // 4. what there is to tell, and whether this is the best policy so far
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss / done,
                ["grad_norm"] = gradientNorm / done,
                ["learning_rate"] = rate,
                ["epoch"] = order.Epoch(step + 1),
            };
            look.AddTo(metrics);
            GrpoLoss.AddTo(sums, metrics);
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

    /// <param name="scores">NaN where an answer was not scored.</param>
    /// <param name="kl">Sum over the answer's tokens of log policy - log reference.</param>
    internal static double[] Advantages(RlooSettings settings, double[] scores, double[] kl)
    {
        double[] rewards = [.. scores.Select((s, i) => (settings.RewardClip is { } clip ? Math.Clamp(s, -clip, clip) : s) - settings.Kl * kl[i])];
        double[] advantages = GroupAdvantages.LeaveOneOut(rewards, settings.Samples);
        // answers that were not scored stay out of the spread, and at 0
        return settings.Normalise ? GroupAdvantages.Standardise([.. advantages.Select((a, i) => double.IsNaN(rewards[i]) ? double.NaN : a)]) : advantages;
    }
}
