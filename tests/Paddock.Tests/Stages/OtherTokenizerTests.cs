using System.Text.Json;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

/// <summary>A reward model whose ids mean other words than the policy's scores text; a KL between two such models does not exist.</summary>
public sealed class OtherTokenizerTests : IDisposable
{
    private readonly TinyStudy _study = new();

    private string Other => Path.Combine(_study.Root, "other");

    public OtherTokenizerTests()
    {
        // the same words under other ids
        string[] words = [.. MeadowVocabulary.ControlWords, .. MeadowVocabulary.Words.Except(MeadowVocabulary.ControlWords).Reverse()];
        NewModel.Write(Other, new NewModelSettings(HiddenSize: 16, Layers: 1, Heads: 2, FeedForward: 24, MaxPositions: 128), words, MeadowVocabulary.ControlWords,
            MeadowVocabulary.EosWord, MeadowVocabulary.PadWord, MeadowVocabulary.ChatTemplate, seed: 8);
    }

    public void Dispose() => _study.Dispose();

    [Fact]
    public void Codecs_are_the_same_by_what_their_ids_mean()
    {
        ITextCodec one = _study.Models.OpenCodec(_study.Base), other = _study.Models.OpenCodec(Other);
        string copy = Path.Combine(_study.Root, "copy");
        NewModel.WriteRounded(_study.Base, copy, _ => "");
        Assert.Equal(one.Identity, _study.Models.OpenCodec(copy).Identity);
        Assert.NotEqual(one.Identity, other.Identity);
    }

    [Fact]
    public async Task A_reward_model_of_another_tokenizer_is_given_the_text()
    {
        StudyManifest manifest = await _study.RunAsync($$$"""
            study: text
            seed: 1
            world: meadow
            model: base
            stages:
              - sample: {name: pairs, from: base, limit: 16, max-tokens: 6}
              - annotate: {name: preferences, of: pairs}
              - reward-model: {name: rm, init: '{{{Other}}}', data: preferences, batch: 4, learning-rate: 1e-2}
              - expert-iteration: {name: expit, reward: rm, n: 3, prompts: 8, max-tokens: 6, batch: 4, epochs: 1}
              - win-rate: {name: evaluation, systems: {best: {policy: base, rerank: rm, n: 3}}, annotators: [gold], limit: 8, max-tokens: 6}
            """);
        await using EmbeddedBackend backend = _study.Backend("check");
        await using ITrainableModel model = await backend.CreateAsync(new ModelSpec(_study.Stage(manifest, "rm").Model, new Adaptation.Full(), Head.Scalar, 0), CancellationToken.None);
        ITextCodec own = _study.Models.OpenCodec(Other), policy = _study.Models.OpenCodec(_study.Base);
        foreach ((string stage, string file, string split) in new[] { ("expit", "outputs.jsonl", "unlabeled"), ("evaluation", "answers-0.jsonl", "evaluation") })
        {
            List<SystemRow> rows = StageRows.Read(new StageSource(stage, null, _study.Stage(manifest, stage).File(file)), RowsJson.Default.SystemRow);
            Assert.Equal(8, rows.Count);
            IReadOnlyList<Prompt> prompts = new MeadowWorld().Prompts(split);
            int differs = 0;
            for (int i = 0; i < rows.Count; i++)
            {
                Prompt prompt = prompts.Single(p => p.Id == rows[i].Id);
                Response answer = rows[i].Response;
                double[] scores = await new RewardScorer(model).ScoreAsync([
                    new(own.EncodePrompt(prompt.Messages), own.EncodeResponse(new Response(answer.Text, answer.Finished))),
                    new(policy.EncodePrompt(prompt.Messages), [.. answer.Tokens!])], CancellationToken.None);
                Assert.Equal(rows[i].Rewards!.Max(), scores[0], 1e-6);
                differs += Math.Abs(scores[1] - scores[0]) > 1e-4 ? 1 : 0;
            }
            Assert.True(differs > 4, "the policy's own ids would have been scored alike");
        }
    }

    [Fact]
    public async Task A_kl_between_two_tokenizers_is_refused_before_anything_is_sampled()
    {
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => _study.RunAsync($$$"""
            study: kl
            seed: 1
            world: meadow
            model: base
            stages:
              - win-rate: {name: evaluation, systems: {base: base, other: '{{{Other}}}'}, annotators: [gold], limit: 8, max-tokens: 6, kl: true}
            """));
        Assert.Equal($"stage 'evaluation': kl: system 'other' ({Other}) and the baseline 'base' (base) have different tokenizers, so there is no KL between them; leave kl out, or compare models of one tokenizer", error.Message);
        Assert.Empty(Directory.GetFiles(Path.Combine(_study.Root, "runs", ".stages"), "answers-*", SearchOption.AllDirectories));
    }
}
