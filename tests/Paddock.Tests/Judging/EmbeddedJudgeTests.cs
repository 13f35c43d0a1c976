using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Engine.Threading;
using Paddock.Judging;
using Paddock.Judging.Clients;
using Paddock.Storage;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Judging;

/// <summary>A local model as a judge: no network, the same verdicts for any batch, recorded and replayed like any other.</summary>
public sealed class EmbeddedJudgeTests
{
    [SharedFact]
    public async Task A_small_model_judges_without_a_network()
    {
        string model = SharedFolder.Get("models", "smollm2-135m-instruct");
        ModelLibrary library = new([]);
        using WorkerPool pool = new(2);
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("r.db"));
        using HttpClient http = new();
        using JudgeBuilder builder = new(new JudgeServices(store, CacheMode.Record, PriceTable.Shipped, http, TimeProvider.System, name =>
        {
            ISampler sampler = new EmbeddedBackend(folder.Path, library, pool).OpenSamplerAsync(new CheckpointUri(name), default).GetAwaiter().GetResult();
            return (new EmbeddedChatClient(sampler, library.OpenCodec(name), name, TimeProvider.System), "test");
        }));
        JudgeSettings settings = new("local", new ModelSettings(model, JudgeProvider.Embedded), JudgeForm.LogProb, Order: JudgeOrder.Both);
        using JudgeAnnotator judge = builder.BuildAnnotator(settings, "judge.yaml");
        Comparison[] pairs = [Cases.Pair(1, "Paris is the capital of France.", "qx zzz"), Cases.Pair(2, "I do not know.", "Four.")];
        List<JudgeVerdict> together = [];
        await foreach (JudgeVerdict verdict in judge.JudgeAsync(pairs, default))
            together.Add(verdict);
        Assert.All(together, v => Assert.InRange(v.Preference!.Value, 1.0, 2.0));
        // exact log-probs of both candidates, whatever else is likely
        Assert.All(together.SelectMany(v => v.Calls), call => Assert.Equal(["m", "M"], call.LogProbs![0].Top.Select(t => t.Token)));
        Assert.Equal(0, together[0].Price);
        Assert.Equal((0L, 4L), builder.Calls);
        JudgeVerdict alone = await judge.Judge.JudgeAsync(pairs[1], default);
        Assert.Equal(together[1].Preference, alone.Preference);
        Assert.Equal((2L, 4L), builder.Calls);
    }
}
