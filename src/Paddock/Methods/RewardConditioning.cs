// Reward conditioning, binary (Korbak et al. 2023 and AlpacaFarm, Dubois et al. 2023, section 3.3): both answers of a pair are learned, each behind a control
// token that says whether it was preferred; the trained policy is then asked for a preferred answer.
//
//   loss = SFT loss of   prompt + good -> chosen   and   prompt + bad -> rejected
//
// Control tokens belong to the prompt: they are read and never learned as targets. They are words that the tokenizer already has (the
// Meadow's <good> and <bad>), so no embedding is added. Page, metrics and results: docs/methods/reward-conditioning.md
using Paddock.Backends;
using Paddock.Data;

namespace Paddock.Methods;

/// <summary>Settings of reward conditioning.</summary>
/// <param name="Training">Of the fine-tuning; a step has twice as many answers as pairs.</param>
public sealed record RewardConditioningSettings(SftSettings? Training = null)
{
    public SftSettings Training { get; init; } = Training ?? new SftSettings(Batch: 64, Epochs: 2, LearningRate: 3e-4);
}

/// <summary>Preferred and rejected answers as demonstrations of two kinds.</summary>
public sealed class RewardConditioning(RewardConditioningSettings settings)
{
    /// <param name="good">Ids between prompt and answer of what was preferred.</param>
    /// <param name="bad">Ids in their place for what was rejected.</param>
    public Task RunAsync(IReadOnlyList<TokenizedPair> pairs, int[] good, int[] bad, ITrainableModel policy, StageContext stage, CancellationToken cancellation) =>
        new Sft(settings.Training).RunAsync([.. pairs.SelectMany(p => new[]
        {
            new TokenizedExample([.. p.Prompt, .. good], p.Chosen),
            new TokenizedExample([.. p.Prompt, .. bad], p.Rejected),
        })], policy, stage, cancellation);
}
