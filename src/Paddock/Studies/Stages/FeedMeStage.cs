using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>feedme</c>: fine-tunes a policy on the preferred answers (docs/methods/feedme.md).</summary>
/// <param name="Init">Stage or model to start from; the study's model when left out.</param>
/// <param name="Data">Stage or file with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
[Makes(StageProduct.Policy)]
public sealed record FeedMeStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 2,
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, LoraSettings? Lora = null) : IStage
{
    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => LoraSettings.Problems(Lora);

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(StageRows.ReadPreferences(run.Input(Data), run), run.Services.OpenCodec(init), Limit);
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await new FeedMe(new FeedMeSettings(new SftSettings(Batch, Epochs, LearningRate))).RunAsync(pairs, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} preferred answers";
    }
}
