using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine;

namespace Paddock.Tests.Backends;

/// <summary>What the embedded backend promises beyond the seam: its files, its messages, its account of work.</summary>
public sealed class EmbeddedBackendTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly Sequence Row = Sequence.ForResponse([2, 3, 4], [5, 6, 1]);

    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_fresh_scalar_head_reads_zero_everywhere()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await backend.CreateAsync(_tiny.Spec(Head.Scalar), None);
        Sequence everywhere = new(Row.Input, new int[Row.Input.Length]);
        Assert.All((await model.ForwardAsync([everywhere], None)).Outputs[0].ToArray(), output => Assert.Equal(0f, output));
    }

    [Fact]
    public async Task Fresh_adapters_change_nothing()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel full = await backend.CreateAsync(_tiny.Spec(), None), lora = await backend.CreateAsync(_tiny.Spec(adaptation: TinyModel.Lora), None);
        float[] expected = (await full.ForwardAsync([Row], None)).Outputs[0].ToArray(), actual = (await lora.ForwardAsync([Row], None)).Outputs[0].ToArray();
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exported_folder_is_the_trained_model(bool lora)
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await TrainedAsync(backend, lora);
        string folder = Path.Combine(_tiny.Root, "exported");
        await ((IExportableModel)model).ExportAsync(folder, None);
        float[] expected = (await model.ForwardAsync([Row], None)).Outputs[0].ToArray();
        await using ITrainableModel again = await backend.CreateAsync(new ModelSpec(folder, new Adaptation.Full(), Head.Token, 1), None);
        float[] actual = (await again.ForwardAsync([Row], None)).Outputs[0].ToArray();
        for (int t = 0; t < expected.Length; t++)
            Assert.Equal(expected[t], actual[t], lora ? 1e-5f : 0f);
        Assert.Equal([TinyModel.End], new ModelLibrary([]).OpenCodec(folder).StopTokens);

        // and a sampler opened on the folder is the one of the model
        await using ISampler fromFolder = await backend.OpenSamplerAsync(new CheckpointUri(folder), None), fromModel = await model.SnapshotSamplerAsync(None);
        int[] ids = [2, 3, 4, 5];
        Assert.Equal((await fromModel.ScoreAsync([ids], None))[0][1..].ToArray(), (await fromFolder.ScoreAsync([ids], None))[0][1..].ToArray());
    }

    [Fact]
    public async Task A_trained_reward_model_keeps_its_head_when_exported()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await backend.CreateAsync(_tiny.Spec(Head.Scalar), None);
        Sequence scored = Sequence.ForScore([2, 3], [4, 1]);
        await model.BackwardAsync([scored], [new float[] { 0, 0, 0, -1 }], None);
        await model.StepAsync(new AdamStep(0.1), None);
        string folder = Path.Combine(_tiny.Root, "reward");
        await ((IExportableModel)model).ExportAsync(folder, None);
        float expected = (await model.ForwardAsync([scored], None)).Outputs[0].Span[^1];
        await using ITrainableModel again = await backend.CreateAsync(new ModelSpec(folder, new Adaptation.Full(), Head.Scalar, 9), None);
        Assert.True(expected > 0.05f);
        Assert.Equal(expected, (await again.ForwardAsync([scored], None)).Outputs[0].Span[^1]);
    }

    [Fact]
    public async Task A_policy_is_refused_where_a_reward_model_is_needed()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        BadInputException e = await Assert.ThrowsAsync<BadInputException>(() => backend.CreateAsync(_tiny.Spec(Head.Scalar) with { NewHead = false }, None));
        Assert.Equal($"'{_tiny.Weights}' is a policy and no reward model (it has no tensor score.weight); name the stage of a reward model", e.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Sampling_is_charged_as_a_pass_over_prompt_and_answer(int length)
    {
        long tokens = 0;
        double flops = 0;
        await using EmbeddedBackend backend = _tiny.Open(countWork: (t, f) => (tokens, flops) = (tokens + t, flops + f));
        await using ITrainableModel model = await backend.CreateAsync(_tiny.Spec(), None);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        int[] prompt = [2, 3, 4, 5, 6], answer = [];
        await foreach (Completion completion in sampler.SampleAsync([new(prompt, 1, 9)], SamplingOptions.Plain(length, 1f, []), None))
            answer = [.. completion.Tokens];
        Assert.Equal((length, prompt.Length + length), (answer.Length, tokens));
        double sampled = flops;

        // the same positions in one pass with logits where the answer is wanted
        flops = 0;
        await model.ForwardAsync([Sequence.ForResponse(prompt, answer)], None);
        Assert.Equal(flops, sampled);

        // a prompt is computed once for all its samples, and scoring wants every position but the last
        (flops, tokens) = (0, 0);
        await foreach (Completion _ in sampler.SampleAsync([new(prompt, 3, 9)], SamplingOptions.Plain(1, 1f, []), None)) { }
        double three = flops;
        flops = 0;
        await model.ForwardAsync([Sequence.ForResponse(prompt, [7])], None);
        Assert.Equal(flops, three);
        flops = 0;
        await sampler.ScoreAsync([prompt], None);
        double scored = flops;
        flops = 0;
        await model.ForwardAsync([new Sequence(prompt, new[] { 3, 4, 5, 6, Sequence.NoTarget })], None);
        Assert.Equal(flops, scored);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sampler_opens_what_a_model_saved(bool lora)
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await TrainedAsync(backend, lora);
        await using ISampler fromCheckpoint = await backend.OpenSamplerAsync(await model.SaveAsync("kept", None), None), fromModel = await model.SnapshotSamplerAsync(None);
        int[] ids = [2, 3, 4, 5];
        Assert.Equal((await fromModel.ScoreAsync([ids], None))[0][1..].ToArray(), (await fromCheckpoint.ScoreAsync([ids], None))[0][1..].ToArray());
    }

    [Fact]
    public void Ids_of_another_tokenizer_are_not_taken_for_ones_own()
    {
        var codec = new ModelLibrary([]).OpenCodec(_tiny.Weights);
        Assert.Equal([2, 3, TinyModel.End], codec.EncodeResponse(new("w2 w3", true, [2, 3, TinyModel.End])));
        Assert.Equal([2, 3, TinyModel.End], codec.EncodeResponse(new("w2 w3", true, [7, 8, 9])));
        Assert.Equal([2, 3, TinyModel.End], codec.EncodeResponse(new("w2 w3", true, [70000])));
    }

    [Fact]
    public async Task A_save_that_is_cut_short_leaves_the_one_before()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await TrainedAsync(backend, lora: false);
        CheckpointUri saved = await model.SaveAsync("kept", None);
        // what a kill in the middle of the next save leaves
        string folder = Path.GetDirectoryName(saved.Value)!, torn = Path.Combine(folder, ".kept.1-1" + WholeFile.TemporarySuffix);
        Directory.CreateDirectory(torn);
        await File.WriteAllTextAsync(Path.Combine(torn, "weights.safetensors"), "torn");
        await using (ITrainableModel restored = await backend.RestoreAsync(saved, withOptimizer: true, None))
            Assert.Equal((await model.ForwardAsync([Row], None)).Outputs[0].ToArray(), (await restored.ForwardAsync([Row], None)).Outputs[0].ToArray());
        await model.SaveAsync("kept", None);
        WholeFile.DeleteLeftovers(folder);
        Assert.Equal(["kept"], Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { AttributesToSkip = 0 }).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_checkpoint_that_is_not_there_is_said()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        string nowhere = Path.Combine(_tiny.Root, "nowhere");
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => backend.RestoreAsync(new CheckpointUri(nowhere), true, None));
        Assert.Equal($"{nowhere}: there is no checkpoint here", error.Message);
    }

    [Theory]
    [InlineData("training.json", "{\"weights\":1}", "not a checkpoint of this version")]
    [InlineData("training.json", null, "training.json")]
    [InlineData("weights.safetensors", "torn", "weights.safetensors")]
    [InlineData("weights.safetensors", null, "weights.safetensors")]
    [InlineData("optimizer.safetensors", "torn", "optimizer.safetensors")]
    [InlineData("optimizer.safetensors", null, "optimizer.safetensors")]
    public async Task A_damaged_checkpoint_is_one_clear_error(string file, string? content, string expected)
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await TrainedAsync(backend, lora: false);
        CheckpointUri saved = await model.SaveAsync("damaged", None);
        string path = Path.Combine(saved.Value, file);
        if (content == null)
            File.Delete(path);
        else
            await File.WriteAllTextAsync(path, content);
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => backend.RestoreAsync(saved, true, None));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public async Task Work_is_counted_in_tokens_and_operations()
    {
        List<(long Tokens, double Flops)> counted = [];
        await using EmbeddedBackend backend = _tiny.Open(countWork: (tokens, flops) => counted.Add((tokens, flops)));
        await using ITrainableModel model = await backend.CreateAsync(_tiny.Spec(), None);
        await model.ForwardAsync([Row, Row], None);
        await model.BackwardAsync([Row, Row], [new float[5], new float[5]], None);
        Assert.Equal([10L, 0L], counted.Select(c => c.Tokens));
        Assert.True(counted[1].Flops > 1.5 * counted[0].Flops && counted[1].Flops < 3 * counted[0].Flops, "backward is about two forwards");

        counted.Clear();
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        int drawn = 0;
        await foreach (Completion completion in sampler.SampleAsync([new SampleRequest(new[] { 2, 3, 4 }, 2, 0)], SamplingOptions.Plain(4, 1f, []), None))
            drawn += completion.Tokens.Count;
        Assert.Equal(3 + drawn, counted.Sum(c => c.Tokens));
    }

    [Fact]
    public async Task A_stop_string_ends_a_sample()
    {
        await using EmbeddedBackend backend = _tiny.Open();
        await using ITrainableModel model = await backend.CreateAsync(_tiny.Spec(), None);
        await using ISampler sampler = await model.SnapshotSamplerAsync(None);
        List<Completion> completions = [];
        SamplingOptions options = SamplingOptions.Plain(20, 1f, []) with { StopStrings = ["w7", "w8", "w9"] };
        await foreach (Completion completion in sampler.SampleAsync([new SampleRequest(new[] { 2, 3, 4 }, 8, 0)], options, None))
            completions.Add(completion);
        Assert.Contains(completions, c => c.Stop == StopReason.StopString);
        Assert.All(completions.Where(c => c.Stop == StopReason.StopString), c => Assert.Contains(c.Tokens[^1], (int[])[7, 8, 9]));
    }

    [Fact]
    public void A_need_that_is_not_met_names_backend_and_need()
    {
        BackendTraits traits = new("small", false, false, false, false, false, false);
        Assert.Equal("backend 'small' cannot run this method: it needs scalar heads", Assert.Throws<BadInputException>(() => traits.Require(traits.ScalarHeads, "scalar heads")).Message);
        traits.Require(true, "nothing");
    }

    private async Task<ITrainableModel> TrainedAsync(EmbeddedBackend backend, bool lora)
    {
        ITrainableModel model = await backend.CreateAsync(_tiny.Spec(adaptation: lora ? TinyModel.Lora : null), None);
        for (int step = 0; step < 3; step++)
        {
            await model.BackwardAsync([Row], [new float[] { 0, 0, -1, -1, -1 }], None);
            await model.StepAsync(new AdamStep(0.02), None);
        }
        return model;
    }
}
