using System.ComponentModel.DataAnnotations;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>xpo</c>: learns from its own answers against its reference's, with a bonus for exploring (docs/methods/xpo.md).</summary>
/// <param name="Reward">Stage with the reward model.</param>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Split">Split of the world whose prompts are trained on.</param>
/// <param name="Limit">First so many prompts only.</param>
/// <param name="Select">Keeps the best policy of the run by held-out prompts; the last one when left out. Keys below.</param>
[Makes(StageProduct.Policy)]
public sealed record XpoStage(string Name, string Reward, string? Init = null, string Split = "unlabeled", [Range(1, int.MaxValue)] int? Limit = null, [Range(1, 1 << 20)] int? MaxTokens = null,
    [Inline] XpoSettings? Training = null, SelectSettings? Select = null, LoraSettings? Lora = null) : IStage
{
    public XpoSettings Training { get; init; } = Training ?? new XpoSettings();

    public int Version => 1;

    public IEnumerable<StageInput> Inputs => RewardedTraining.Inputs(Init, Reward);

    public IEnumerable<StageProblem> Problems(StageChecks checks) => [.. RewardedTraining.Problems(checks, Split, Select), .. TrainingChecks.Problems(Training.Optimisation, Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        RewardedTraining with = await RewardedTraining.OpenAsync(run, Init, Reward, Split, Limit, MaxTokens, Select, Lora, needsReference: true, cancellation);
        BestPolicy best = await new Xpo(Training).RunAsync(with.Prompts, with.Reward, with.Policy, with.Reference!, with.MaxTokens, with.StopTokens, with.Selection, run, cancellation);
        await RewardedTraining.KeepAsync(run, best, with.Policy, Training.Steps, cancellation);
    }
}
