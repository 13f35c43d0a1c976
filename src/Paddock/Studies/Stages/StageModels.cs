using Paddock.Backends;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary>The models of a method, as every stage opens them.</summary>
internal static class StageModels
{
    /// <summary>The policy that the stage trains, with all its weights or with adapters.</summary>
    public static Task<ITrainableModel> OpenPolicyAsync(this StageRun run, string weights, LoraSettings? lora, CancellationToken cancellation) =>
        run.OpenTrainableAsync("policy", new ModelSpec(weights, LoraSettings.Adaptation(lora), Head.Token, run.Seed), cancellation);

    /// <summary>A policy as it was before training.</summary>
    public static Task<ITrainableModel> OpenReferenceAsync(this StageRun run, string weights, CancellationToken cancellation) =>
        run.OpenFrozenAsync("reference", new ModelSpec(weights, new Adaptation.Full(), Head.Token, run.Seed), cancellation);

    /// <summary>A reward model that scores answers.</summary>
    public static async Task<RewardScorer> OpenScorerAsync(this StageRun run, string weights, CancellationToken cancellation) =>
        new(await run.OpenFrozenAsync("reward", new ModelSpec(weights, new Adaptation.Full(), Head.Scalar, run.Seed), cancellation));
}
