// Supervised fine-tuning: maximum likelihood of the responses given their prompts.
//
//   loss = - sum over response tokens of log pi(y_t | x, y_<t)  /  number of response tokens of the step
//
// or, with the dynamic objective (DFT, Wu et al. 2025, arXiv 2508.05629), each token weighted by its own probability, not differentiated.
//
// The mean runs over the tokens of the whole optimizer step, never over means of rows or micro-batches. Prompts are not trained on
// unless asked for; the end token is. Rows lie end to end without padding and see nothing of each other, so there is nothing to pack. Page, metrics and results: docs/methods/sft.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of supervised fine-tuning; the optimizer's defaults are the Meadow's.</summary>
/// <param name="Objective">What is minimised: <c>dynamic</c> weighs each token by its own probability (DFT, arXiv 2508.05629).</param>
/// <param name="PromptLoss">Learn the prompt too, all but its first token.</param>
/// <param name="MicroTokens">Tokens in memory at once; changes speed and memory only.</param>
public sealed record SftSettings([Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 1, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 5e-4,
    SftObjective Objective = SftObjective.NegativeLogLikelihood, bool PromptLoss = false, [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a policy on demonstrations. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Sft(SftSettings settings)
{
    private sealed record State(int Step, long Tokens);

    public async Task RunAsync(IReadOnlyList<TokenizedExample> examples, ITrainableModel policy, StageContext stage, CancellationToken cancellation)
    {
        Sequence[] sequences = [.. examples.Select(e => settings.PromptLoss ? Sequence.ForWhole(e.Prompt, e.Response) : Sequence.ForResponse(e.Prompt, e.Response))];
        DataOrder order = new(stage.Stream("data"), sequences.Length, settings.Batch, settings.Epochs);
        int steps = order.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, 0);

        for (int step = state.Step; step < steps; step++)
        {
            // 1. the rows of this step: a pure function of (seed, step), so a resumed run sees the same ones
            int[] rows = order.Rows(step).ToArray();
            int tokens = rows.Sum(row => ResponseOutputs.Count(sequences[row]));

            // 2. log-probs of the responses; c = d loss / d log-prob at each of them
            StepMean loss = default;
            double entropy = 0, hits = 0;
            foreach ((int start, int end) in MicroBatches.Split([.. rows.Select(row => sequences[row].Input.Length)], settings.MicroTokens))
            {
                Sequence[] batch = [.. rows[start..end].Select(row => sequences[row])];
                IReadOnlyList<ReadOnlyMemory<float>> outputs;
                if (policy is IDistributionModel whole)
                {
                    DistributionResult seen = await whole.ForwardDistributionAsync(batch, cancellation);
                    outputs = seen.LogProbs;
                    entropy += SumAll(seen.Entropies);
                    hits += SumAll(seen.ArgMaxHits);
                }
                else
                {
                    outputs = (await policy.ForwardAsync(batch, cancellation)).Outputs;
                }
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int i = 0; i < batch.Length; i++)
                {
                    double[] logProbs = new double[ResponseOutputs.Count(batch[i])], gradient = new double[logProbs.Length];
                    ResponseOutputs.Gather(batch[i], outputs[i].Span, logProbs);
                    SftLoss.Add(settings.Objective, logProbs, tokens, ref loss, gradient);
                    coefficients[i] = ResponseOutputs.Scatter(batch[i], gradient);
                }
                await policy.BackwardAsync(batch, coefficients, cancellation);
            }

            // 3. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await policy.StepAsync(adam, cancellation);

            state = new State(step + 1, state.Tokens + tokens);
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss.Value,
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = order.Epoch(step + 1),
                ["num_tokens"] = state.Tokens,
            };
            if (policy is IDistributionModel)
            {
                metrics["entropy"] = entropy / tokens;
                metrics["mean_token_accuracy"] = hits / tokens;
            }
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }

    private static double SumAll(IReadOnlyList<ReadOnlyMemory<float>> outputs)
    {
        double sum = 0;
        foreach (ReadOnlyMemory<float> row in outputs)
            sum += SumLogProb.Of(row.Span).Value;
        return sum;
    }
}
