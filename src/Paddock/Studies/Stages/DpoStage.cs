using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;
using Paddock.Methods.Formulas;

namespace Paddock.Studies.Stages;

/// <summary><c>dpo</c>: trains a policy on preference pairs (docs/methods/dpo.md).</summary>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Data">Stage with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
[Makes(StageProduct.Policy)]
public sealed record DpoStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Inline] DpoSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public DpoSettings Training { get; init; } = Training ?? new DpoSettings();

    public int Version => 2;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        string key = Training.Losses == null ? "loss" : "losses";
        if (Training is { Losses: not null, Loss: not DpoLossType.Sigmoid })
            yield return new("losses", "give either one loss or several losses, not both");
        if (Training.LossOptions.Problem() is { } problem)
            yield return new(key, problem);
        if (checks.Earlier(Data) is AnnotateStage { Soft: true } && !Training.LossOptions.TakesSoftLabels)
            yield return new(key, $"takes hard labels only, and '{Data}' writes soft ones; use sigmoid or sigmoid-norm, or leave soft out of '{Data}'");
        if (Training is { ReferenceFree: true, SyncEvery: > 0 })
            yield return new("sync-every", "moves the reference, and there is none with reference-free; give one of the two");
        foreach (StageProblem other in TrainingChecks.Problems(Training.Optimisation, Lora))
            yield return other;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(StageRows.ReadPreferences(run.Input(Data), run), run.Services.OpenCodec(init), Limit);
        if (!Training.ReferenceFree)
            run.Backend.Traits.Require(run.Backend.Traits.SeveralModels, "a policy and a reference at once");
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        ModelSpec frozen = new(init, new Adaptation.Full(), Head.Token, run.Seed);
        ITrainableModel? reference = Training.ReferenceFree ? null
            : Training.SyncEvery > 0 ? await run.OpenTrainableAsync("reference", frozen, cancellation)
            : await run.OpenFrozenAsync("reference", frozen, cancellation);
        await new Dpo(Training).RunAsync(pairs, policy, reference, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} preferences";
    }
}
