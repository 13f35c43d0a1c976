using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>sample</c>: draws answers from a policy.</summary>
/// <param name="From">Stage or model that answers.</param>
/// <param name="Split">Split of the world whose prompts are answered.</param>
/// <param name="N">Answers a prompt.</param>
/// <param name="MaxTokens">Longest answer; the world's own limit when left out.</param>
/// <param name="Limit">First so many prompts only.</param>
[Makes(StageProduct.Answers)]
public sealed record SampleStage(string Name, string From, string Split = "preference", [Range(1, 65536)] int N = 2, [Range(0, 100)] double Temperature = 1.0,
    [Range(0, 1, MinimumIsExclusive = true)] double TopP = 1.0, [Range(0, int.MaxValue)] int TopK = 0, [Range(1, 1 << 20)] int? MaxTokens = null, [Range(1, int.MaxValue)] int? Limit = null) : IStage
{
    private const int ChunkPrompts = 500;

    public int Version => 1;

    public IEnumerable<StageInput> Inputs => [new("from", From, InputKind.Model, StageProduct.Policy)];

    public IEnumerable<StageProblem> Problems(StageChecks checks) => [.. checks.Split("split", Split, SplitContent.Prompts), .. TrainingChecks.Answers("n", N, Temperature)];

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string from = run.Input(From).Weights;
        ITextCodec codec = run.Services.OpenCodec(from);
        Prompt[] prompts = [.. run.World.Prompts(Split).Take(Limit ?? int.MaxValue)];
        SamplingOptions sampling = new(MaxTokens ?? run.World.MaxResponseTokens, (float)Temperature, TopK, (float)TopP, 0f, 1f, codec.StopTokens, []);
        await using ISampler sampler = await run.Backend.OpenSamplerAsync(new CheckpointUri(from), cancellation);

        using ResumableRows rows = run.OpenRows("outputs.jsonl", ChunkPrompts, prompts.Length);
        while (rows.Next > 0)
        {
            int first = (int)rows.Done;
            Prompt[] chunk = prompts[first..(first + rows.Next)];
            Response[][] answers = [.. chunk.Select(_ => new Response[N])];
            List<SampleRequest> requests = [.. chunk.Select((prompt, i) =>
                new SampleRequest(codec.EncodePrompt(prompt.Messages), N, run.Stream("samples").Split((ulong)(first + i)).AsSeed()))];
            await foreach (Completion completion in sampler.SampleAsync(requests, sampling, cancellation))
                answers[completion.Request][completion.Sample] = codec.DecodeResponse(completion.Tokens);
            rows.Append([.. chunk.Select((prompt, i) => new SampledAnswers(prompt, answers[i]))], RowsJson.Default.SampledAnswers, run.Stopping);
            run.Progress(rows.Done, rows.Total, "prompts");
        }
        run.Summary = $"{prompts.Length} prompts, {N} answers each";
    }
}
