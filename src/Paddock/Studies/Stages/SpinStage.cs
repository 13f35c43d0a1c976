using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>spin</c>: one iteration of self-play fine-tuning against the policy it starts from (docs/methods/spin.md).</summary>
/// <param name="Init">Stage or model to start from, which is also the opponent; the study's model when left out.</param>
/// <param name="Split">Split of the world with the demonstrations.</param>
/// <param name="Previous">The <c>spin</c> stage before, whose pairs are trained on too.</param>
/// <param name="Limit">First so many demonstrations only.</param>
/// <param name="Temperature">Of the opponent's answers.</param>
/// <param name="Loss">sigmoid is the paper's; hinge its alternative.</param>
[Makes(StageProduct.Policy)]
public sealed record SpinStage(string Name, string? Init = null, string Split = "sft", string? Previous = null, [Range(1, int.MaxValue)] int? Limit = null,
    [Range(0, 100, MinimumIsExclusive = true)] double Temperature = 1, [Range(1, 1 << 20)] int? MaxTokens = null, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Beta = 0.1, DpoLossType Loss = DpoLossType.Sigmoid,
    [Range(1, int.MaxValue)] int Batch = 32, [Range(1, int.MaxValue)] int Epochs = 1, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, LoraSettings? Lora = null) : IStage
{
    private const int ChunkPrompts = 500;

    public int Version => 1;

    public IEnumerable<StageInput> Inputs
    {
        get
        {
            yield return new("init", Init, InputKind.Model, StageProduct.Policy);
            if (Previous != null)
                yield return new("previous", Previous);
        }
    }

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Loss is not (DpoLossType.Sigmoid or DpoLossType.Hinge))
            yield return new("loss", "must be sigmoid or hinge");
        if (Previous != null && checks.Earlier(Previous) is { } earlier and not SpinStage)
            yield return new("previous", $"must name an earlier spin stage; '{earlier.Name}' is none");
        foreach (StageProblem other in checks.Split("split", Split, SplitContent.Demonstrations).Concat(LoraSettings.Problems(Lora)))
            yield return other;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        ITextCodec codec = run.Services.OpenCodec(init);
        Demonstration[] data = [.. run.World.Demonstrations(Split).Take(Limit ?? int.MaxValue)];
        Spin method = new(new SpinSettings(Temperature, ChunkPrompts, new DpoSettings(Beta, Loss, Batch: Batch, Epochs: Epochs, LearningRate: LearningRate)));

        // 1. the opponent's own answers, kept chunk by chunk as pairs
        using (ResumableRows rows = run.OpenRows("outputs.jsonl", ChunkPrompts, data.Length))
            if (rows.Next > 0)
            {
                await using ISampler opponent = await run.Backend.OpenSamplerAsync(new CheckpointUri(init), cancellation);
                await method.AnswerAsync([.. data.Select(d => codec.EncodePrompt(d.Prompt.Messages))], (int)rows.Done, opponent, MaxTokens ?? run.World.MaxResponseTokens, codec.StopTokens, run, answers =>
                {
                    int first = (int)rows.Done;
                    rows.Append([.. answers.Select((a, i) => new Preference(data[first + i].Prompt, data[first + i].Response, codec.DecodeResponse(a.Tokens)))], RowsJson.Default.Preference, run.Stopping);
                }, cancellation);
            }

        // 2. training on them, and on those of the iteration before; where both answers are the same there is nothing to learn
        List<Preference> pairs = StageRows.Read(new StageSource(Name, run.Folder, null), RowsJson.Default.Preference);
        if (Previous != null)
            pairs.AddRange(StageRows.Read(run.Input(Previous), RowsJson.Default.Preference));
        int same = pairs.RemoveAll(p => p.Chosen.Text == p.Rejected.Text && p.Chosen.Finished == p.Rejected.Finished);
        if (pairs.Count == 0)
            throw new BadInputException($"every answer of '{Init}' is the demonstration itself; there is nothing left to learn by self-play");
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        ITrainableModel frozen = await run.OpenReferenceAsync(init, cancellation);
        await method.TrainAsync(PairEncoding.Encode(pairs, codec, null), policy, frozen, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{pairs.Count} demonstrations against own answers, {same} that were the same left out";
    }
}
