// GRPO (Shao et al. 2024, arXiv 2402.03300, eq. 3) and the losses that share its seam: dapo, bnpo, dr_grpo, gspo, cispo and more.
//
//   A = (R - mean of the prompt's answers) / (their std + 1e-4)
//   loss = -mean over tokens of min(rho A, clip(rho, 1 - c_low, 1 + c_high) A)  + beta k3(pi || ref)        rho = pi / pi_old
//
// No value model: the prompt's other answers are the baseline. Differs from the paper: the reduction is the loss's own (dapo by default)
// and always over the whole optimizer step. Page, metrics and results: docs/methods/grpo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of GRPO.</summary>
/// <param name="Loss">The loss on an answer: <c>dapo</c>, <c>grpo</c>, <c>bnpo</c>, <c>dr-grpo</c>, <c>gspo</c>, <c>gspo-token</c>, <c>cispo</c>, <c>sapo</c>, <c>luspo</c>, <c>vespo</c> or <c>gmpo</c> (docs/methods/grpo.md).</param>
/// <param name="Scale">What advantages are divided by: the spread of the <c>group</c>, of the <c>batch</c>, or <c>none</c>.</param>
/// <param name="Prompts">Prompts a step.</param>
/// <param name="Samples">Answers a prompt.</param>
/// <param name="Steps">Rounds of sampling and updating.</param>
/// <param name="Epochs">Passes over the answers of a step.</param>
/// <param name="MiniBatches">Updates a pass.</param>
/// <param name="ClipLow">How far a ratio may fall below 1; the loss's own default when left out.</param>
/// <param name="ClipHigh">How far a ratio may rise above 1 (cispo: the largest ratio itself); the loss's own default when left out.</param>
/// <param name="Delta">Upper bound of the unclipped ratio (arXiv 2505.07291); off when left out.</param>
/// <param name="Beta">Weight of the KL term; 0 needs no reference.</param>
/// <param name="UnbiasedKl">Multiplies the KL term by the ratio, so that it stays unbiased when answers are used more than once.</param>
/// <param name="Entropy">Weight of an entropy bonus; needs a backend that has whole distributions.</param>
/// <param name="TopEntropy">Share of the tokens, those of highest entropy, that the policy learns from (arXiv 2506.01939); 1 is all.</param>
/// <param name="OffPolicyKl">Leaves out bad answers that the policy has moved away from by more than this a token (arXiv 2512.02556); off when left out.</param>
/// <param name="MaskTruncated">Leaves answers that never ended out of the loss and out of what it is divided by.</param>
/// <param name="MissingEndPenalty">Taken off the reward of an answer that never ended.</param>
public sealed record GrpoSettings(GrpoLossType Loss = GrpoLossType.Dapo, RewardScale Scale = RewardScale.Group, [Range(1, 1 << 20)] int Prompts = 32, [Range(2, 65536)] int Samples = 4, [Range(1, int.MaxValue)] int Steps = 40,
    [Range(1, 1000)] int Epochs = 1, [Range(1, 1 << 20)] int MiniBatches = 2, [Range(0, 1)] double? ClipLow = null, [Range(0, double.MaxValue)] double? ClipHigh = null,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? Delta = null, [Range(0, double.MaxValue)] double Beta = 0.02, bool UnbiasedKl = true, [Range(0, double.MaxValue)] double Entropy = 0,
    [Range(0, 1, MinimumIsExclusive = true)] double TopEntropy = 1, [Range(0, double.MaxValue)] double? OffPolicyKl = null, bool MaskTruncated = false, [Range(0, double.MaxValue)] double MissingEndPenalty = 0,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 4e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();

    /// <summary>The loss that these settings name.</summary>
    public GrpoLossOptions LossOptions => new(Loss, ClipLow, ClipHigh, Delta, Beta, UnbiasedKl, Entropy, OffPolicyKl);

    /// <summary>Whether it needs the entropy at every token.</summary>
    public bool NeedsEntropy => Entropy != 0 || TopEntropy < 1;
}

