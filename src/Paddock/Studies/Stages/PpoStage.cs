using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>ppo</c>: optimises a policy against a reward model with a value model (docs/methods/ppo.md).</summary>
/// <param name="Reward">Stage with the reward model.</param>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Value">Stage or model that the value model starts from; the reward model when left out.</param>
/// <param name="Split">Split of the world whose prompts are trained on.</param>
/// <param name="Limit">First so many prompts only.</param>
/// <param name="Select">Keeps the best policy of the run by held-out prompts; the last one when left out. Keys below.</param>
[Makes(StageProduct.Policy)]
public sealed record PpoStage(string Name, string Reward, string? Init = null, string? Value = null, string Split = "unlabeled", [Range(1, int.MaxValue)] int? Limit = null, [Range(1, 1 << 20)] int? MaxTokens = null,
    [Inline] PpoSettings? Training = null, SelectSettings? Select = null, LoraSettings? Lora = null) : IStage
{
    public PpoSettings Training { get; init; } = Training ?? new PpoSettings();

    public int Version => 1;

    public IEnumerable<StageInput> Inputs => Value == null ? RewardedTraining.Inputs(Init, Reward)
        : [.. RewardedTraining.Inputs(Init, Reward), new("value", Value, InputKind.Model, StageProduct.Policy | StageProduct.RewardModel)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        foreach (StageProblem problem in RewardedTraining.Problems(checks, Split, Select).Concat(TrainingChecks.Problems(Training.Optimisation, Lora)))
            yield return problem;
        if (Training.Baseline == PpoBaseline.LeaveOneOut && Training.Samples < 2)
            yield return new("samples", "must be 2 or more with a leave-one-out baseline, which compares an answer with the others to its prompt");
        if (Training.Baseline == PpoBaseline.LeaveOneOut && Value != null)
            yield return new("value", "names a value model, but a leave-one-out baseline has none; leave one of them out");
        if (Training.Baseline == PpoBaseline.LeaveOneOut && Training.Flavour == PpoFlavour.Alpacafarm)
            yield return new("baseline", "must be value in flavour alpacafarm");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        RewardedTraining with = await RewardedTraining.OpenAsync(run, Init, Reward, Split, Limit, MaxTokens, Select, Lora, needsReference: true, cancellation);
        ITrainableModel? value = null;
        if (Training.Baseline == PpoBaseline.Value)
        {
            string weights = run.Input(Value ?? Reward).Weights;
            if (run.Services.OpenCodec(weights).Identity != run.Services.OpenCodec(run.Input(Init).Weights).Identity)
                throw new BadInputException($"'{run.Name}': the value model reads the policy's own ids, and '{Value ?? Reward}' has another tokenizer; name a model of the policy's family with 'value', or take baseline: leave-one-out");
            value = await run.OpenTrainableAsync("value", new ModelSpec(weights, LoraSettings.Adaptation(Lora), Head.Scalar, run.Seed, NewHead: true), cancellation);
        }
        BestPolicy best = await new Ppo(Training).RunAsync(with.Prompts, with.Reward, with.Policy, with.Reference!, value, with.MaxTokens, with.StopTokens, with.Selection, run, cancellation);
        await RewardedTraining.KeepAsync(run, best, with.Policy, Training.Steps, cancellation);
    }
}
