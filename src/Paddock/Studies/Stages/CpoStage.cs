using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>cpo</c>: trains a policy on preference pairs without a reference: CPO, SimPO, AlphaPO (docs/methods/cpo.md).</summary>
/// <param name="Init">Stage or model to start from; the study's model when left out.</param>
/// <param name="Data">Stage or file with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
[Makes(StageProduct.Policy)]
public sealed record CpoStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Inline] CpoSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public CpoSettings Training { get; init; } = Training ?? new CpoSettings();

    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Training.LossOptions.Problem() is { } problem)
            yield return new("loss", problem);
        foreach (StageProblem other in TrainingChecks.HardLabels(checks, Data).Concat(TrainingChecks.Problems(Training.Optimisation, Lora)))
            yield return other;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(PairEncoding.Hard(StageRows.ReadPreferences(run.Input(Data), run), Data), run.Services.OpenCodec(init), Limit);
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await new Cpo(Training).RunAsync(pairs, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} preferences";
    }
}
