using System.Text.Json;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Storage;

namespace Paddock.Studies.Stages;

/// <summary>Lets the systems of a win-rate stage answer its prompts, chunk by chunk, so that a killed run goes on where it was.</summary>
internal sealed class SystemAnswers(WinRateStage stage, StageRun run, Prompt[] prompts)
{
    // a seventh of the Meadow's evaluation split: what a kill loses at most
    private const int ChunkPrompts = 115;

    /// <summary>Measured seconds an answer by system: <c>inference.json</c>, the only file here with a clock in it.</summary>
    private readonly Dictionary<string, double> _seconds = ReadSeconds(run);

    // time that answering the chunk took, the measuring of KL left out
    private TimeSpan _spent;

    public async Task<List<SystemRow>> AnswerAsync(string name, SystemSettings system, int position, CancellationToken cancellation)
    {
        string file = $"answers-{position}.jsonl", weights = run.Input(system.Policy).Weights;
        using (ResumableRows rows = run.OpenRows(file, ChunkPrompts, prompts.Length))
            if (rows.Next > 0)
            {
                ITextCodec codec = run.Services.OpenCodec(weights);
                await using ISampler policy = await run.Backend.OpenSamplerAsync(new CheckpointUri(weights), cancellation);
                await using ISampler? baseline = await OpenBaselineAsync(system, cancellation);
                string? rewardWeights = system.Rerank == null ? null : run.Input(system.Rerank).Weights;
                RewardInput? input = rewardWeights == null ? null : new(codec, run.Services.OpenCodec(rewardWeights));
                await using ITrainableModel? reward = rewardWeights == null ? null
                    : await run.Backend.CreateAsync(new ModelSpec(rewardWeights, new Adaptation.Full(), Head.Scalar, run.Seed), cancellation);
                SamplingOptions sampling = new(stage.MaxTokens ?? run.World.MaxResponseTokens, (float)stage.Temperature, 0, (float)stage.TopP, 0f, 1f, codec.StopTokens, []);
                while (rows.Next > 0)
                {
                    long before = rows.Done;
                    IReadOnlyList<SystemRow> chunk = await ChunkAsync((int)rows.Done, rows.Next, system, codec, policy, reward, input, baseline, sampling, cancellation);
                    KeepSeconds(name, before, chunk.Count);
                    rows.Append(chunk, RowsJson.Default.SystemRow, run.Stopping);
                    run.Progress(position * (long)prompts.Length + rows.Done, (long)stage.Systems.Count * prompts.Length, "answers");
                }
            }
        return StageRows.Read(new StageSource(name, null, run.Folder.File(file)), RowsJson.Default.SystemRow);
    }

    private async Task<IReadOnlyList<SystemRow>> ChunkAsync(int first, int count, SystemSettings system, ITextCodec codec, ISampler policy, ITrainableModel? reward, RewardInput? input, ISampler? baseline,
        SamplingOptions sampling, CancellationToken cancellation)
    {
        double before = run.Flops;
        long begun = run.Time.GetTimestamp();
        int[][] encoded = [.. prompts.AsSpan(first, count).ToArray().Select(prompt => codec.EncodePrompt(prompt.Messages))];
        // named by the prompt and not by the system: two systems with the same policy draw the same answers
        ulong[] streams = [.. Enumerable.Range(first, count).Select(i => run.Stream("answers").Split((ulong)i).AsSeed())];
        Completion[] kept = new Completion[count];
        IReadOnlyList<double>?[] rewards = new IReadOnlyList<double>?[count];
        int[] tokens = new int[count];
        if (reward != null)
        {
            BestOfN method = new(new BestOfNSettings(system.N));
            IReadOnlyList<(Completion Kept, BestOfNChoice Choice)> chosen = await method.RunAsync(encoded, streams, policy, sampling, new RewardScorer(reward), cancellation,
                sample => tokens[sample.Request] += sample.Tokens.Count, (i, ids) => input!.Of(prompts[first + i], encoded[i], ids));
            for (int i = 0; i < count; i++)
                (kept[i], rewards[i]) = (chosen[i].Kept, chosen[i].Choice.Rewards);
        }
        else
        {
            await foreach (Completion sample in policy.SampleAsync([.. encoded.Select((prompt, i) => new SampleRequest(prompt, 1, streams[i]))], sampling, cancellation))
                (kept[sample.Request], tokens[sample.Request]) = (sample, sample.Tokens.Count);
        }
        double flops = (run.Flops - before) / count;
        _spent = run.Time.GetElapsedTime(begun);
        double[]? kl = baseline == null ? null : await KlAsync(encoded, kept, baseline, cancellation);
        return [.. Enumerable.Range(0, count).Select(i => new SystemRow(prompts[first + i].Id, codec.DecodeResponse(kept[i].Tokens), rewards[i], tokens[i], flops, kl?[i]))];
    }

    // log policy - log baseline of the answer, both at temperature 1 (k1 of docs/statistics.md)
    private static async Task<double[]> KlAsync(int[][] encoded, Completion[] kept, ISampler baseline, CancellationToken cancellation)
    {
        IReadOnlyList<ReadOnlyMemory<float>> scores = await baseline.ScoreAsync([.. encoded.Select((prompt, i) => (ReadOnlyMemory<int>)(int[])[.. prompt, .. kept[i].Tokens])], cancellation);
        double[] kl = new double[kept.Length];
        for (int i = 0; i < kl.Length; i++)
            for (int t = 0; t < kept[i].Tokens.Count; t++)
                kl[i] += kept[i].LogProbs[t] - scores[i].Span[encoded[i].Length + t];
        return kl;
    }

    private async Task<ISampler?> OpenBaselineAsync(SystemSettings system, CancellationToken cancellation)
    {
        string baseline = stage.Systems.First().Value.Policy;
        return stage.Kl && system.Policy != baseline ? await run.Backend.OpenSamplerAsync(new CheckpointUri(run.Input(baseline).Weights), cancellation) : null;
    }

    // the mean over all chunks, those of earlier attempts included
    private void KeepSeconds(string name, long before, int count)
    {
        _seconds[name] = (before * _seconds.GetValueOrDefault(name) + _spent.TotalSeconds) / (before + count);
        WholeFile.WriteText(run.Folder.File("inference.json"), JsonSerializer.Serialize(_seconds, RowsJson.Default.DictionaryStringDouble) + "\n");
    }

    private static Dictionary<string, double> ReadSeconds(StageRun run)
    {
        string path = run.Folder.File("inference.json");
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllText(path), RowsJson.Default.DictionaryStringDouble) ?? [] : [];
    }
}
