// PPO for RLHF (Schulman et al. 2017, arXiv 1707.06347; Ouyang et al. 2022, section 3.4; details: Huang et al. 2024, arXiv 2403.17031).
//
//   r_t = -kl (log pi_old - log ref)_t  + score at the last token        A by GAE from a value model
//   loss = mean max(-A rho, -A clip(rho, 1 - c, 1 + c)) + w 1/2 mean max((V - R)^2, (V_clipped - R)^2)        rho = pi / pi_old
//
// Differs from the papers: means run over the real tokens of an optimizer step and over nothing else; policy and value model have
// an AdamW and a gradient clip each. Flavour alpacafarm: clamped KL, whitened rewards, and means over all positions up to the length
// limit, as the code of Dubois et al. 2023 has them. Page, metrics and results: docs/methods/ppo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Whose details PPO follows.</summary>
public enum PpoFlavour
{
    /// <summary>Every mean over real tokens only.</summary>
    Masked,

    /// <summary>KL clamped at 0, rewards whitened, moments and means over all positions up to the length limit.</summary>
    Alpacafarm,
}

/// <summary>Where PPO's advantages come from.</summary>
public enum PpoBaseline
{
    /// <summary>A value model and generalised advantage estimation.</summary>
    Value,

    /// <summary>The mean total reward of the prompt's other answers, the same for all tokens; needs no value model.</summary>
    LeaveOneOut,
}

