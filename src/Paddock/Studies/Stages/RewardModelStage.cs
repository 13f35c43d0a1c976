using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>reward-model</c>: fits a scalar-headed model to preferences (docs/methods/reward-model.md).</summary>
/// <param name="Init">Stage or model whose body it starts from; the study's model when left out.</param>
/// <param name="Data">Stage with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
[Makes(StageProduct.RewardModel)]
public sealed record RewardModelStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, [Inline] RewardModelSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public RewardModelSettings Training { get; init; } = Training ?? new RewardModelSettings();

    public int Version => 2;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy | StageProduct.RewardModel), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => TrainingChecks.Problems(Training.Optimisation, Lora);

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        List<TokenizedPair> pairs = PairEncoding.Encode(StageRows.ReadPreferences(run.Input(Data), run), run.Services.OpenCodec(init), Limit);
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

    /// <summary>Preferences for a method that takes hard labels only.</summary>
    /// <exception cref="BadInputException">One of them is soft.</exception>
    public static IEnumerable<Preference> Hard(IEnumerable<Preference> preferences, string source) => preferences.Select(p => p.Probability == 1 ? p
        : throw new BadInputException($"'{source}' has soft labels (a probability of {p.Probability}), and this method takes hard ones only; annotate without soft, or round them to 1"));
}
