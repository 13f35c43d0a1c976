// KTO: Kahneman-Tversky Optimization (Ethayarajh et al. 2024, arXiv 2402.01306, eq. 8), on answers with a thumb up or down.
//
//   loss = w_D (1 - sigmoid(beta (r - z)))   for a desirable answer        r = logp - ref, summed over the response
//   loss = w_U (1 - sigmoid(beta (z - r)))   for an undesirable one        z = max(0, mean over the step of logp(y') - ref(y'))
//
// y' is the answer of the row before, so that (x, y') is a mismatched pair: z estimates the KL to the reference. It is one number a step
// and is not differentiated. Differs from the official code: rows with a reward of exactly 0 count like all others; AdamW with a cosine.
// Page, metrics and results: docs/methods/kto.md
using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of KTO; beta is the paper's.</summary>
/// <param name="Loss">KTO, or APO-zero on unpaired labels (arXiv 2408.06266), which needs no anchor.</param>
/// <param name="DesirableWeight">Weight of answers with a thumb up. The paper keeps weight times count of the desirable at 1 to 1.5 times that of the undesirable, and moves one of the two only.</param>
/// <param name="UndesirableWeight">Weight of answers with a thumb down: loss aversion.</param>
/// <param name="Batch">Answers a step; two at least, as the anchor needs a mismatched pair.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record KtoSettings([Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, KtoLossType Loss = KtoLossType.Kto, [Range(0, double.MaxValue)] double DesirableWeight = 1,
    [Range(0, double.MaxValue)] double UndesirableWeight = 1, [Range(2, int.MaxValue)] int Batch = 64, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on labelled answers. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Kto(KtoSettings settings)
{
    /// <param name="References">Log-prob of each answer under the reference, as bytes of doubles; NaN where not computed yet.</param>
    private sealed record State(int Step, byte[] References);

    /// <param name="reference">The policy as it was before training; frozen.</param>
    public async Task RunAsync(IReadOnlyList<TokenizedLabel> labels, ITrainableModel policy, ITrainableModel reference, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), labels.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State? resumed = await stage.ResumeAsync<State>(cancellation);
        KtoLossOptions options = new(settings.Loss, settings.Beta, settings.DesirableWeight, settings.UndesirableWeight);
        double[] references = resumed == null ? new double[labels.Count] : MemoryMarshal.Cast<byte, double>(resumed.References).ToArray();
        if (resumed == null)
            Array.Fill(references, double.NaN);

        for (int step = resumed?.Step ?? 0; step < steps; step++)
        {
            // 1. the answers of this step: a pure function of (seed, step), shuffled, so that both classes come in any mixture
            int[] rows = order.Rows(step).ToArray();
            Sequence[] sequences = [.. rows.Select(row => Sequence.ForResponse(labels[row].Prompt, labels[row].Response))];

            // 2. the anchor: each prompt with the answer of the row before it, under policy and reference, without a gradient
            double anchor = 0;
            if (settings.Loss == KtoLossType.Kto && rows.Length > 1)
            {
                Sequence[] mismatched = [.. rows.Select((row, i) => Sequence.ForResponse(labels[row].Prompt, labels[rows[(i + rows.Length - 1) % rows.Length]].Response))];
                double[] ratios = new double[rows.Length];
                foreach ((int start, int end) in Runs(mismatched))
                {
                    Sequence[] batch = mismatched[start..end];
                    IReadOnlyList<ReadOnlyMemory<float>> ours = (await policy.ForwardAsync(batch, cancellation)).Outputs, frozen = (await reference.ForwardAsync(batch, cancellation)).Outputs;
                    for (int i = start; i < end; i++)
                        ratios[i] = SumLogProb.Of(ours[i - start].Span).Value - SumLogProb.Of(frozen[i - start].Span).Value;
                }
                anchor = KtoLoss.Anchor(ratios);
            }

            // 3. log-probs of the answers under the frozen reference (once per answer) and the policy, the loss, and back through the policy
            LabelledLogProb[] logProbs = new LabelledLogProb[rows.Length];
            double[] gradient = new double[rows.Length];
            foreach ((int start, int end) in Runs(sequences))
            {
                Sequence[] batch = sequences[start..end];
                if (rows[start..end].Any(row => double.IsNaN(references[row])))
                {
                    IReadOnlyList<ReadOnlyMemory<float>> frozen = (await reference.ForwardAsync(batch, cancellation)).Outputs;
                    for (int i = start; i < end; i++)
                        references[rows[i]] = SumLogProb.Of(frozen[i - start].Span).Value;
                }
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                for (int i = start; i < end; i++)
                    logProbs[i] = new LabelledLogProb(SumLogProb.Of(outputs[i - start].Span), new(references[rows[i]]), labels[rows[i]].Desirable);
                KtoLoss.Compute(options, anchor, logProbs.AsSpan(start, end - start), gradient.AsSpan(start, end - start));
                double share = (double)(end - start) / rows.Length;
                await policy.BackwardAsync(batch, [.. batch.Select((sequence, i) => ResponseOutputs.Spread(sequence, share * gradient[start + i]))], cancellation);
            }
            KtoLossResult loss = KtoLoss.Compute(options, anchor, logProbs, gradient);

            // 4. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            State state = new(step + 1, MemoryMarshal.AsBytes<double>(references).ToArray());
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss.Loss,
                ["kl"] = loss.Kl,
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
            };
            loss.Metrics.AddTo(metrics);
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }

    private IEnumerable<(int Start, int End)> Runs(Sequence[] sequences) => MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens);
}
