using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;

namespace Paddock.Studies.Stages;

/// <summary><c>reward-conditioning</c>: learns both answers of a pair, each behind a control token (docs/methods/reward-conditioning.md).</summary>
/// <param name="Init">Stage or model to start from; the study's model when left out.</param>
/// <param name="Data">Stage or file with the preferences.</param>
/// <param name="Limit">First so many preferences only.</param>
/// <param name="Good">Text between prompt and answer of what was preferred; the trained policy then has it at the end of every prompt.</param>
/// <param name="Bad">Text in its place for what was rejected.</param>
/// <param name="Batch">Answers a step, two a pair.</param>
[Makes(StageProduct.Policy)]
public sealed record RewardConditioningStage(string Name, string Data, string? Init = null, [Range(1, int.MaxValue)] int? Limit = null, string Good = " <good>", string Bad = " <bad>",
    [Range(1, int.MaxValue)] int Batch = 64, [Range(1, int.MaxValue)] int Epochs = 2, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double LearningRate = 3e-4, LoraSettings? Lora = null) : IStage
{
    public int Version => 1;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Good == Bad)
            yield return new("bad", "must differ from good, or nothing tells a preferred answer from a rejected one");
        foreach (StageProblem other in LoraSettings.Problems(Lora))
            yield return other;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        ITextCodec codec = run.Services.OpenCodec(init);
        List<Preference> preferences = StageRows.ReadPreferences(run.Input(Data), run);
        List<TokenizedPair> pairs = PairEncoding.Encode(preferences, codec, Limit);
        int[] good = ControlText.Encode("good", Good, codec), bad = ControlText.Encode("bad", Bad, codec);
        if (good.AsSpan().SequenceEqual(bad))
            throw new BadInputException($"good ('{Good}') and bad ('{Bad}') are the same ids to the tokenizer of '{init}'; name two texts that it tells apart");
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await new RewardConditioning(new RewardConditioningSettings(new SftSettings(Batch, Epochs, LearningRate))).RunAsync(pairs, good, bad, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        ControlText.AddTo(run, Good, good, preferences[0].Prompt, pairs[0].Prompt);
        run.Summary = $"{pairs.Count} preferences, asked for{Good}";
    }
}
