using Paddock.Backends;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>weight-average</c>: one reward model from several, by the mean of their weights (docs/methods/weight-average.md).</summary>
/// <param name="Models">Stages of reward models that were fitted from the same body.</param>
[Makes(StageProduct.RewardModel)]
public sealed record WeightAverageStage(string Name, IReadOnlyList<string> Models) : IStage
{
    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => Models.Select((model, i) => new StageInput($"models[{i}]", model, InputKind.Model, StageProduct.RewardModel));

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Models.Count < 2)
            yield return new("models", "must name at least two reward models");
        if (Models.Distinct(StringComparer.Ordinal).Count() < Models.Count)
            yield return new("models", "must name each reward model once");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        ModelSpec[] specs = [.. Models.Select(model => new ModelSpec(run.Input(model).Weights, new Adaptation.Full(), Head.Scalar, run.Seed))];
        ITrainableModel mean = await run.OpenTrainableAsync("mean", specs[0], cancellation);
        await WeightAverage.RunAsync(mean, [.. specs.Skip(1).Select(spec => (Func<Task<ITrainableModel>>)(() => run.Backend.CreateAsync(spec, cancellation)))], run, cancellation);
        await run.SaveModelAsync(mean, cancellation);
        run.Summary = $"mean of {Models.Count} reward models";
    }
}
