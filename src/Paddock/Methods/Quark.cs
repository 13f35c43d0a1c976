// Quark: reward-conditioned learning from one's own answers (Lu et al. 2022, arXiv 2205.13636, algorithm 1; AlpacaFarm's variant, Dubois et al. 2023).
//
//   every step: answer prompts, score, sort by reward into quantiles, and learn
//   loss = mean over tokens of  -log pi(y_t)  +  kl * (log pi(y_t) - log ref(y_t))^2 / 2
//
// With control texts every quantile is learned behind its own and answers are drawn behind the best one's (not in the first step); without,
// as AlpacaFarm's default, only the best quantile is kept. The reference never sees a control text. Differs from the paper: the KL is an
// estimate on the sampled tokens (k2, whose gradient is that of the KL where the tokens are the policy's own) in place of the sum over the
// vocabulary; answers are learned in the step that drew them, without a pool. Page, metrics and results: docs/methods/quark.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of Quark.</summary>
/// <param name="Batch">Prompts answered a step.</param>
/// <param name="Quantiles">Equal parts that the answers of a step are sorted into; what is left over goes to the worst.</param>
/// <param name="Kl">Weight of the divergence to the reference.</param>
/// <param name="Temperature">Of the answers; 1 is the policy itself.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record QuarkSettings([Range(1, int.MaxValue)] int Batch = 128, [Range(1, int.MaxValue)] int Epochs = 4, [Range(1, 64)] int Quantiles = 4, [Range(0, double.MaxValue)] double Kl = 0.05,
    [Range(0, 100, MinimumIsExclusive = true)] double Temperature = 1, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 2e-4, [Inline] Optimisation? Optimisation = null,
    [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on its own best answers. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Quark(QuarkSettings settings)
{
    private sealed record State(int Step);

    /// <param name="controls">Ids behind the prompt for each quantile, the best first; empty keeps the best quantile alone, without any.</param>
    /// <param name="score">Rewards of answers, given as (prompt, ids).</param>
    /// <param name="reference">The policy as it was before training; frozen.</param>
    public async Task RunAsync(IReadOnlyList<int[]> prompts, IReadOnlyList<int[]> controls, int maxTokens, IReadOnlyList<int> stopTokens,
        Func<IReadOnlyList<(int Prompt, IReadOnlyList<int> Tokens)>, CancellationToken, Task<double[]>> score, ITrainableModel policy, ITrainableModel reference, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), prompts.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0);
        SamplingOptions sampling = SamplingOptions.Plain(maxTokens, (float)settings.Temperature, stopTokens);

        for (int step = state.Step; step < steps; step++)
        {
            // 1. answers of the policy as it is now, asked for the best quantile once it knows what that is
            int[] rows = order.Rows(step).ToArray();
            int[] asked = controls.Count > 0 && step > 0 ? controls[0] : [];
            Completion[] answers = new Completion[rows.Length];
            await using (ISampler sampler = await policy.SnapshotSamplerAsync(cancellation))
                await foreach (Completion completion in sampler.SampleAsync([.. rows.Select((row, i) =>
                    new SampleRequest((int[])[.. prompts[row], .. asked], 1, stage.Stream("samples").Split((ulong)step).Split((ulong)i).AsSeed()))], sampling, cancellation))
                    answers[completion.Request] = completion;

            // 2. rewards, and the quantile of each answer; equal rewards stay in order
            double[] rewards = await score([.. rows.Select((row, i) => (row, answers[i].Tokens))], cancellation);
            int[] quantile = QuantilesOf(rewards, settings.Quantiles);
            int[] kept = [.. Enumerable.Range(0, rows.Length).Where(i => controls.Count > 0 || quantile[i] == 0)];
            Sequence[] learned = [.. kept.Select(i => Sequence.ForResponse((int[])[.. prompts[rows[i]], .. controls.Count > 0 ? controls[quantile[i]] : []], [.. answers[i].Tokens]))];
            Sequence[] plain = [.. kept.Select(i => Sequence.ForResponse(prompts[rows[i]], [.. answers[i].Tokens]))];
            long tokens = kept.Sum(i => (long)answers[i].Tokens.Count);

            // 3. likelihood and divergence of each token, and back through the policy
            double likelihood = 0, divergence = 0, kl = 0;
            foreach ((int start, int end) in MicroBatches.Split([.. learned.Select(s => s.Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = learned[start..end];
                IReadOnlyList<ReadOnlyMemory<float>> frozen = (await reference.ForwardAsync(plain[start..end], cancellation)).Outputs, outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int i = 0; i < batch.Length; i++)
                {
                    int n = answers[kept[start + i]].Tokens.Count;
                    ReadOnlyMemory<float> ours = outputs[i][^n..], theirs = frozen[i][^n..];
                    double[] gradient = new double[n];
                    for (int t = 0; t < n; t++)
                    {
                        double logProb = ours.Span[t], ratio = logProb - theirs.Span[t];
                        likelihood -= logProb;
                        divergence += ratio * ratio / 2;
                        kl += ratio;
                        gradient[t] = (-1 + settings.Kl * ratio) / tokens;
                    }
                    coefficients[i] = ResponseOutputs.Scatter(batch[i], gradient);
                }
                await policy.BackwardAsync(batch, coefficients, cancellation);
            }

            // 4. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            state = new State(step + 1);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = (likelihood + settings.Kl * divergence) / tokens,
                ["quark/kl"] = kl / kept.Length,
                ["quark/reward_mean"] = rewards.Average(),
                ["quark/reward_best"] = Enumerable.Range(0, rows.Length).Where(i => quantile[i] == 0).Average(i => rewards[i]),
                ["quark/reward_worst"] = Enumerable.Range(0, rows.Length).Where(i => quantile[i] == quantile.Max()).Average(i => rewards[i]),
                ["quark/length"] = answers.Average(a => (double)a.Tokens.Count),
                ["quark/truncated"] = answers.Average(a => a.Stop == StopReason.Length ? 1.0 : 0.0),
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
            };
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }

    /// <summary>
    /// Quantile of each reward, 0 the best: sorted from the largest, cut into equal parts, the remainder to the last. Fewer rewards than
    /// quantiles give one a part. Equal rewards keep their order; a reward that is not a number is an error of its maker.
    /// </summary>
    internal static int[] QuantilesOf(IReadOnlyList<double> rewards, int quantiles)
    {
        int[] order = [.. Enumerable.Range(0, rewards.Count).OrderByDescending(i => rewards[i])];
        int part = Math.Max(1, rewards.Count / quantiles);
        int[] found = new int[rewards.Count];
        for (int rank = 0; rank < order.Length; rank++)
            found[order[rank]] = Math.Min(rank / part, quantiles - 1);
        return found;
    }
}
