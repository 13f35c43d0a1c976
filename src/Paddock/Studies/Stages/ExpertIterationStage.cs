using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>expert-iteration</c>: best-of-n answers become demonstrations (docs/methods/expert-iteration.md).</summary>
/// <param name="Reward">Stage with the reward model.</param>
/// <param name="Init">Stage or model that answers and is then trained; the study's model when left out.</param>
/// <param name="N">Answers drawn a prompt.</param>
/// <param name="Prompts">First so many prompts of the split.</param>
[Makes(StageProduct.Policy)]
public sealed record ExpertIterationStage(string Name, string Reward, string? Init = null, string Split = "unlabeled", [Range(1, 65536)] int N = 16, [Range(1, int.MaxValue)] int Prompts = 800,
    [Range(0, 100)] double Temperature = 0.7, [Range(1, 1 << 20)] int? MaxTokens = null, [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 2, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, LoraSettings? Lora = null) : IStage
{
    private const int ChunkPrompts = 100;

    public int Version => 2;

    public IEnumerable<StageInput> Inputs => RewardedTraining.Inputs(Init, Reward);

    public IEnumerable<StageProblem> Problems(StageChecks checks) =>
        [.. checks.Split("split", Split, SplitContent.Prompts), .. TrainingChecks.Answers("n", N, Temperature), .. LoraSettings.Problems(Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        ITextCodec codec = run.Services.OpenCodec(init);
        Prompt[] prompts = [.. run.World.Prompts(Split).Take(Prompts)];
        int[][] encoded = [.. prompts.Select(prompt => codec.EncodePrompt(prompt.Messages))];
        ExpertIteration method = new(new ExpertIterationSettings(N, ChunkPrompts, new SftSettings(Batch, Epochs, LearningRate)));

        // 1. the best of n answers for each prompt, kept chunk by chunk
        using (ResumableRows rows = run.OpenRows("outputs.jsonl", ChunkPrompts, prompts.Length))
            if (rows.Next > 0)
            {
                await using ISampler sampler = await run.Backend.OpenSamplerAsync(new CheckpointUri(init), cancellation);
                string rewardWeights = run.Input(Reward).Weights;
                RewardInput input = new(codec, run.Services.OpenCodec(rewardWeights));
                RewardScorer reward = await run.OpenScorerAsync(rewardWeights, cancellation);
                SamplingOptions sampling = SamplingOptions.Plain(MaxTokens ?? run.World.MaxResponseTokens, (float)Temperature, codec.StopTokens);
                await method.SelectAsync(encoded, (int)rows.Done, sampler, sampling, reward, run, chosen =>
                {
                    int first = (int)rows.Done;
                    rows.Append([.. chosen.Select((c, i) => new SystemRow(prompts[first + i].Id, codec.DecodeResponse(c.Kept.Tokens), c.Choice.Rewards, c.Kept.Tokens.Count, 0, null))],
                        RowsJson.Default.SystemRow, run.Stopping);
                    return Task.CompletedTask;
                }, cancellation, (i, tokens) => input.Of(prompts[i], encoded[i], tokens));
            }

        // 2. supervised fine-tuning on them, as the very ids that were sampled
        List<SystemRow> selected = StageRows.Read(new StageSource(Name, run.Folder, null), RowsJson.Default.SystemRow);
        List<TokenizedExample> examples = [.. selected.Select((row, i) => new TokenizedExample(encoded[i], [.. row.Response.Tokens!]))];
        IReadOnlyList<BestOfNChoice> choices = [.. selected.Select(row => BestOfN.Choose([.. row.Rewards!]))];
        Dictionary<string, double> selection = new BestOfN(new BestOfNSettings(N)).Metrics(choices);
        if (run.ResumedFromStep == null)
            run.Log(-1, selection); // a checkpoint keeps the row
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await method.TrainAsync(examples, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        double gain = selection["bon/reward_selected"] - selection["bon/reward_mean"];
        run.Summary = $"{examples.Count} best-of-{N} answers, reward {gain:+0.00;-0.00} above the mean answer";
    }
}
