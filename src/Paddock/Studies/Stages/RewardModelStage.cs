using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>reward-model</c>: fits a scalar-headed model to preferences (docs/methods/reward-model.md).</summary>
/// <param name="Init">Stage or model whose body it starts from; the study's model when left out.</param>
/// <param name="Data">Stage with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
public sealed record RewardModelStage(string Name, string Data, string? Init = null, int? Limit = null, [Inline] RewardModelSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public RewardModelSettings Training { get; init; } = Training ?? new RewardModelSettings();

    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model), new("data", Data)];

    public IEnumerable<StageProblem> Problems() => [.. Range.Positive("batch", Training.Batch), .. Range.Positive("epochs", Training.Epochs), .. Range.Positive("learning-rate", Training.LearningRate),
        .. Range.Positive("limit", Limit), .. LoraSettings.Problems(Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(StageRows.Read(run.Input(Data), RowsJson.Default.Preference), run.Services.OpenCodec(init), Limit);
        run.Backend.Traits.Require(run.Backend.Traits.ScalarHeads, "scalar heads");
        ITrainableModel model = await run.OpenTrainableAsync("reward", new ModelSpec(init, LoraSettings.Adaptation(Lora), Head.Scalar, run.Seed, NewHead: true), cancellation);
        await new RewardModel(Training).RunAsync(pairs, model, run, cancellation);
        await run.SaveModelAsync(model, cancellation);
        run.Summary = $"{pairs.Count} preferences";
    }
}

/// <summary>Preferences as ids.</summary>
internal static class PairEncoding
{
    public static List<TokenizedPair> Encode(IEnumerable<Preference> preferences, ITextCodec codec, int? limit) =>
        [.. preferences.Take(limit ?? int.MaxValue).Select(p =>
            new TokenizedPair(codec.EncodePrompt(p.Prompt.Messages), codec.EncodeResponse(p.Chosen), codec.EncodeResponse(p.Rejected), p.Probability, p.Margin))];
}