/// <summary>Settings of PPO.</summary>
/// <param name="Flavour">Whose details it follows: <c>masked</c>, or <c>alpacafarm</c> for the reference code's clamps, whitening and means.</param>
/// <param name="Baseline">What advantages are measured from: <c>value</c> (a value model) or <c>leave-one-out</c> (the prompt's other answers).</param>
/// <param name="Prompts">Prompts a step.</param>
/// <param name="Samples">Answers a prompt.</param>
/// <param name="Steps">Rounds of sampling and updating.</param>
/// <param name="Epochs">Passes over the answers of a step.</param>
/// <param name="MiniBatches">Updates a pass.</param>
/// <param name="Clip">How far the ratio to the sampling policy may move.</param>
/// <param name="ValueClip">How far a value may move from what it was when the answers were drawn.</param>
/// <param name="ValueWeight">Weight of the value loss.</param>
/// <param name="Gamma">Discount of later rewards.</param>
/// <param name="Lambda">Bias against variance of the advantages; 1 takes the whole return.</param>
/// <param name="Kl">Coefficient of the KL penalty in the reward; where it starts with <c>target-kl</c>.</param>
/// <param name="KlEstimator">Estimate of the KL of a token: <c>k1</c>, <c>k3</c> or <c>clamped</c>; flavour alpacafarm takes clamped.</param>
/// <param name="TargetKl">Mean KL of an answer that the coefficient is steered to; fixed when left out.</param>
/// <param name="StopKl">Mean KL of an answer at which training stops; never when left out.</param>
/// <param name="StopApproxKl">KL between the updated and the sampling policy, a token, at which the updates of a step end; never when left out.</param>
/// <param name="WhitenRewards">Scales the rewards of a step to variance 1; always so in flavour alpacafarm.</param>
/// <param name="WhitenAdvantages">Scales the advantages of a step to mean 0 and variance 1.</param>
/// <param name="MissingEndPenalty">Taken off the score of an answer that never ended.</param>
/// <param name="ValueLearningRate">The value model's rate at the peak; the policy's when left out.</param>
public sealed record PpoSettings(PpoFlavour Flavour = PpoFlavour.Masked, PpoBaseline Baseline = PpoBaseline.Value, [Range(1, 1 << 20)] int Prompts = 32, [Range(1, 65536)] int Samples = 4, [Range(1, int.MaxValue)] int Steps = 40,
    [Range(1, 1000)] int Epochs = 1, [Range(1, 1 << 20)] int MiniBatches = 2, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Clip = 0.2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double ValueClip = 0.2, [Range(0, double.MaxValue)] double ValueWeight = 0.1, [Range(0, 1)] double Gamma = 1, [Range(0, 1)] double Lambda = 0.95,
    [Range(0, double.MaxValue)] double Kl = 0.02, KlEstimator KlEstimator = KlEstimator.K1, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? TargetKl = null,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? StopKl = null, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? StopApproxKl = null, bool WhitenRewards = false, bool WhitenAdvantages = true,
    [Range(0, double.MaxValue)] double MissingEndPenalty = 0, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 4e-4,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double? ValueLearningRate = null, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Optimises a policy against a reward. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Ppo(PpoSettings settings)
{
    private sealed record State(int Step, double Kl, bool Stopped, BestPolicy Best, WatchState Watch);

    /// <param name="prompts">Ids of each prompt to train on.</param>
    /// <param name="reference">The policy as it was before training; frozen.</param>
    /// <param name="value">A model with a scalar head that learns what to expect; null with a leave-one-out baseline.</param>
    /// <param name="selection">Chooses among the policies of the run; null keeps the last.</param>
    /// <returns>The policy to keep.</returns>
    public async Task<BestPolicy> RunAsync(IReadOnlyList<int[]> prompts, RewardOf reward, ITrainableModel policy, ITrainableModel reference, ITrainableModel? value, int maxTokens,
        IReadOnlyList<int> stopTokens, Selection? selection, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = DataOrder.ForSteps(stage.Stream("data"), prompts.Count, settings.Prompts, settings.Steps);
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, settings.Kl, false, BestPolicy.None, WatchState.Start);
        int updates = settings.Epochs * settings.MiniBatches;

        for (int step = state.Step; step < settings.Steps && !state.Stopped; step++)
        {
            // 1. answers of the policy as it is: a pure function of (weights, seed, step)
            Rollout[] rollouts = await Rollouts.SampleAsync(policy, prompts, order.Rows(step).ToArray(), settings.Samples, maxTokens, stopTokens, stage.Stream("rollouts").Split((ulong)step), cancellation);

            // 2. their scores, their log-probs under the reference, and what the value model expected; an answer without a score is left out
            double[] scores = await reward(rollouts, cancellation);
            double[][] references = await Rollouts.OutputsAsync(reference, rollouts, settings.MicroTokens, cancellation);
            RolloutMetrics look = RolloutMetrics.Of(rollouts, scores, settings.Samples, references);
            double[][]? values = value == null ? null : await Rollouts.OutputsAsync(value, rollouts, settings.MicroTokens, cancellation);
            PpoTargets targets = Targets(rollouts, scores, references, values, state.Kl, maxTokens);

            // 3. several updates on them
            PpoSums sums = new();
            double loss = 0, gradientNorm = 0, valueGradientNorm = 0, rate = 0;
            int done = 0;
            for (int epoch = 0; epoch < settings.Epochs; epoch++)
                foreach (int[] rows in Rollouts.MiniBatches(stage.Stream("minibatches"), step, epoch, rollouts.Length, settings.MiniBatches))
                {
                    if (settings.StopApproxKl < sums.ApproximateKl.Value)
                        continue;
                    loss += await UpdateAsync(rows, rollouts, targets, values, policy, value, maxTokens, sums, cancellation);
                    int update = step * updates + done++;
                    AdamStep adam = settings.Optimisation.At(update, settings.Steps * updates, settings.LearningRate);
                    gradientNorm += (await policy.StepAsync(adam, cancellation)).GradientNorm;
                    if (value != null)
                        valueGradientNorm += (await value.StepAsync(settings.Optimisation.At(update, settings.Steps * updates, settings.ValueLearningRate ?? settings.LearningRate), cancellation)).GradientNorm;
                    rate = adam.LearningRate;
                }

            // 4. the KL coefficient of the next step, and what there is to tell
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss / done,
                ["grad_norm"] = gradientNorm / done,
                ["value_grad_norm"] = value == null ? double.NaN : valueGradientNorm / done,
                ["learning_rate"] = rate,
                ["epoch"] = order.Epoch(step + 1),
                ["episode"] = (step + 1.0) * settings.Prompts * settings.Samples,
                ["kl_coef"] = state.Kl,
                ["objective/kl"] = look.Kl,
                ["objective/entropy"] = look.Entropy * look.Length,
                ["objective/scores"] = look.Reward,
                ["objective/scores_std"] = look.RewardDeviation,
                ["objective/non_score_reward"] = targets.NonScore,
                ["objective/rlhf_reward"] = look.Reward + targets.NonScore,
                ["val/num_eos_tokens"] = rollouts.Count(r => r.Ended),
            };
            look.AddLengthsTo(metrics);
            sums.AddTo(metrics);
            bool stop = look.Kl > settings.StopKl;
            if (stop)
                stage.Warn($"stopped after step {step + 1}: the policy is {look.Kl:0.0} nats an answer away from its reference, beyond stop-kl {settings.StopKl}");
            state = new State(step + 1, settings.TargetKl is { } target ? KlPenalty.Adapt(state.Kl, look.Kl, target) : state.Kl, stop,
                await Selection.ConsiderAsync(selection, state.Best, stop ? settings.Steps : step + 1, settings.Steps, policy, metrics, cancellation), state.Watch);
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

    /// <param name="Advantages">[answers][tokens]</param>
    /// <param name="Returns">[answers][tokens]; what the value model should have expected.</param>
    /// <param name="NonScore">Mean over answers of the KL part of the reward.</param>
    private sealed record PpoTargets(double[][] Advantages, double[][] Returns, double NonScore);

    private PpoTargets Targets(Rollout[] rollouts, double[] scores, double[][] references, double[][]? values, double kl, int maxTokens)
    {
        bool alpacaFarm = settings.Flavour == PpoFlavour.Alpacafarm;
        KlEstimator estimator = alpacaFarm ? KlEstimator.Clamped : settings.KlEstimator;
        int n = rollouts.Length;
        double[][] rewards = new double[n][], advantages = new double[n][], returns = new double[n][];
        double[] totals = new double[n];
        StepMean nonScore = default;
        for (int i = 0; i < n; i++)
        {
            double score = scores[i] - (rollouts[i].Ended ? 0 : settings.MissingEndPenalty);
            rewards[i] = PpoRewards.Of(estimator, rollouts[i].LogProbs, references[i], double.IsNaN(score) ? 0 : score, kl, atEnd: true);
            double penalty = -kl * KlPenalty.Sum(estimator, rollouts[i].LogProbs, references[i]);
            nonScore.Add(penalty);
            totals[i] = score + penalty;
        }
        if (values == null)
        {
            double[] perAnswer = GroupAdvantages.LeaveOneOut(totals, settings.Samples);
            for (int i = 0; i < n; i++)
            {
                advantages[i] = new double[rollouts[i].Tokens.Length];
                Array.Fill(advantages[i], perAnswer[i]);
                returns[i] = [];
            }
        }
        else
        {
            // AlpacaFarm's rows are as wide as an answer may be: what stands behind the end takes part in whitening and in advantages
            int Width(int answer) => alpacaFarm ? maxTokens : rollouts[answer].Tokens.Length;
            for (int i = 0; i < n; i++)
                Array.Resize(ref rewards[i], Width(i));
            if (settings.WhitenRewards || alpacaFarm)
                Gae.Whiten(rewards, Gae.Moments(rewards, unbiased: !alpacaFarm), shiftMean: false);
            for (int i = 0; i < n; i++)
            {
                double[] expected = values[i];
                Array.Resize(ref expected, Width(i));
                advantages[i] = Gae.Advantages(rewards[i], expected, settings.Gamma, settings.Lambda);
                returns[i] = [.. values[i].Zip(advantages[i], (v, a) => a + v)];
            }
        }
        if (settings.WhitenAdvantages)
            Gae.Whiten(advantages, Gae.Moments(advantages, unbiased: !alpacaFarm), shiftMean: true);
        for (int i = 0; i < n; i++)
            if (double.IsNaN(scores[i]))
            {
                // nothing is known of this answer: it moves neither model
                Array.Clear(advantages[i]);
                returns[i] = values == null ? [] : [.. values[i]];
            }
        return new(advantages, returns, nonScore.Value);
    }

    // forward, loss and backward of one minibatch, in parts that fit in memory; the mean is over all its tokens
    private async Task<double> UpdateAsync(int[] rows, Rollout[] rollouts, PpoTargets targets, double[][]? values, ITrainableModel policy, ITrainableModel? value, int maxTokens, PpoSums sums,
        CancellationToken cancellation)
    {
        double tokens = settings.Flavour == PpoFlavour.Alpacafarm ? (double)rows.Length * maxTokens : rows.Sum(i => (double)rollouts[i].Tokens.Length), loss = 0;
        Sequence[] sequences = [.. rows.Select(i => rollouts[i].Sequence)];
        foreach ((int start, int end) in MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens))
        {
            Sequence[] batch = sequences[start..end];
            PassResult pass = await policy.ForwardAsync(batch, cancellation);
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
            for (int k = 0; k < batch.Length; k++)
            {
                int i = rows[start + k];
                double[] logProbs = Rollouts.Gather(batch[k], pass.Outputs[k]), gradient = new double[logProbs.Length];
                loss += PpoLoss.Policy(logProbs, rollouts[i].LogProbs, targets.Advantages[i], settings.Clip, tokens, gradient, sums) / tokens;
                coefficients[k] = ResponseOutputs.Scatter(batch[k], gradient);
            }
            await policy.BackwardAsync(batch, coefficients, cancellation);
            if (value == null)
                continue;
            pass = await value.ForwardAsync(batch, cancellation);
            for (int k = 0; k < batch.Length; k++)
            {
                int i = rows[start + k];
                double[] now = Rollouts.Gather(batch[k], pass.Outputs[k]), gradient = new double[now.Length];
                loss += settings.ValueWeight * PpoLoss.Value(now, values![i], targets.Returns[i], settings.ValueClip, settings.ValueWeight, tokens, gradient, sums) / tokens;
                coefficients[k] = ResponseOutputs.Scatter(batch[k], gradient);
            }
            await value.BackwardAsync(batch, coefficients, cancellation);
        }
        return loss;
    }
}
