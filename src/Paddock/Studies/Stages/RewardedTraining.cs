using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary>Keeps the best of the policies that a run passes through, by an annotator's preference over reference answers.</summary>
/// <param name="Annotator">Annotator of the world that judges.</param>
/// <param name="Split">Split of the world with reference answers; never the one that is evaluated on.</param>
/// <param name="Every">Steps between looks.</param>
/// <param name="Temperature">Sampling temperature of the answers judged.</param>
/// <param name="Limit">First so many prompts only.</param>
public sealed record SelectSettings(string Annotator, string Split = "validation", [Range(1, int.MaxValue)] int Every = 5, [Range(0, 100)] double Temperature = 0.7, [Range(1, int.MaxValue)] int? Limit = null);

/// <summary>What stages share that train a policy against a reward model: what they open, and what they keep.</summary>
/// <param name="Prompts">Ids of each prompt.</param>
/// <param name="Reference">The policy before training; null where none is wanted.</param>
internal sealed record RewardedTraining(IReadOnlyList<int[]> Prompts, RewardOf Reward, ITrainableModel Policy, ITrainableModel? Reference, int MaxTokens, IReadOnlyList<int> StopTokens, Selection? Selection)
{
    public static IEnumerable<StageInput> Inputs(string? init, string reward) =>
        [new("init", init, InputKind.Model, StageProduct.Policy), new("reward", reward, InputKind.Model, StageProduct.RewardModel)];

    public static IEnumerable<StageProblem> Problems(StageChecks checks, string split, SelectSettings? select)
    {
        foreach (StageProblem problem in checks.Split("split", split, SplitContent.Prompts))
            yield return problem;
        if (select == null)
            yield break;
        foreach (StageProblem problem in checks.Split("select.split", select.Split, SplitContent.References).Concat(checks.Annotator("select.annotator", select.Annotator)))
            yield return problem;
        if (select.Split == "evaluation")
            yield return new("select.split", "must not be the split that systems are evaluated on: choosing on it would flatter the choice; take validation");
    }

    /// <param name="run">The stage.</param>
    /// <param name="init">Stage or model to start from.</param>
    /// <param name="reward">Stage with the reward model.</param>
    /// <param name="limit">First so many prompts only.</param>
    public static async Task<RewardedTraining> OpenAsync(StageRun run, string? init, string reward, string split, int? limit, int? maxTokens, SelectSettings? select, LoraSettings? lora, bool needsReference, CancellationToken cancellation)
    {
        string weights = run.Input(init).Weights, rewardWeights = run.Input(reward).Weights;
        ITextCodec codec = run.Services.OpenCodec(weights);
        Prompt[] prompts = [.. run.World.Prompts(split).Take(limit ?? int.MaxValue)];
        if (prompts.Length == 0)
            throw new BadInputException($"'{run.Name}': split '{split}' has no prompts to train on");
        run.Backend.Traits.Require(run.Backend.Traits.SeveralModels, "a policy, a reference and a reward model at once");
        run.Backend.Traits.Require(run.Backend.Traits.ScalarHeads, "scalar heads");
        ITrainableModel policy = await run.OpenPolicyAsync(weights, lora, cancellation);
        ITrainableModel? reference = needsReference ? await run.OpenReferenceAsync(weights, cancellation) : null;
        RewardScorer scorer = await run.OpenScorerAsync(rewardWeights, cancellation);
        RewardInput input = new(codec, run.Services.OpenCodec(rewardWeights));
        int longest = maxTokens ?? run.World.MaxResponseTokens;
        return new([.. prompts.Select(p => codec.EncodePrompt(p.Messages))],
            (rollouts, token) => scorer.ScoreAsync([.. rollouts.Select(r => input.Of(prompts[r.Row], r.Prompt, r.Tokens))], token),
            policy, reference, longest, codec.StopTokens, select == null ? null : OpenSelection(run, select, codec, longest));
    }

    /// <summary>Saves the policy to keep as the stage's own, and clears away those kept on the way.</summary>
    public static async Task KeepAsync(StageRun run, BestPolicy best, ITrainableModel policy, int steps, CancellationToken cancellation)
    {
        if (best.Saved == null)
        {
            await run.SaveModelAsync(policy, cancellation);
            run.Summary = $"{steps} steps";
        }
        else
        {
            // the folder of runs may have moved since it was kept
            string here = Path.Combine(run.Folder.Path, $"{Selection.Prefix}{best.Step}");
            await using ITrainableModel kept = await run.Backend.RestoreAsync(new CheckpointUri(Directory.Exists(here) ? here : best.Saved), withOptimizer: false, cancellation);
            await run.SaveModelAsync(kept, cancellation);
            run.Summary = $"best of {steps} steps is {best.Step}, {100 * best.Score:0.0} % preferred on held-out prompts";
        }
        foreach (string folder in Directory.GetDirectories(run.Folder.Path, Selection.Prefix + "*"))
            Directory.Delete(folder, recursive: true);
    }

    // mean preference of the annotator for the policy's answers over the reference's; the same random streams at every look
    private static Selection OpenSelection(StageRun run, SelectSettings select, ITextCodec codec, int maxTokens)
    {
        Prompt[] prompts = [.. run.World.Prompts(select.Split).Take(select.Limit ?? int.MaxValue)];
        Response[] references = [.. run.World.References(select.Split).Take(prompts.Length)];
        IAnnotator annotator = run.World.Annotator(select.Annotator, new AnnotatorOptions(run.Seed, Expected: true));
        SampleRequest[] requests = [.. prompts.Select((p, i) => new SampleRequest(codec.EncodePrompt(p.Messages), 1, run.Stream("selection").Split((ulong)i).AsSeed()))];
        SamplingOptions sampling = SamplingOptions.Plain(maxTokens, (float)select.Temperature, codec.StopTokens);
        return new Selection(select.Every, async (sampler, cancellation) =>
        {
            Response[] answers = new Response[prompts.Length];
            await foreach (Completion completion in sampler.SampleAsync(requests, sampling, cancellation))
                answers[completion.Request] = codec.DecodeResponse(completion.Tokens);
            IReadOnlyList<Verdict> verdicts = await annotator.CompareAsync([.. prompts.Select((p, i) => new Comparison(p.Id, p, answers[i], references[i]))], cancellation);
            double[] given = [.. verdicts.Where(v => v.FirstPreferred != null).Select(v => v.FirstPreferred!.Value)];
            return given.Length == 0 ? double.NegativeInfinity : given.Average();
        });
    }
}
