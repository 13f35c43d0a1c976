// Online DPO (Guo et al. 2024, arXiv 2402.04792, algorithm 1): the DPO loss on pairs that the policy draws itself and a reward orders.
//
//   y1, y2 ~ pi(.|x)      chosen = y1 if r(y1) >= r(y2) else y2      loss = -log sigmoid(beta ((logp_w - ref_w) - (logp_l - ref_l)))
//
// Differs from the paper: a reward model in place of a language model's verdict; AdamW with a cosine. Page, metrics and results:
// docs/methods/online-dpo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of online DPO.</summary>
/// <param name="Loss">The loss on a pair: <c>sigmoid</c> or <c>ipo</c> (on sums over tokens).</param>
/// <param name="Prompts">Prompts a step; two answers are drawn for each.</param>
/// <param name="Steps">Steps of the optimizer, each on answers of its own.</param>
/// <param name="MissingEndPenalty">Taken off the reward of an answer that never ended.</param>
public sealed record OnlineDpoSettings(OnlinePairLossType Loss = OnlinePairLossType.Sigmoid, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, [Range(1, 1 << 20)] int Prompts = 64,
    [Range(1, int.MaxValue)] int Steps = 80, [Range(0, double.MaxValue)] double MissingEndPenalty = 0, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4,
    [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Learns from pairs of its own answers. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class OnlineDpo(OnlineDpoSettings settings)
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

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. two answers a prompt of the policy as it is: a pure function of (weights, seed, step)
            Rollout[] rollouts = await Rollouts.SampleAsync(policy, prompts, order.Rows(step).ToArray(), 2, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);

            // 2. their rewards order them; a pair that was not scored is left out
            double[] rewards = await reward(rollouts, cancellation);
            for (int i = 0; i < rewards.Length; i++)
                rewards[i] -= rollouts[i].Ended ? 0 : settings.MissingEndPenalty;
            double[][] references = await Rollouts.OutputsAsync(reference, rollouts, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(rollouts, rewards, 2, references);
            (int Chosen, int Rejected)[] pairs = Order(rewards);

            // 3. the loss on each pair, and back through the policy
            PairLogProbs[] logProbs = new PairLogProbs[pairs.Length];
            double[] gradientChosen = new double[pairs.Length], gradientRejected = new double[pairs.Length];
            Sequence[] sequences = [.. pairs.SelectMany(p => new[] { rollouts[p.Chosen].Sequence, rollouts[p.Rejected].Sequence })];
            foreach ((int start, int end) in MicroBatches.Split([.. pairs.Select((_, i) => sequences[2 * i].Input.Length + sequences[2 * i + 1].Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[(2 * start)..(2 * end)];
                PassResult pass = await policy.ForwardAsync(batch, cancellation);
                for (int i = start; i < end; i++)
                    logProbs[i] = new PairLogProbs(SumLogProb.Of(pass.Outputs[2 * (i - start)].Span), SumLogProb.Of(pass.Outputs[2 * (i - start) + 1].Span),
                        new(references[pairs[i].Chosen].Sum()), new(references[pairs[i].Rejected].Sum()), rollouts[pairs[i].Chosen].Tokens.Length, rollouts[pairs[i].Rejected].Tokens.Length);
                OnlinePairLoss.Dpo(settings.Loss, settings.Beta, logProbs.AsSpan(start, end - start), gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                double share = (double)(end - start) / pairs.Length;
                await policy.BackwardAsync(batch, [.. batch.Select((sequence, i) => ResponseOutputs.Spread(sequence, share * (i % 2 == 0 ? gradientChosen : gradientRejected)[start + i / 2]))], cancellation);
            }
            AdamStep adam = settings.Optimisation.At(step, settings.Steps, settings.LearningRate);
            double gradientNorm = pairs.Length == 0 ? 0 : (await policy.StepAsync(adam, cancellation)).GradientNorm;

            // 4. what there is to tell, and whether this is the best policy so far
            DpoLossResult? loss = pairs.Length == 0 ? null : OnlinePairLoss.Dpo(settings.Loss, settings.Beta, logProbs, gradientChosen, gradientRejected);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss?.Loss ?? double.NaN,
                ["grad_norm"] = gradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
                ["objective/scores_margin"] = pairs.Length == 0 ? double.NaN : pairs.Average(p => rewards[p.Chosen] - rewards[p.Rejected]),
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

    /// <summary>The better answer first; the first of two equal ones. <paramref name="rewards"/>: the two of a prompt stand together; NaN was not scored.</summary>
    internal static (int Chosen, int Rejected)[] Order(ReadOnlySpan<double> rewards)
    {
        List<(int, int)> pairs = [];
        for (int i = 0; i + 1 < rewards.Length; i += 2)
            if (!double.IsNaN(rewards[i]) && !double.IsNaN(rewards[i + 1]))
                pairs.Add(rewards[i] >= rewards[i + 1] ? (i, i + 1) : (i + 1, i));
        return [.. pairs];
    }
}
