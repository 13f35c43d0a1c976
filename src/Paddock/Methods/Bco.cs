// BCO: binary classifier optimisation (Jung et al. 2024, arXiv 2404.04656), on answers with a thumb up or down.
//
//   loss = -log sigmoid(R - delta)   for a desirable answer       R = beta (logp - ref), summed over the response
//   loss = -log sigmoid(delta - R)   for an undesirable one       delta = running mean of all rewards, this step's included
//
// Delta is not differentiated. Differs from the paper: no density ratio on the undesirable answers (it needs an embedding of prompts, and
// is for labels of the two classes that come from different prompts); AdamW with a cosine. Page, metrics and results: docs/methods/bco.md
using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of BCO; beta is the paper's.</summary>
/// <param name="Batch">Answers a step.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record BcoSettings([Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, [Range(1, int.MaxValue)] int Batch = 64, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on labelled answers. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Bco(BcoSettings settings)
{
    /// <param name="References">Log-prob of each answer under the reference, as bytes of doubles; NaN where not computed yet.</param>
    private sealed record State(int Step, byte[] References, double Mean, long Count);

    /// <param name="reference">The policy as it was before training; frozen.</param>
    public async Task RunAsync(IReadOnlyList<TokenizedLabel> labels, ITrainableModel policy, ITrainableModel reference, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), labels.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State? resumed = await stage.ResumeAsync<State>(cancellation);
        double[] references = resumed == null ? new double[labels.Count] : MemoryMarshal.Cast<byte, double>(resumed.References).ToArray();
        if (resumed == null)
            Array.Fill(references, double.NaN);
        RunningMean mean = resumed == null ? default : new RunningMean(resumed.Mean, resumed.Count);

        for (int step = resumed?.Step ?? 0; step < steps; step++)
        {
            // 1. the answers of this step: a pure function of (seed, step)
            int[] rows = order.Rows(step).ToArray();
            Sequence[] sequences = [.. rows.Select(row => Sequence.ForResponse(labels[row].Prompt, labels[row].Response))];
            (int Start, int End)[] runs = [.. MicroBatches.Split([.. sequences.Select(s => s.Input.Length)], settings.MicroTokens)];

            // 2. log-probs under the frozen reference (once per answer) and the policy
            LabelledLogProb[] logProbs = new LabelledLogProb[rows.Length];
            foreach ((int start, int end) in runs)
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
            }

            // 3. the shift needs every reward of the step, so the way back begins only now
            mean = BcoLoss.Shift(mean, settings.Beta, logProbs);
            double[] gradient = new double[rows.Length];
            BcoLossResult loss = BcoLoss.Compute(settings.Beta, mean.Value, logProbs, gradient);
            foreach ((int start, int end) in runs)
                await policy.BackwardAsync(sequences[start..end], [.. Enumerable.Range(start, end - start).Select(i => ResponseOutputs.Spread(sequences[i], gradient[i]))], cancellation);

            // 4. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            State state = new(step + 1, MemoryMarshal.AsBytes<double>(references).ToArray(), mean.Value, mean.Count);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss.Loss,
                ["delta"] = loss.Delta,
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
}