/// <summary>Optimises a policy against a reward without a value model. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Grpo(GrpoSettings settings)
{
    private sealed record State(int Step, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; null when beta is 0.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel? reference, int maxTokens, IReadOnlyList<int> stopTokens,
        Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        GrpoLossOptions options = settings.LossOptions;
        options.Validate();
        if (settings.NeedsEntropy)
            stage.Backend.Traits.Require(policy is IDistributionModel, "whole distributions, for the entropy at every token");
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, BestPolicy.None, WatchState.Start);
        int updates = settings.Epochs * settings.MiniBatches;

        for (int step = state.Step; step < settings.Steps; step++)
        {
            // 1. answers of the policy as it is: a pure function of (weights, seed, step)
            Rollout[] rollouts = await Rollouts.SampleAsync(policy, prompts, order.Rows(step).ToArray(), settings.Samples, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);

            // 2. rewards, and how each answer compares with the others to its prompt
            double[] rewards = await reward(rollouts, cancellation);
            for (int i = 0; i < rewards.Length; i++)
                rewards[i] -= rollouts[i].Ended ? 0 : settings.MissingEndPenalty;
            double[] advantages = GroupAdvantages.Of(rewards, settings.Samples, settings.Scale);
            double[][]? references = reference == null ? null : await Rollouts.OutputsAsync(reference, rollouts, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(rollouts, rewards, settings.Samples, references);

            // 3. several updates on them
            GrpoSums sums = new();
            double loss = 0, gradientNorm = 0, rate = 0;
            int done = 0;
            for (int epoch = 0; epoch < settings.Epochs; epoch++)
                foreach (int[] rows in Rollouts.MiniBatches(stage.Stream("minibatches"), step, epoch, rollouts.Length, settings.MiniBatches))
                {
                    loss += await GradientAsync(options, rows, rollouts, advantages, references, policy, maxTokens, sums, cancellation);
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

    // forward, loss and backward of one minibatch, in parts that fit in memory
    private async Task<double> GradientAsync(GrpoLossOptions options, int[] minibatch, Rollout[] rollouts, double[] advantages, double[][]? references, ITrainableModel policy, int maxTokens, GrpoSums sums,
        CancellationToken cancellation)
    {
        int[] rows = [.. minibatch.Where(i => !settings.MaskTruncated || rollouts[i].Ended)];
        if (rows.Length == 0)
            return 0; // every answer was cut off: nothing to learn from
        Sequence[] sequences = [.. rows.Select(i => rollouts[i].Sequence)];
        GrpoScale scale = new(minibatch.Length, rows.Sum(i => (long)rollouts[i].Tokens.Length), maxTokens);
        (int Start, int End)[] runs = [.. MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens)];

        // tokens below the threshold of entropy are known only when all are seen: one more pass
        double threshold = double.NegativeInfinity;
        if (settings.TopEntropy < 1)
        {
            List<double> all = [];
            foreach ((int start, int end) in runs)
            {
                DistributionResult pass = await ((IDistributionModel)policy).ForwardDistributionAsync(sequences[start..end], cancellation);
                for (int k = start; k < end; k++)
                    all.AddRange(Rollouts.Gather(sequences[k], pass.Entropies[k - start]));
            }
            threshold = Quantiles.Linear([.. all], 1 - settings.TopEntropy);
        }

        double loss = 0;
        foreach ((int start, int end) in runs)
        {
            Sequence[] batch = sequences[start..end];
            DistributionResult? whole = settings.NeedsEntropy ? await ((IDistributionModel)policy).ForwardDistributionAsync(batch, cancellation) : null;
            IReadOnlyList<ReadOnlyMemory<float>> outputs = whole?.LogProbs ?? (await policy.ForwardAsync(batch, cancellation)).Outputs;
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length], entropyCoefficients = new ReadOnlyMemory<float>[batch.Length];
            for (int k = 0; k < batch.Length; k++)
            {
                int i = rows[start + k];
                double[] logProbs = Rollouts.Gather(batch[k], outputs[k]), gradient = new double[logProbs.Length], entropyGradient = new double[logProbs.Length];
                double[]? entropies = whole == null ? null : Rollouts.Gather(batch[k], whole.Entropies[k]);
                bool[]? learns = settings.TopEntropy < 1 ? [.. entropies!.Select(e => e >= threshold)] : null;
                GrpoAnswer answer = new(logProbs, rollouts[i].LogProbs, references?[i], advantages[i], entropies, learns);
                loss += GrpoLoss.Add(options, answer, scale, gradient, entropyGradient, sums);
                coefficients[k] = ResponseOutputs.Scatter(batch[k], gradient);
                entropyCoefficients[k] = ResponseOutputs.Scatter(batch[k], entropyGradient);
            }
            if (whole != null)
                await ((IDistributionModel)policy).BackwardDistributionAsync(batch, coefficients, entropyCoefficients, cancellation);
            else
                await policy.BackwardAsync(batch, coefficients, cancellation);
        }
        return loss;
    }
}
