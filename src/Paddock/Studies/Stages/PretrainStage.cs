using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Methods;
using Paddock.Storage;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>pretrain</c>: makes the Meadow's base model from nothing (docs/methods/pretraining.md).</summary>
/// <param name="Model">Sizes of the model.</param>
/// <param name="ExamPerKind">Instructions of each kind in the skill table.</param>
[Makes(StageProduct.Policy)]
public sealed record PretrainStage(string Name, [Inline] PretrainingSettings Training, NewModelSettings? Model = null, [Range(1, int.MaxValue)] int ExamPerKind = 500) : IStage
{
    public NewModelSettings Model { get; init; } = Model ?? new NewModelSettings();

    public int Version => 2;

    public IEnumerable<StageInput> Inputs => [];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Model.HiddenSize % Model.Heads != 0 || Model.HiddenSize / Model.Heads % 2 != 0)
            yield return new("model.hidden-size", $"must be an even multiple of heads ({Model.Heads}), not {Model.HiddenSize}");
        if (Model.MaxPositions < MeadowCorpus.MaxTokens)
            yield return new("model.max-positions", $"must be at least {MeadowCorpus.MaxTokens}, the longest document of the Meadow, not {Model.MaxPositions}");
        foreach (StageProblem problem in TrainingChecks.Problems(Training.Optimisation, null))
            yield return problem;
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        string start = run.Folder.File("start");
        if (!Directory.Exists(start))
            NewModel.Write(start, Model, MeadowVocabulary.Words, MeadowVocabulary.ControlWords, MeadowVocabulary.EosWord, MeadowVocabulary.PadWord, MeadowVocabulary.ChatTemplate, run.Seed);
        ITrainableModel model = await run.OpenTrainableAsync("model", new ModelSpec(start, new Adaptation.Full(), Head.Token, run.Seed), cancellation);
        MeadowCorpus corpus = new(run.Seed);
        await new Pretraining(Training).RunAsync((index, progress) =>
        {
            MeadowDocument document = corpus.Document(index, progress);
            return new WeightedDocument(document.Tokens, document.TargetWeights);
        }, model, run, cancellation);

        // what later stages and the repository get is rounded to bf16, so the exam is taken with those weights
        string trained = run.Folder.File("trained"), rounded = run.Folder.File("rounded");
        foreach (string folder in new[] { trained, rounded, run.Folder.Model })
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true); // of an attempt that ended between here and DONE
        await ((IExportableModel)model).ExportAsync(trained, cancellation);
        NewModel.WriteRounded(trained, rounded, _ => "");
        MeadowSkillTable skills = await ExamineAsync(run, rounded, cancellation);
        NewModel.WriteRounded(trained, run.Folder.Model, hash => Card(run, skills, hash));
        Directory.Delete(trained, recursive: true);
        Directory.Delete(rounded, recursive: true);
        Directory.Delete(start, recursive: true);
        WholeFile.WriteText(run.Folder.File("skills.json"), JsonSerializer.Serialize(skills, RowsJson.Default.MeadowSkillTable) + "\n");
        run.Summary = $"greedy exact {skills.Overall.Exact:0.000} +- {skills.Overall.StandardError:0.000}";
    }

    private string Card(StageRun run, MeadowSkillTable skills, string hash)
    {
        StringBuilder card = new();
        card.AppendLine($"""
            # Base model of the Meadow

            A Llama-family model of {Model.Layers} layers, width {Model.HiddenSize}, {Model.Heads} heads, MLP {Model.FeedForward}, {MeadowVocabulary.Words.Count} words, tied embeddings, weights in bf16.
            Trained from random weights on the Meadow's generated text; it answers `instruction <sep>` and ends with `<eos>`. Nothing in it comes from real text.

            | | |
            |---|---|
            | recipe | {Training.Steps} steps of {Training.Batch} documents, rate {Training.LearningRate.ToString(CultureInfo.InvariantCulture)}; stage `{run.Folder.Key}` |
            | seed of the stage | {run.Seed} |
            | made on | {run.Services.Machine.Tier} instructions, numerics version {NumericsVersion.Current} |
            | SHA-256 of model.safetensors | `{hash}` |

            Greedy answers to fresh instructions, {ExamPerKind} of each kind; overall is weighted as the world asks them:

            | kind | wholly right | standard error | mean utility | unfinished |
            |---|---|---|---|---|
            """);
        foreach (MeadowSkill skill in skills.Kinds.Append(skills.Overall))
            card.AppendLine(CultureInfo.InvariantCulture, $"| {skill.Kind} | {skill.Exact:0.000} | {skill.StandardError:0.000} | {skill.Utility:0.00} | {skill.Unfinished:0.000} |");
        return card.ToString();
    }

    private async Task<MeadowSkillTable> ExamineAsync(StageRun run, string model, CancellationToken cancellation)
    {
        ITextCodec codec = run.Services.OpenCodec(model);
        await using ISampler sampler = await run.Backend.OpenSamplerAsync(new CheckpointUri(model), cancellation);
        return await MeadowSkills.ExamineAsync(async (prompts, token) =>
        {
            Response[] answers = new Response[prompts.Count];
            List<SampleRequest> requests = [.. prompts.Select((prompt, i) => new SampleRequest(codec.EncodePrompt(prompt.Messages), 1, (ulong)i))];
            await foreach (Completion completion in sampler.SampleAsync(requests, SamplingOptions.Plain(MeadowVocabulary.MaxResponseTokens, 0f, codec.StopTokens), token))
                answers[completion.Request] = codec.DecodeResponse(completion.Tokens);
            return answers;
        }, ExamPerKind, run.Seed, cancellation: cancellation);
    }
}
