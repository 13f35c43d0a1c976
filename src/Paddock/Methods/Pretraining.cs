// Pretraining: next-token prediction on a stream of documents, from random weights.
//
//   loss = - sum over tokens of w_t log p(x_t | x_<t)  /  sum of w_t over the step
//
// The weights w_t are the documents' own: 0 for text that is given, 1 for text to be learned, more where a token teaches more.
// Page, metrics and results: docs/methods/pretraining.md
using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>One document to learn from; Weights[t] is the loss weight of Tokens[t].</summary>
public sealed record WeightedDocument(int[] Tokens, float[] Weights);

/// <summary>Settings of pretraining.</summary>
/// <param name="Batch">Documents a step.</param>
public sealed record PretrainingSettings([Range(1, int.MaxValue)] int Steps, [Range(1, int.MaxValue)] int Batch = 64, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-3,
    [Inline] Optimisation? Optimisation = null, [Range(1, int.MaxValue)] int MicroTokens = 8192)
{
    public Optimisation Optimisation { get; init; } = Optimisation ?? new Optimisation();
}

/// <summary>Trains a language model from scratch. <see cref="RunAsync"/> top to bottom is the algorithm.</summary>
public sealed class Pretraining(PretrainingSettings settings)
{
    private sealed record State(int Step, long Tokens);

    /// <param name="document">The document of an index, given the share of training done in [0, 1]; a pure function.</param>
    public async Task RunAsync(Func<long, double, WeightedDocument> document, ITrainableModel model, StageContext stage, CancellationToken cancellation)
    {
        int steps = settings.Steps;
        State state = await stage.ResumeAsync<State>(cancellation) ?? new State(0, 0);
        for (int step = state.Step; step < steps; step++)
        {
            // 1. the documents of this step: a pure function of the step
            WeightedDocument[] documents = [.. Enumerable.Range(0, settings.Batch)
                .Select(i => document((long)step * settings.Batch + i, (double)step / steps))];
            double weight = documents.Sum(d => d.Weights.Skip(1).Sum(w => (double)w));

            // 2. forward, and back with c = -w_t / (sum of w)
            double loss = 0;
            foreach ((int start, int end) in MicroBatches.Split([.. documents.Select(d => d.Tokens.Length)], settings.MicroTokens))
            {
                Sequence[] batch = [.. documents[start..end].Select(AsSequence)];
                IReadOnlyList<ReadOnlyMemory<float>> outputs = (await model.ForwardAsync(batch, cancellation)).Outputs;
                ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[batch.Length];
                for (int i = 0; i < batch.Length; i++)
                {
                    float[] weights = documents[start + i].Weights, c = new float[weights.Length - 1];
                    ReadOnlySpan<float> logProbs = outputs[i].Span;
                    for (int t = 0; t < c.Length; t++)
                    {
                        c[t] = (float)(-weights[t + 1] / weight);
                        loss -= weights[t + 1] * (double)logProbs[t] / weight;
                    }
                    coefficients[i] = c;
                }
                await model.BackwardAsync(batch, coefficients, cancellation);
            }

            // 3. one AdamW step
            AdamStep adam = settings.Optimisation.At(step, steps, settings.LearningRate);
            StepResult result = await model.StepAsync(adam, cancellation);

            state = new State(step + 1, state.Tokens + documents.Sum(d => d.Tokens.Length));
            Dictionary<string, double> metrics = new()
            {
                ["loss"] = loss,
                ["grad_norm"] = result.GradientNorm,
                ["learning_rate"] = adam.LearningRate,
                ["epoch"] = (step + 1.0) / steps,
                ["num_tokens"] = state.Tokens,
            };
            #region shared: log and keep the step
            stage.Log(step, metrics);
            stage.Progress(step + 1, steps, "steps");
            await stage.CheckpointAsync(step + 1, state, cancellation);
            #endregion
        }
    }

    // only tokens with a weight are wanted as targets
    private static Sequence AsSequence(WeightedDocument document)
    {
        int[] targets = new int[document.Tokens.Length - 1];
        for (int t = 0; t < targets.Length; t++)
            targets[t] = document.Weights[t + 1] > 0 ? document.Tokens[t + 1] : Sequence.NoTarget;
        return new(document.Tokens.AsMemory(0, targets.Length), targets);
    }
}
