// Reward model: a scalar per answer, fitted to pairwise preferences under Bradley and Terry's model (Ouyang et al. 2022, eq. 1).
//
//   loss = -[ p log sigmoid(r_w - r_l) + (1 - p) log sigmoid(r_l - r_w) ]     p = probability that the chosen answer is better
//
// The score is a linear head, zero at the start, on the hidden state of the last token, the end token included.
// Differs from the paper: soft labels p; one comparison per prompt. Page, metrics and results: docs/methods/reward-model.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of a reward model.</summary>
/// <param name="Batch">Pairs a step.</param>
/// <param name="Centring">Weight of the mean squared sum of rewards (Eisenstein et al. 2023); 0 is off.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record RewardModelSettings([Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 1, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 5e-4,
    [Range(0, double.MaxValue)] double Centring = 0, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Fits a scalar-headed model to preferences. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class RewardModel(RewardModelSettings settings)
{
    private sealed record State(int Step);

    public async Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel model, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), pairs.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0);
        RewardModelLossOptions options = new(settings.Centring);

        for (int step = state.Step; step < steps; step++)
        {
            // 1. the pairs of this step: a pure function of (seed, step)
            int[] rows = order.Rows(step).ToArray();
            int[] lengths = [.. rows.Select(row => 2 * pairs[row].Prompt.Length + pairs[row].Chosen.Length + pairs[row].Rejected.Length)];

            // 2. both rewards of each pair, the loss, and its gradient back through the model; a pair's gradient depends on no other pair
            RewardPair[] scored = new RewardPair[rows.Length];
            foreach ((int start, int end) in MicroBatches.Split(lengths, settings.MicroTokens))
            {
                Sequence[] batch = [.. rows[start..end].SelectMany(row => new[]
                {
                    Sequence.ForScore(pairs[row].Prompt, pairs[row].Chosen),
                    Sequence.ForScore(pairs[row].Prompt, pairs[row].Rejected),
                })];
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await model.ForwardAsync(batch, cancellation)).Outputs;
                for (int i = start; i < end; i++)
                    scored[i] = new RewardPair(outputs[2 * (i - start)].Span[^1], outputs[2 * (i - start) + 1].Span[^1], pairs[rows[i]].Margin, pairs[rows[i]].Probability);

                double[] gradientChosen = new double[end - start], gradientRejected = new double[end - start];
                RewardModelLoss.Compute(options, scored.AsSpan(start, end - start), gradientChosen, gradientRejected);
                double share = (double)(end - start) / rows.Length;
                await model.BackwardAsync(batch, [.. batch.Select((sequence, i) =>
                    ResponseOutputs.Spread(sequence, share * (i % 2 == 0 ? gradientChosen : gradientRejected)[i / 2]))], cancellation);
            }

            // 3. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await model.StepAsync(adam, cancellation);

            state = new State(step + 1);
            Dictionary<string, double> metrics = new()
            {
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
            };
            RewardModelLoss.Compute(options, scored, new double[rows.Length], new double[rows.Length]).AddTo(metrics);
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }
}
