using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>quark</c>: learns from the policy's own best answers, sorted by a reward model (docs/methods/quark.md).</summary>
/// <param name="Reward">Stage with the reward model.</param>
/// <param name="Init">Stage or model to start from, which is also the reference; the study's model when left out.</param>
/// <param name="Prompts">First so many prompts of the split.</param>
/// <param name="Controls">Text behind the prompt for each quantile, the best first; none keeps the best quantile alone. The trained policy then has the first at the end of every prompt.</param>
[Makes(StageProduct.Policy)]
public sealed record QuarkStage(string Name, string Reward, string? Init = null, string Split = "unlabeled", [Range(1, int.MaxValue)] int Prompts = 1600, IReadOnlyList<string>? Controls = null,
    [Range(1, 1 << 20)] int? MaxTokens = null, [Inline] QuarkSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public QuarkSettings Training { get; init; } = Training ?? new QuarkSettings();

    public IReadOnlyList<string> Controls { get; init; } = Controls ?? [];

    public int Version => 1;

    public IEnumerable<StageInput> Inputs => RewardedTraining.Inputs(Init, Reward);

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Controls.Count > 0 && Controls.Count != Training.Quantiles)
            yield return new("controls", $"must name a text for each of the {Training.Quantiles} quantiles, or none");
        foreach (StageProblem other in checks.Split("split", Split, SplitContent.Prompts).Concat(TrainingChecks.Problems(Training.Optimisation, Lora)))
            yield return other;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights, rewardWeights = run.Input(Reward).Weights;
        ITextCodec codec = run.Services.OpenCodec(init);
        Prompt[] prompts = [.. run.World.Prompts(Split).Take(Prompts)];
        int[][] encoded = [.. prompts.Select(prompt => codec.EncodePrompt(prompt.Messages))];
        int[][] controls = [.. Controls.Select((text, i) => ControlText.Encode($"controls[{i}]", text, codec))];
        run.Backend.Traits.Require(run.Backend.Traits.SeveralModels, "a policy, a reference and a reward model at once");
        RewardInput input = new(codec, run.Services.OpenCodec(rewardWeights));
        RewardScorer scorer = await run.OpenScorerAsync(rewardWeights, cancellation);
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        ITrainableModel reference = await run.OpenReferenceAsync(init, cancellation);
        await new Quark(Training).RunAsync(encoded, controls, MaxTokens ?? run.World.MaxResponseTokens, codec.StopTokens,
            (answers, stop) => scorer.ScoreAsync([.. answers.Select(a => input.Of(prompts[a.Prompt], encoded[a.Prompt], a.Tokens))], stop), policy, reference, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        if (controls.Length > 0)
            ControlText.AddTo(run, Controls[0], controls[0], prompts[0], encoded[0]);
        run.Summary = $"{prompts.Length} prompts, {Training.Quantiles} quantiles";
    }
}
