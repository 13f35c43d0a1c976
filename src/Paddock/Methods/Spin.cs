// SPIN: self-play fine-tuning (Chen et al. 2024, arXiv 2401.01335, eq. 4.7 and algorithm 1), one iteration.
//
//   loss = log(1 + exp(-t)),  t = beta ((logp(y) - opponent(y)) - (logp(y') - opponent(y')))     y of the data, y' the opponent's own answer
//
// The opponent is the policy of the iteration before; the new policy starts from it and is trained against it. That is DPO with the
// demonstration chosen, the own answer rejected and the previous iterate as reference. From the second iteration on, the pairs of the
// iteration before are trained on too. Differs from the official code: one prompt format for sampling and training; AdamW with a cosine.
// Page, metrics and results: docs/methods/spin.md
using Paddock.Backends;
using Paddock.Data;

namespace Paddock.Methods;

/// <summary>Settings of one iteration of SPIN.</summary>
/// <param name="Temperature">Of the opponent's answers.</param>
/// <param name="ChunkPrompts">Prompts answered between two chances to keep them.</param>
public sealed record SpinSettings(double Temperature = 1, int ChunkPrompts = 500, DpoSettings? Training = null)
{
    public DpoSettings Training { get; init; } = Training ?? new DpoSettings();
}

/// <summary>Self-play: <see cref="AnswerAsync"/>, then <see cref="TrainAsync"/> on demonstrations against these answers.</summary>
public sealed class Spin(SpinSettings settings)
{
    /// <summary>The opponent's answer to each prompt, chunk by chunk; <paramref name="keep"/> receives each finished chunk in order.</summary>
    /// <param name="first">Prompts already answered by an earlier, interrupted run: a multiple of the chunk size or the number of prompts.</param>
    public async Task AnswerAsync(IReadOnlyList<int[]> prompts, int first, ISampler opponent, int maxTokens, IReadOnlyList<int> stopTokens, StageContext stage,
        Action<IReadOnlyList<Completion>> keep, CancellationToken cancellation)
    {
        SamplingOptions sampling = SamplingOptions.Plain(maxTokens, (float)settings.Temperature, stopTokens);
        for (int start = first; start < prompts.Count; start += settings.ChunkPrompts)
        {
            Completion[] answers = new Completion[Math.Min(settings.ChunkPrompts, prompts.Count - start)];
            SampleRequest[] requests = [.. answers.Select((_, i) => new SampleRequest(prompts[start + i], 1, stage.Stream("samples").Split((ulong)(start + i)).AsSeed()))];
            await foreach (Completion completion in opponent.SampleAsync(requests, sampling, cancellation))
                answers[completion.Request] = completion;
            keep(answers);
            stage.Progress(start + answers.Length, prompts.Count, "prompts");
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Trains the policy on the pairs; demonstrations are chosen, own answers rejected.</summary>
    /// <param name="opponent">The policy as it was before; frozen.</param>
    public Task TrainAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, ITrainableModel opponent, StageContext stage, CancellationToken cancellation) =>
        new Dpo(settings.Training).RunAsync(pairs, policy, opponent, stage, cancellation);
}
