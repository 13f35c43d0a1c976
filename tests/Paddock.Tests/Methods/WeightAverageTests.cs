using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Engine.Checkpoints;
using Paddock.Methods;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

public class WeightAverageTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Every_weight_is_the_mean_of_the_models()
    {
        using TinyModel tiny = new();
        await using EmbeddedBackend backend = tiny.Open();
        TokenizedPair[] pairs = MethodCase.Pairs(new MethodRun());
        CheckpointUri[] saved = new CheckpointUri[4];
        for (int i = 0; i < 3; i++)
        {
            await using TestStage stage = new(backend, new StageMemory());
            ITrainableModel model = await stage.OpenTrainableAsync("model", tiny.Spec(Head.Scalar), None);
            await new RewardModel(new RewardModelSettings(2, 3, 1e-2)).RunAsync(pairs[(3 * i)..(3 * i + 3)], model, stage, None);
            saved[i] = await model.SaveAsync($"model-{i}", None);
        }
        await using TestStage mean = new(backend, new StageMemory());
        await using ITrainableModel first = await backend.RestoreAsync(saved[0], withOptimizer: false, None);
        await WeightAverage.RunAsync(first, [() => backend.RestoreAsync(saved[1], false, None), () => backend.RestoreAsync(saved[2], false, None)], mean, None);
        saved[3] = await first.SaveAsync("mean", None);
        Assert.Equal((3L, 3L), (mean.Last.Done, mean.Last.Total));

        SafetensorsFile[] files = [.. saved.Select(s => SafetensorsFile.Open(Path.Combine(s.Value, "weights.safetensors")))];
        double apart = 0;
        foreach ((string name, var tensor) in files[3].Tensors)
        {
            float[][] values = [.. files.Select(_ => new float[tensor.Count])];
            for (int i = 0; i < 4; i++)
                files[i].Read(name, values[i]);
            for (int j = 0; j < values[0].Length; j++)
            {
                Assert.Equal(((double)values[0][j] + values[1][j] + values[2][j]) / 3, values[3][j], 1e-6);
                apart = Math.Max(apart, Math.Abs(values[0][j] - values[1][j]));
            }
        }
        Assert.True(apart > 1e-3, $"the models differ by {apart} only");
        foreach (SafetensorsFile file in files)
            file.Dispose();
    }
}
