using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Methods;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>sft</c>: fine-tunes a model on demonstrations (docs/methods/sft.md).</summary>
/// <param name="Init">Stage or model to start from; the study's model when left out.</param>
/// <param name="Split">Split of the world with the demonstrations.</param>
/// <param name="Limit">First so many demonstrations only.</param>
/// <param name="AllTurns">Learn every assistant turn of a conversation, each given what came before it, and not the last alone.</param>
[Makes(StageProduct.Policy)]
public sealed record SftStage(string Name, string? Init = null, string Split = "sft", [Range(1, int.MaxValue)] int? Limit = null, bool AllTurns = false, [Inline] SftSettings? Training = null, LoraSettings? Lora = null) : IStage
{
    public SftSettings Training { get; init; } = Training ?? new SftSettings();

    public int Version => 2;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model, StageProduct.Policy)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => [.. checks.Split("split", Split, SplitContent.Demonstrations), .. TrainingChecks.Problems(Training.Optimisation, Lora)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string init = run.Input(Init).Weights;
        ITextCodec codec = run.Services.OpenCodec(init);
        List<TokenizedExample> examples = [.. run.World.Demonstrations(Split).Take(Limit ?? int.MaxValue)
            .SelectMany(d => AllTurns ? Turns(d) : [d]).Select(d => new TokenizedExample(codec.EncodePrompt(d.Prompt.Messages), codec.EncodeResponse(d.Response)))];
        ITrainableModel policy = await run.OpenPolicyAsync(init, Lora, cancellation);
        await new Sft(Training).RunAsync(examples, policy, run, cancellation);
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"{examples.Count} demonstrations";
    }

    /// <summary>One demonstration for each assistant turn: what an assistant mask over the whole conversation scores, and nothing else.</summary>
    internal static IEnumerable<Demonstration> Turns(Demonstration demonstration)
    {
        IReadOnlyList<ChatMessage> messages = demonstration.Prompt.Messages;
        for (int i = 1; i < messages.Count; i++)
            if (messages[i].Role == "assistant")
                yield return new Demonstration(new Prompt($"{demonstration.Prompt.Id}#{i}", [.. messages.Take(i)]), new Response(messages[i].Content));
        yield return demonstration;
    }
}
