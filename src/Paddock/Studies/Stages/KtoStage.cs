using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>kto</c>: trains a policy on answers with a thumb up or down (docs/methods/kto.md).</summary>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Data">Stage or file with preferences, each of which is two labels, or a file with labels.</param>
/// <param name="Limit">First so many labels only.</param>
/// <param name="KeepDesirable">Share of the answers with a thumb up that is used.</param>
/// <param name="KeepUndesirable">Share of the answers with a thumb down that is used.</param>
[Makes(StageProduct.Policy)]
public sealed record KtoStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Range(0, 1)] double KeepDesirable = 1, [Range(0, 1)] double KeepUndesirable = 1,
    [Inline] KtoSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public KtoSettings Training { get; init; } = Training ?? new KtoSettings();

    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => [.. TrainingChecks.HardLabels(checks, Data), .. TrainingChecks.Problems(Training.Optimisation, Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedLabel> labels = LabelEncoding.Encode(LabelEncoding.Read(run.Input(Data), run), run.Services.OpenCodec(init), Limit, KeepDesirable, KeepUndesirable);
        run.Backend.Traits.Require(run.Backend.Traits.SeveralModels, "a policy and a reference at once");
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        ITrainableModel reference = await run.OpenReferenceAsync(init, cancellation);
        await new Kto(Training).RunAsync(labels, policy, reference, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = LabelEncoding.Describe(labels);
    }
}
