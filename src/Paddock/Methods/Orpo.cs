// ORPO: odds ratio preference optimisation (Hong et al. 2024, arXiv 2403.07691, eq. 6-7): preferences without a reference model.
//
//   loss = -mean over tokens of log pi(chosen)  -  beta mean over pairs of log sigmoid(log odds(chosen) - log odds(rejected))
//   odds(y) = p / (1 - p),  p = exp(mean log-prob of y's tokens)
//
// The likelihood term learns chosen's response; the official code learns its prompt too, which prompt-loss: true asks for. Its mean runs
// over the tokens of the whole step. Differs from the paper: AdamW with a cosine. Page, metrics and results: docs/methods/orpo.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of ORPO.</summary>
/// <param name="Beta">Weight of the odds ratio; the paper's lambda.</param>
/// <param name="PromptLoss">Let the likelihood term learn the prompt of chosen too, as the official code does.</param>
/// <param name="Batch">Pairs a step.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record OrpoSettings([Range(0, double.MaxValue)] double Beta = 0.1, bool PromptLoss = false, [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on preference pairs without a reference. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Orpo(OrpoSettings settings)
{
    private sealed record State(int Step);

    public async Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, StageContext stage, CancellationToken cancellation)
    {
        DataOrder order = new(stage.Stream("data"), pairs.Count, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0);

        for (int step = state.Step; step < steps; step++)
        {
            // 1. the pairs of this step: a pure function of (seed, step)
            int[] rows = order.Rows(step).ToArray();
            Sequence[] sequences = [.. rows.SelectMany(row => new[] { Chosen(pairs[row]), Sequence.ForResponse(pairs[row].Prompt, pairs[row].Rejected) })];
            long tokens = rows.Select((_, i) => (long)ResponseOutputs.Count(sequences[2 * i])).Sum();

            // 2. log-probs of both sides, the loss, its gradient, and back through the policy; a pair's gradient depends on no other pair
            OrpoPair[] logProbs = new OrpoPair[rows.Length];
            double[] gradientChosen = new double[rows.Length], gradientRejected = new double[rows.Length];
            foreach ((int start, int end) in MicroBatches.Split([.. rows.Select((_, i) => sequences[2 * i].Input.Length + sequences[2 * i + 1].Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = sequences[(2 * start)..(2 * end)];
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                for (int i = start; i < end; i++)
                {
                    ReadOnlySpan<float> chosen = outputs[2 * (i - start)].Span, rejected = outputs[2 * (i - start) + 1].Span;
                    int chosenTokens = pairs[rows[i]].Chosen.Length, rejectedTokens = pairs[rows[i]].Rejected.Length;
                    logProbs[i] = new OrpoPair(SumLogProb.Of(chosen[^chosenTokens..]).Mean(chosenTokens), SumLogProb.Of(rejected).Mean(rejectedTokens), SumLogProb.Of(chosen));
                }
                OrpoLoss.Compute(settings.Beta, logProbs.AsSpan(start, end - start), rows.Length, tokens, gradientChosen.AsSpan(start, end - start), gradientRejected.AsSpan(start, end - start));
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int i = start; i < end; i++)
                {
                    int chosenTokens = pairs[rows[i]].Chosen.Length, rejectedTokens = pairs[rows[i]].Rejected.Length, at = 2 * (i - start);
                    coefficients[at] = OfChosen(batch[at], -1.0 / tokens, gradientChosen[i] / chosenTokens, chosenTokens);
                    coefficients[at + 1] = ResponseOutputs.Spread(batch[at + 1], gradientRejected[i] / rejectedTokens);
                }
                await policy.BackwardAsync(batch, coefficients, cancellation);
            }
            OrpoLossResult loss = OrpoLoss.Compute(settings.Beta, logProbs, rows.Length, tokens, gradientChosen, gradientRejected);

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

    private Sequence Chosen(TokenizedPair pair) => settings.PromptLoss ? Sequence.ForWhole(pair.Prompt, pair.Chosen) : Sequence.ForResponse(pair.Prompt, pair.Chosen);

    /// <summary>Coefficients of the chosen row: the likelihood term on every wanted token, the odds term on the last <paramref name="responseTokens"/> of them.</summary>
    internal static ReadOnlyMemory<float> OfChosen(Sequence sequence, double likelihood, double odds, int responseTokens)
    {
        double[] wanted = new double[ResponseOutputs.Count(sequence)];
        for (int t = 0; t < wanted.Length; t++)
            wanted[t] = likelihood + (t >= wanted.Length - responseTokens ? odds : 0);
        return ResponseOutputs.Scatter(sequence, wanted);
    }
}
