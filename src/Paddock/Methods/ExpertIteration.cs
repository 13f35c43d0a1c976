// Expert iteration (Anthony et al. 2017; AlpacaFarm's variant, Dubois et al. 2023, section 3.3): best-of-n answers on unlabeled prompts
// become demonstrations, and the SFT model is fine-tuned on them.
//
// One round, from the SFT model, with the SFT loss. The kept answers are trained on as the very ids that were sampled, their end token
// included; an answer that never ended teaches no end. Page, metrics and results: docs/methods/expert-iteration.md
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods.Formulas;

namespace Paddock.Methods;

/// <summary>Settings of expert iteration.</summary>
/// <param name="N">Answers drawn for each prompt.</param>
/// <param name="ChunkPrompts">Prompts sampled between two chances to keep a checkpoint.</param>
public sealed record ExpertIterationSettings(int N = 16, int ChunkPrompts = 100, SftSettings? Training = null)
{
    public SftSettings Training { get; init; } = Training ?? new SftSettings(Epochs: 2, LearningRate: 3e-4);
}

/// <summary>Best-of-n as a teacher. <see cref="SelectAsync"/>, then <see cref="Sft.RunAsync"/> on what it returns.</summary>
public sealed class ExpertIteration(ExpertIterationSettings settings)
{
    /// <summary>The kept answer for each prompt, chunk by chunk; <paramref name="keep"/> receives each finished chunk in order.</summary>
    /// <param name="input">As in <see cref="BestOfN.RunAsync"/>.</param>
    /// <param name="first">Prompts already selected by an earlier, interrupted run: a multiple of the chunk size or the number of prompts.</param>
    public async Task SelectAsync(IReadOnlyList<int[]> prompts, int first, ISampler policy, SamplingOptions sampling, RewardScorer reward, StageContext stage,
        Func<IReadOnlyList<(Completion Kept, BestOfNChoice Choice)>, Task> keep, CancellationToken cancellation, Func<int, IReadOnlyList<int>, TokenizedExample>? input = null)
    {
        BestOfN bestOfN = new(new BestOfNSettings(settings.N));
        for (int start = first; start < prompts.Count; start += settings.ChunkPrompts)
        {
            int[] chunk = [.. Enumerable.Range(start, Math.Min(settings.ChunkPrompts, prompts.Count - start))];
            ulong[] streams = [.. chunk.Select(i => stage.Stream("samples").Split((ulong)i).AsSeed())];
            await keep(await bestOfN.RunAsync([.. chunk.Select(i => prompts[i])], streams, policy, sampling, reward, cancellation,
                input: input == null ? null : (i, tokens) => input(chunk[i], tokens)));
            stage.Progress(start + chunk.Length, prompts.Count, "prompts");
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Fine-tunes on the selected answers.</summary>
    public Task TrainAsync(IReadOnlyList<TokenizedExample> selected, ITrainableModel policy, StageContext stage, CancellationToken cancellation) =>
        new Sft(settings.Training).RunAsync(selected, policy, stage, cancellation);
}
