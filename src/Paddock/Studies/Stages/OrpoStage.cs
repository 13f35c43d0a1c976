using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>orpo</c>: trains a policy on preference pairs without a reference (docs/methods/orpo.md).</summary>
/// <param name="Init">Stage or model to start from; the study's model when left out.</param>
/// <param name="Data">Stage or file with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
[Makes(StageProduct.Policy)]
public sealed record OrpoStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Inline] OrpoSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public OrpoSettings Training { get; init; } = Training ?? new OrpoSettings();

    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => [.. TrainingChecks.HardLabels(checks, Data), .. TrainingChecks.Problems(Training.Optimisation, Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(PairEncoding.Hard(StageRows.ReadPreferences(run.Input(Data), run), Data), run.Services.OpenCodec(init), Limit);
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await new Orpo(Training).RunAsync(pairs, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} preferences";
    }
}
