// DPO: Direct Preference Optimization (Rafailov et al. 2023, arXiv 2305.18290, eq. 7), and the losses that share its seam.
//
//   loss = -log sigmoid(beta * ((logp_w - ref_w) - (logp_l - ref_l)))
//
// logp = sum over the response's tokens, its end token included. Soft labels p give -[p log sigmoid(x) + (1 - p) log sigmoid(-x)].
// Differs from the paper: AdamW with a cosine in place of RMSprop with a constant rate. The reference is frozen, so its log-probs
// are computed once per pair and kept. Page, metrics and results: docs/methods/dpo.md
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of DPO; beta is the paper's.</summary>
/// <param name="Batch">Pairs a step.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record DpoSettings(double Beta = 0.1, DpoLossType Loss = DpoLossType.Sigmoid, double? LabelSmoothing = null, int Batch = 32, int Epochs = 2,
    double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on preference pairs. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Dpo(DpoSettings settings)
{
    private sealed record State(int Step);

    /// <param name="reference">The policy as it was before training; frozen.</param>
    public async Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, ITrainableModel reference, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), pairs.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0);
        DpoLossOptions options = DpoLossOptions.Of(settings.Loss, settings.Beta, settings.LabelSmoothing);
        options.Validate();
        // most losses are means over pairs that know nothing of each other; those that sort or pool the step need it whole
        bool isSeparable = settings.Loss is not (DpoLossType.Aot or DpoLossType.AotUnpaired or DpoLossType.Sft);
        (SumLogProb Chosen, SumLogProb Rejected)?[] referenceLogProbs = new (SumLogProb, SumLogProb)?[pairs.Count];

        for (int step = state.Step; step < steps; step++)
        {
            // 1. the pairs of this step: a pure function of (seed, step), so a resumed run sees the same ones
            int[] rows = order.Rows(step).ToArray();
            Sequence[] sequences = [.. rows.SelectMany(row => new[]
            {
                Sequence.ForResponse(pairs[row].Prompt, pairs[row].Chosen),
                Sequence.ForResponse(pairs[row].Prompt, pairs[row].Rejected),
            })];
            (int Start, int End)[] runs = [.. MicroBatches.Split([.. rows.Select((_, i) => sequences[2 * i].Input.Length + sequences[2 * i + 1].Input.Length)], settings.MicroTokens)];

            // 2. log-probs of both sides under the frozen reference (once per pair) and the policy
            PairLogProbs[] logProbs = new PairLogProbs[rows.Length];
            double[] gradientChosen = new double[rows.Length], gradientRejected = new double[rows.Length];
            foreach ((int start, int end) in runs)
            {
                Sequence[] batch = sequences[(2 * start)..(2 * end)];
                if (rows[start..end].Any(row => referenceLogProbs[row] == null))
                {
                    IReadOnlyList<ReadOnlyMemory<float>> references = (await reference.ForwardAsync(batch, cancellation)).Outputs;
                    for (int i = start; i < end; i++)
                        referenceLogProbs[rows[i]] = (SumLogProb.Of(references[2 * (i - start)].Span), SumLogProb.Of(references[2 * (i - start) + 1].Span));
                }
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                for (int i = start; i < end; i++)
                {
                    TokenizedPair pair = pairs[rows[i]];
                    (SumLogProb referenceChosen, SumLogProb referenceRejected) = referenceLogProbs[rows[i]]!.Value;
                    logProbs[i] = new PairLogProbs(SumLogProb.Of(outputs[2 * (i - start)].Span), SumLogProb.Of(outputs[2 * (i - start) + 1].Span),
                        referenceChosen, referenceRejected, pair.Chosen.Length, pair.Rejected.Length, pair.Probability);
                }

                // 3. the loss, its gradient with respect to each summed log-prob, and back through the policy
                if (!isSeparable)
                    continue;
                DpoLoss.Compute(options, logProbs.AsSpan(start, end - start), gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                double share = (double)(end - start) / rows.Length;
                await policy.BackwardAsync(batch, Spread(batch, share, gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start)), cancellation);
            }
            DpoLossResult loss = DpoLoss.Compute(options, logProbs, gradientChosen, gradientRejected);
            if (!isSeparable)
                await policy.BackwardAsync(sequences, Spread(sequences, 1, gradientChosen, gradientRejected), cancellation);

            // 4. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            state = new State(step + 1);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss.Loss,
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

    // one coefficient for each side of each pair, on all tokens of its response
    private static ReadOnlyMemory<float>[] Spread(Sequence[] batch, double share, ReadOnlySpan<double> chosen, ReadOnlySpan<double> rejected)
    {
        ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
        for (int i = 0; i < batch.Length; i++)
            coefficients[i] = ResponseOutputs.Spread(batch[i], share * (i % 2 == 0 ? chosen : rejected)[i / 2]);
        return coefficients;
    }
}
