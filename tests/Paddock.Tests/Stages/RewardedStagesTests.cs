using System.Text.Json;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Studies;
using Paddock.Studies.Stages;

namespace Paddock.Tests.Stages;

/// <summary>The stages that train a policy against a reward model, tiny.</summary>
public sealed class RewardedStagesTests : IDisposable
{
    private const string Head = """
        study: rewarded
        seed: 3
        world: meadow
        model: base
        stages:
          - sft: {name: sft, limit: 32, batch: 16}
          - sample: {name: pairs, from: sft, split: preference, n: 2, temperature: 1.0, limit: 16, max-tokens: 8}
          - annotate: {name: preferences, of: pairs, annotator: pool}
          - reward-model: {name: rm, init: sft, data: preferences, batch: 8}

        """;

    private readonly TinyStudy _study = new();

    public void Dispose() => _study.Dispose();

    [Fact]
    public async Task Each_trains_and_keeps_a_policy()
    {
        const string Few = "init: sft, reward: rm, max-tokens: 8, prompts: 4, steps: 3";
        StudyManifest manifest = await _study.RunAsync(Head + $$"""
              - ppo: {name: ppo, {{Few}}, select: {annotator: pool, every: 1} }
              - ppo: {name: afp, {{Few}}, flavour: alpacafarm, value: sft, lora: {rank: 2} }
              - ppo: {name: loo, {{Few}}, baseline: leave-one-out}
              - grpo: {name: grpo, {{Few}}, loss: cispo, entropy: 0.01, select: {annotator: human, limit: 4, every: 2} }
              - rloo: {name: rloo, {{Few}} }
              - reinforce: {name: reinforce, {{Few}} }
              - online-dpo: {name: odpo, {{Few}}, loss: ipo}
              - xpo: {name: xpo, {{Few}} }
              - nash-md: {name: nash, {{Few}} }
            """);
        foreach (string stage in (string[])["ppo", "afp", "loo", "grpo", "rloo", "reinforce", "odpo", "xpo", "nash"])
        {
            StageFolder folder = _study.Stage(manifest, stage);
            Assert.True(File.Exists(Path.Combine(folder.Model, "model.safetensors")), stage);
            Assert.Empty(Directory.GetDirectories(folder.Path, Selection.Prefix + "*"));
            JsonElement[] rows = [.. File.ReadLines(folder.Metrics).Select(line => JsonDocument.Parse(line).RootElement)];
            Assert.Equal([0, 1, 2], rows.Select(r => r.GetProperty("step").GetInt32()));
            Assert.All(rows, row => Assert.InRange(row.GetProperty("completions/max_length").GetDouble(), 1, 8));
            // looked at after each step, after the second and the last, and never
            JsonValueKind[] looks = [.. rows.Select(r => r.GetProperty("selection/score").ValueKind)];
            JsonValueKind middle = stage is "ppo" or "grpo" ? JsonValueKind.Number : JsonValueKind.Null;
            Assert.Equal([stage == "ppo" ? JsonValueKind.Number : JsonValueKind.Null, middle, middle], looks);
        }
    }

    [Theory]
    [InlineData("ppo: {name: x, reward: rm, select: {annotator: pool, split: evaluation}}", "must not be the split that systems are evaluated on")]
    [InlineData("ppo: {name: x, reward: rm, select: {annotator: poool}}", "the Meadow has no annotator 'poool'")]
    [InlineData("ppo: {name: x, reward: rm, baseline: leave-one-out, samples: 1}", "must be 2 or more with a leave-one-out baseline")]
    [InlineData("ppo: {name: x, reward: rm, baseline: leave-one-out, value: sft}", "a leave-one-out baseline has none")]
    [InlineData("ppo: {name: x, reward: rm, baseline: leave-one-out, flavour: alpacafarm}", "must be value in flavour alpacafarm")]
    [InlineData("grpo: {name: x, reward: rm, loss: cispo, delta: 2}", "has no clipped ratio")]
    [InlineData("rloo: {name: x, reward: rm, split: unlabelled}", "the Meadow has no split 'unlabelled'")]
    [InlineData("nash-md: {name: x, reward: rm, schedule: linaer}", "unknown schedule 'linaer'; did you mean 'linear'?")]
    [InlineData("xpo: {name: x, reward: pairs}", "a reward model")]
    public async Task Settings_that_do_not_fit_are_told(string stage, string message) =>
        Assert.Contains(message, (await Assert.ThrowsAsync<BadInputException>(() => _study.RunAsync(Head + "  - " + stage + "\n"))).Message);
}
