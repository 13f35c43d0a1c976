// DPO: Direct Preference Optimization (Rafailov et al. 2023, arXiv 2305.18290, eq. 7), and the losses that share its seam.
//
//   loss = -log sigmoid(beta * ((logp_w - ref_w) - (logp_l - ref_l)))
//
// logp = sum over the response's tokens, its end token included. Soft labels p give -[p log sigmoid(x) + (1 - p) log sigmoid(-x)].
// Differs from the paper: AdamW with a cosine in place of RMSprop with a constant rate. The reference is frozen, so its log-probs
// are computed once per pair and kept, in checkpoints too; one that moves (TR-DPO) is asked again after each move. Page, metrics and
// results: docs/methods/dpo.md
using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of DPO; beta is the paper's.</summary>
/// <param name="Losses">Several losses in place of one, each with its weight: <c>{sigmoid: 0.8, bco-pair: 0.2, sft: 1}</c> is MPO (arXiv 2411.10442).</param>
/// <param name="Divergence">What holds the policy to its reference (f-DPO, arXiv 2309.16240).</param>
/// <param name="DivergenceAlpha">Order of the alpha divergence.</param>
/// <param name="DiscoPopTemperature">Temperature of the loss <c>disco-pop</c>.</param>
/// <param name="LdAlpha">Weight of the tokens beyond the shorter answer's length (LD-DPO, arXiv 2409.06411); 1 is off.</param>
/// <param name="ReferenceFree">Take the reference to find every answer equally likely: no reference model, r = log pi.</param>
/// <param name="SyncEvery">Steps after which the reference moves towards the policy (TR-DPO, arXiv 2404.09656; there 512); 0 leaves it frozen.</param>
/// <param name="SyncShare">How far it moves: share * policy + (1 - share) * reference.</param>
/// <param name="Batch">Pairs a step.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record DpoSettings([Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, DpoLossType Loss = DpoLossType.Sigmoid, IReadOnlyDictionary<DpoLossType, double>? Losses = null,
    FDivergence Divergence = FDivergence.ReverseKl, double DivergenceAlpha = 0.5, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double DiscoPopTemperature = 0.05,
    [Range(0, 0.5, MaximumIsExclusive = true)] double? LabelSmoothing = null, [Range(0, 1)] double LdAlpha = 1, bool ReferenceFree = false, [Range(0, int.MaxValue)] int SyncEvery = 0,
    [Range(0, 1)] double SyncShare = 0.6, [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();

    /// <summary>The loss that these settings name.</summary>
    public DpoLossOptions LossOptions => new(Losses is { } losses ? [.. losses.Select(l => new DpoTerm(l.Key, l.Value))] : [new DpoTerm(Loss)], Beta,
        LabelSmoothing ?? (Loss == DpoLossType.ExoPair && Losses == null ? DpoLossOptions.ExoSmoothing : 0), Divergence, DivergenceAlpha, DiscoPopTemperature);
}

/// <summary>Trains a policy on preference pairs. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Dpo(DpoSettings settings)
{
    /// <param name="References">Log-prob of each chosen and each rejected answer under the reference, as bytes of doubles; NaN where not computed yet.</param>
    private sealed record State(int Step, byte[] References);

    /// <param name="reference">The policy as it was before training: frozen, unless <see cref="DpoSettings.SyncEvery"/> moves it (it is then checkpointed as well); null when reference-free.</param>
    public async Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, ITrainableModel? reference, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), pairs.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State? resumed = await stage.ResumeAsync<State>(cancellation);
        DpoLossOptions options = settings.LossOptions;
        options.Validate();
        // [2 P]: chosen and rejected of each pair
        double[] references = resumed == null ? new double[2 * pairs.Count] : MemoryMarshal.Cast<byte, double>(resumed.References).ToArray();
        if (resumed == null)
            Array.Fill(references, settings.ReferenceFree ? 0 : double.NaN);
        IMixableModel? moving = settings.SyncEvery == 0 ? null
            : reference as IMixableModel ?? throw new BadInputException("dpo: sync-every needs a backend that can mix the weights of two models");

        for (int step = resumed?.Step ?? 0; step < steps; step++)
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
                if (rows[start..end].Any(row => double.IsNaN(references[2 * row])))
                {
                    SumLogProb[] frozen = Sums(batch, (await reference!.ForwardAsync(batch, cancellation)).Outputs);
                    for (int i = 0; i < frozen.Length; i++)
                        references[2 * rows[start + i / 2] + i % 2] = frozen[i].Value;
                }
                SumLogProb[] sums = Sums(batch, (await policy.ForwardAsync(batch, cancellation)).Outputs);
                for (int i = start; i < end; i++)
                {
                    int row = rows[i];
                    logProbs[i] = new PairLogProbs(sums[2 * (i - start)], sums[2 * (i - start) + 1], new(references[2 * row]), new(references[2 * row + 1]),
                        pairs[row].Chosen.Length, pairs[row].Rejected.Length, pairs[row].Probability);
                }

                // 3. the loss, its gradient with respect to each summed log-prob, and back through the policy; a loss that sorts or
                // pools the pairs of the step needs it whole
                if (!options.IsSeparable)
                    continue;
                DpoLoss.Compute(options, logProbs.AsSpan(start, end - start), gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                double share = (double)(end - start) / rows.Length;
                await policy.BackwardAsync(batch, Spread(batch, share, gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start)), cancellation);
            }
            DpoLossResult loss = DpoLoss.Compute(options, logProbs, gradientChosen, gradientRejected);
            if (!options.IsSeparable)
                await policy.BackwardAsync(sequences, Spread(sequences, 1, gradientChosen, gradientRejected), cancellation);

            // 4. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            // 5. a reference that moves has other log-probs from here on
            if (moving != null && (step + 1) % settings.SyncEvery == 0)
            {
                await moving.MixAsync(policy, settings.SyncShare, cancellation);
                Array.Fill(references, double.NaN);
            }

            State state = new(step + 1, MemoryMarshal.AsBytes<double>(references).ToArray());
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

    // log-prob of each response
    private SumLogProb[] Sums(Sequence[] batch, IReadOnlyList<ReadOnlyMemory<float>> outputs)
    {
        SumLogProb[] sums = new SumLogProb[batch.Length];
        for (int i = 0; i < batch.Length; i++)
            if (settings.LdAlpha == 1)
            {
                sums[i] = SumLogProb.Of(outputs[i].Span);
            }
            else
            {
                double[] tokens = new double[ResponseOutputs.Count(batch[i])];
                ResponseOutputs.Gather(batch[i], outputs[i].Span, tokens);
                sums[i] = SumLogProb.LengthDesensitised(tokens, Shared(batch, i), settings.LdAlpha);
            }
        return sums;
    }

    // one coefficient for each side of each pair, on all tokens of its response
    private ReadOnlyMemory<float>[] Spread(Sequence[] batch, double share, ReadOnlySpan<double> chosen, ReadOnlySpan<double> rejected)
    {
        ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
        for (int i = 0; i < batch.Length; i++)
            coefficients[i] = ResponseOutputs.Spread(batch[i], share * (i % 2 == 0 ? chosen : rejected)[i / 2], settings.LdAlpha == 1 ? int.MaxValue : Shared(batch, i), settings.LdAlpha);
        return coefficients;
    }

    // tokens of the shorter answer of a pair
    private static int Shared(Sequence[] batch, int i) => Math.Min(ResponseOutputs.Count(batch[i]), ResponseOutputs.Count(batch[i ^ 1]));
}
