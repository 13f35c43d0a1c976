using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>dpo</c>: trains a policy on preference pairs (docs/methods/dpo.md).</summary>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Data">Stage with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
public sealed record DpoStage(string Name, string Data, string? Init = null, int? Limit = null, [Inline] DpoSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public DpoSettings Training { get; init; } = Training ?? new DpoSettings();

    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model), new("data", Data)];

    public IEnumerable<StageProblem> Problems() => [.. Range.Positive("beta", Training.Beta), .. Range.Positive("batch", Training.Batch), .. Range.Positive("epochs", Training.Epochs),
        .. Range.Positive("learning-rate", Training.LearningRate), .. Range.Positive("limit", Limit), .. LoraSettings.Problems(Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(StageRows.Read(run.Input(Data), RowsJson.Default.Preference), run.Services.OpenCodec(init), Limit);
        run.Backend.Traits.Require(run.Backend.Traits.SeveralModels, "a policy and a reference at once");
        ITrainableModel policy = await run.OpenTrainableAsync("policy", new ModelSpec(init, LoraSettings.Adaptation(Lora), Head.Token, run.Seed), cancellation);
        ITrainableModel reference = await run.OpenFrozenAsync("reference", new ModelSpec(init, new Adaptation.Full(), Head.Token, run.Seed), cancellation);
        await new Dpo(Training).RunAsync(pairs, policy, reference, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} preferences";
    }
}
