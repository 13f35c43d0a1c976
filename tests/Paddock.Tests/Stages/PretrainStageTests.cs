using Paddock.Studies;

namespace Paddock.Tests.Stages;

public sealed class PretrainStageTests : IDisposable
{
    private readonly TinyStudy _study = new();

    public void Dispose() => _study.Dispose();

    [Fact]
    public async Task Equal_keys_give_equal_bytes_whatever_the_study_is_called()
    {
        string Yaml(string study) => $$$"""
            study: {{{study}}}
            seed: 4
            world: meadow
            stages:
              - pretrain: {name: base, steps: 3, batch: 2, exam-per-kind: 1, model: {hidden-size: 16, layers: 1, heads: 2, feed-forward: 24}}
            """;
        StudyManifest one = await _study.RunAsync(Yaml("one"), "first"), two = await _study.RunAsync(Yaml("two"), "second");
        Assert.Equal(one.Stages, two.Stages);
        string card = await File.ReadAllTextAsync(Path.Combine(_study.Stage(one, "base", "first").Model, "README.md"));
        Assert.Contains($"3 steps of 2 documents, rate 0.003; stage `{one.Stages[0].Key}`", card);
        Assert.Equal(card, await File.ReadAllTextAsync(Path.Combine(_study.Stage(two, "base", "second").Model, "README.md")));
    }
}
