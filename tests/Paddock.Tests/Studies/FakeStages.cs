using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Studies;

namespace Paddock.Tests.Studies;

internal enum FakeSchedule { Constant, LinearDecay }

internal sealed record FakeOptimizer(double LearningRate = 3e-4, [Range(0, 1)] double WeightDecay = 0.01, FakeSchedule Schedule = FakeSchedule.LinearDecay);

internal sealed record FakeLimits([Range(1, int.MaxValue)] int Tokens = 64, float? Seconds = null);

internal sealed record FakeRow(int Index, string Prompt, double Draw);

[JsonSerializable(typeof(FakeRow))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class FakeJson : JsonSerializerContext;

/// <summary>Writes rows in chunks, as sampling and judging do.</summary>
internal sealed record RowsStage(string Name, string Split = "train", [Range(1, 1000)] int Rows = 10, int Chunk = 4) : IStage
{
    public int Version => 1;

    public IEnumerable<StageInput> Inputs => [];

    public StageUses Uses => StageUses.World;

    public Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        IReadOnlyList<Prompt> prompts = run.World.Prompts(Split);
        using (ResumableRows rows = run.OpenRows("outputs.jsonl", Chunk, Rows))
            while (rows.Next > 0)
            {
                FakeRow[] chunk = [.. Enumerable.Range((int)rows.Done, rows.Next)
                    .Select(i => new FakeRow(i, prompts[i % prompts.Count].Id, run.Stream("rows").Split((ulong)i).NextDouble()))];
                run.CountWork(chunk.Length, 1e3 * chunk.Length);
                _ = run.Time.GetTimestamp(); // lets a test look in between the work and its rows
                rows.Append(chunk, FakeJson.Default.FakeRow, run.Stopping);
                run.Progress(rows.Done, rows.Total, "rows");
                (run.Time as FakeTime)?.Advance(1);
            }
        run.Log(0, new Dictionary<string, double> { ["rows"] = Rows });
        run.Summary = $"{Rows} rows";
        return Task.CompletedTask;
    }
}

/// <summary>Trains two models step by step, as a policy with a value model does.</summary>
internal sealed record TrainStage(string Name, string Data, string? Init = null, [Range(0, double.PositiveInfinity, MinimumIsExclusive = true)] double Beta = 0.1,
    int Steps = 12, [Inline] FakeOptimizer? Optimizer = null, FakeLimits? Limits = null, IReadOnlyList<string>? Targets = null, bool Fast = false) : IStage
{
    private sealed record State(int Step, double Average);

    public FakeOptimizer Optimizer { get; init; } = Optimizer ?? new();

    public FakeLimits Limits { get; init; } = Limits ?? new();

    public int Version => 1;

    public IEnumerable<StageInput> Inputs => [new("init", Init, InputKind.Model), new("data", Data)];

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Steps < 1)
            yield return new("steps", "must be at least 1");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string[] rows = await File.ReadAllLinesAsync(run.Input(Data).Rows, cancellation);
        ITrainableModel policy = await run.OpenTrainableAsync("policy", new ModelSpec(run.Input(Init).Weights, new Adaptation.Full(), Head.Token, run.Seed), cancellation);
        ITrainableModel value = await run.OpenTrainableAsync("value", new ModelSpec(run.Input(Init).Weights, new Adaptation.Full(), Head.Scalar, run.Seed + 1), cancellation);
        State state = await run.ResumeAsync<State>(cancellation) ?? new(0, 0);
        for (int step = state.Step; step < Steps; step++)
        {
            double draw = run.Stream("data").Split((ulong)step).NextDouble() + rows[step % rows.Length].Length;
            double norm = (await policy.StepAsync(new AdamStep(Optimizer.LearningRate * draw), cancellation)).GradientNorm;
            norm += (await value.StepAsync(new AdamStep(Beta * draw), cancellation)).GradientNorm;
            state = new(step + 1, (0.9 * state.Average) + norm);
            run.Log(step, new Dictionary<string, double> { ["loss"] = norm, ["average"] = state.Average, ["kl"] = step == 0 ? double.NaN : 1.0 / step });
            run.Append("notes.jsonl", System.Text.Encoding.UTF8.GetBytes($"{{\"step\":{step}}}"));
            run.CountWork(10, 1e6);
            run.Progress(step + 1, Steps, "steps");
            (run.Time as FakeTime)?.Advance(1);
            await run.CheckpointAsync(step + 1, state, cancellation);
        }
        await run.SaveModelAsync(policy, cancellation);
        run.Summary = $"average {state.Average:F3}";
    }
}

internal sealed record FakeSystem(string Policy, string? Rerank = null, int N = 1);

/// <summary>Compares named systems, as a table of win rates does.</summary>
internal sealed record TableStage(string Name, IReadOnlyDictionary<string, FakeSystem> Systems, IReadOnlyList<string> Annotators, string Against = "reference") : IStage
{
    public int Version => 3;

    public IEnumerable<StageInput> Inputs => Systems.SelectMany(s => new StageInput[]
    {
        new($"systems.{s.Key}.policy", s.Value.Policy, InputKind.Model),
        new($"systems.{s.Key}.rerank", s.Value.Rerank),
    });

    public Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        int step = 0;
        foreach ((string name, FakeSystem system) in Systems)
        {
            byte[] weights = File.ReadAllBytes(Path.Combine(run.Input(system.Policy).Weights, FakeModel.File));
            run.Log(step++, new Dictionary<string, double> { [$"win-rate/{name}"] = weights[^1] / 255.0 });
        }
        return Task.CompletedTask;
    }
}

/// <summary>Does what a test tells it to.</summary>
internal sealed record ProbeStage(string Name, string Probe = "") : IStage
{
    public int Version => 1;

    public IEnumerable<StageInput> Inputs => [];

    public StageUses Uses => StageUses.None;

    public Task RunAsync(StageRun run, CancellationToken cancellation) => ((FakeTime)run.Time).Probe(run, cancellation);
}
