// CPO: contrastive preference optimisation (Xu et al. 2024, arXiv 2401.08417), SimPO (Meng et al. 2024, arXiv 2405.14734) and AlphaPO
// (Gupta et al. 2025, arXiv 2501.03884): preferences without a reference model.
//
//   CPO    loss = -log sigmoid(beta (logp_w - logp_l))  +  likelihood * mean over chosen's tokens of -log pi
//   SimPO  loss = -log sigmoid(beta (logp_w / n_w - logp_l / n_l) - gamma)
//   AlphaPO: SimPO with a = logp / n replaced by (1 - exp(-shape a)) / shape
//
// logp = sum over the response's tokens, n their number, the end token included. The likelihood's mean runs over the tokens of the whole
// step. Differs from the papers: AdamW with a cosine as everywhere here. Page, metrics and results: docs/methods/cpo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of CPO, SimPO and AlphaPO.</summary>
/// <param name="Beta">Strength; SimPO's usual 2 to 10 is of means, CPO's 0.1 of sums. 0.1 when left out, 2 for simpo.</param>
/// <param name="Gamma">Margin that SimPO asks for, not multiplied by beta.</param>
/// <param name="Shape">AlphaPO's alpha; 0 is SimPO.</param>
/// <param name="Likelihood">Weight of chosen's negative log-likelihood. 1 when left out, 0 for simpo.</param>
/// <param name="Batch">Pairs a step.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record CpoSettings([Range(0, double.MaxValue, MinimumIsExclusive = true)] double? Beta = null, CpoLossType Loss = CpoLossType.Sigmoid, [Range(0, double.MaxValue)] double Gamma = 0.5, double Shape = 0,
    [Range(0, double.MaxValue)] double? Likelihood = null, [Range(0, 0.5, MaximumIsExclusive = true)] double LabelSmoothing = 0, [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();

    /// <summary>The loss that these settings name.</summary>
    public CpoLossOptions LossOptions => new(Loss, Beta ?? (Loss == CpoLossType.Simpo ? 2 : 0.1), LabelSmoothing, Gamma, Shape, Likelihood ?? (Loss == CpoLossType.Simpo ? 0 : 1));
}

/// <summary>Trains a policy on preference pairs without a reference. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Cpo(CpoSettings settings)
{
    private sealed record State(int Step);

    public async Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), pairs.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0);
        CpoLossOptions options = settings.LossOptions;

        for (int step = state.Step; step < steps; step++)
        {
            // 1. the pairs of this step: a pure function of (seed, step)
            int[] rows = order.Rows(step).ToArray();
            Sequence[] sequences = [.. rows.SelectMany(row => new[]
            {
                Sequence.ForResponse(pairs[row].Prompt, pairs[row].Chosen),
                Sequence.ForResponse(pairs[row].Prompt, pairs[row].Rejected),
            })];
            long tokens = rows.Sum(row => (long)pairs[row].Chosen.Length);

            // 2. log-probs of both sides, the loss, its gradient, and back through the policy; a pair's gradient depends on no other pair
            CpoPair[] logProbs = new CpoPair[rows.Length];
            double[] gradientChosen = new double[rows.Length], gradientRejected = new double[rows.Length];
            foreach ((int start, int end) in MicroBatches.Split([.. rows.Select((_, i) => sequences[2 * i].Input.Length + sequences[2 * i + 1].Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[(2 * start)..(2 * end)];
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                for (int i = start; i < end; i++)
                    logProbs[i] = new CpoPair(SumLogProb.Of(outputs[2 * (i - start)].Span), SumLogProb.Of(outputs[2 * (i - start) + 1].Span), pairs[rows[i]].Chosen.Length, pairs[rows[i]].Rejected.Length);
                CpoLoss.Compute(options, logProbs.AsSpan(start, end - start), rows.Length, tokens, gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                await policy.BackwardAsync(batch, [.. batch.Select((sequence, i) => ResponseOutputs.Spread(sequence, (i % 2 == 0 ? gradientChosen : gradientRejected)[start + i / 2]))], cancellation);
            }
            CpoLossResult loss = CpoLoss.Compute(options, logProbs, rows.Length, tokens, gradientChosen, gradientRejected);

            // 3. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            state = new State(step + 1);
            Dictionary<string, double> metrics = new()
            {
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
            };
            loss.AddTo(metrics);
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }
}
