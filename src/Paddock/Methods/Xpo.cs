// XPO: exploratory preference optimisation (Xie et al. 2024, arXiv 2405.21046, algorithm 1): online DPO between the policy and its
// reference, with a bonus for moving away from what the reference would say.
//
//   y ~ pi, y' ~ ref, ordered by reward      loss = -log sigmoid(beta ((logp_w - ref_w) - (logp_l - ref_l))) + alpha log pi(y'|x)
//
// Differs from the paper: one batch a step in place of the growing set of all pairs. Page, metrics and results: docs/methods/xpo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of XPO.</summary>
/// <param name="Loss">The loss on a pair: <c>sigmoid</c> or <c>ipo</c> (on sums over tokens).</param>
/// <param name="Alpha">Weight of the exploration term.</param>
/// <param name="Prompts">Prompts a step; the policy and the reference answer each once.</param>
/// <param name="Steps">Steps of the optimizer, each on answers of its own.</param>
/// <param name="MissingEndPenalty">Taken off the reward of an answer that never ended.</param>
public sealed record XpoSettings(OnlinePairLossType Loss = OnlinePairLossType.Sigmoid, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, [Range(0, double.MaxValue)] double Alpha = 1e-5,
    [Range(1, 1 << 20)] int Prompts = 64, [Range(1, int.MaxValue)] int Steps = 80, [Range(0, double.MaxValue)] double MissingEndPenalty = 0,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Learns from its own answers against its reference's. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Xpo(XpoSettings settings)
{
    private sealed record State(int Step, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; frozen. It answers too.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel reference, int maxTokens, IReadOnlyList<int> stopTokens,
        Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, BestPolicy.None, WatchState.Start);
        await using ISampler opponent = await reference.SnapshotSamplerAsync(cancellation);

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. an answer of the policy as it is and one of the reference: pure functions of (weights, seed, step)
            int[] rows = order.Rows(step).ToArray();
            Rollout[] own = await Rollouts.SampleAsync(policy, prompts, rows, 1, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);
            Rollout[] others = await Rollouts.SampleAsync(opponent, prompts, rows, 1, maxTokens, stopTokens, stage.Stream("opponent").Split((ulong)step), cancellation);
            Rollout[] both = [.. own, .. others];

            // 2. their rewards order them, the policy's first when they are equal; a pair that was not scored is left out
            double[] rewards = await reward(both, cancellation);
            for (int i = 0; i < rewards.Length; i++)
                rewards[i] -= both[i].Ended ? 0 : settings.MissingEndPenalty;
            double[][] references = await Rollouts.OutputsAsync(reference, both, settings.MicroTokens, cancellation);
            int n = rows.Length;
            RolloutMetrics look = RolloutMetrics.Of(own, rewards[..n], 1, references[..n]);
            int[] pairs = [.. Enumerable.Range(0, n).Where(i => !double.IsNaN(rewards[i]) && !double.IsNaN(rewards[n + i]))];

            // 3. the loss on each pair, and back through the policy
            PairLogProbs[] logProbs = new PairLogProbs[pairs.Length];
            double[] gradientChosen = new double[pairs.Length], gradientRejected = new double[pairs.Length];
            double exploration = 0;
            Sequence[] sequences = [.. pairs.SelectMany(i => new[] { own[i].Sequence, others[i].Sequence })];
            foreach ((int start, int end) in MicroBatches.Split([.. pairs.Select((_, k) => sequences[2 * k].Input.Length + sequences[2 * k + 1].Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[(2 * start)..(2 * end)];
                PassResult pass = await policy.ForwardAsync(batch, cancellation);
                for (int k = start; k < end; k++)
                {
                    int i = pairs[k];
                    SumLogProb mine = SumLogProb.Of(pass.Outputs[2 * (k - start)].Span), theirs = SumLogProb.Of(pass.Outputs[2 * (k - start) + 1].Span);
                    SumLogProb mineBefore = new(references[i].Sum()), theirsBefore = new(references[n + i].Sum());
                    exploration += settings.Alpha * theirs.Value / pairs.Length;
                    logProbs[k] = rewards[i] >= rewards[n + i]
                        ? new(mine, theirs, mineBefore, theirsBefore, own[i].Tokens.Length, others[i].Tokens.Length)
                        : new(theirs, mine, theirsBefore, mineBefore, others[i].Tokens.Length, own[i].Tokens.Length);
                }
                OnlinePairLoss.Dpo(settings.Loss, settings.Beta, logProbs.AsSpan(start, end - start), gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                double share = (double)(end - start) / pairs.Length;
                await policy.BackwardAsync(batch, [.. batch.Select((sequence, row) =>
                {
                    int k = start + row / 2;
                    bool mine = row % 2 == 0, won = rewards[pairs[k]] >= rewards[n + pairs[k]];
                    return ResponseOutputs.Spread(sequence, share * (mine == won ? gradientChosen : gradientRejected)[k] + (mine ? 0 : settings.Alpha / pairs.Length));
                })], cancellation);
            }
            AdamStep adam = settings.Optimisation.At(step, settings.Steps, settings.LearningRate);
            double gradientNorm = pairs.Length == 0 ? 0 : (await policy.StepAsync(adam, cancellation)).GradientNorm;

            // 4. what there is to tell, and whether this is the best policy so far
            DpoLossResult? loss = pairs.Length == 0 ? null : OnlinePairLoss.Dpo(settings.Loss, settings.Beta, logProbs, gradientChosen, gradientRejected);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss?.Loss + exploration ?? double.NaN,
                ["loss/dpo"] = loss?.Loss ?? double.NaN,
                ["loss/xpo"] = exploration,
                ["grad_norm"] = gradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
                ["objective/ref_scores"] = GroupAdvantages.Mean(rewards.AsSpan(n)),
                ["objective/scores_margin"] = look.Reward - GroupAdvantages.Mean(rewards.AsSpan(n)),
            };
            (loss?.Metrics ?? PairMetrics.NotMeasured).AddTo(metrics);
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
