using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Sampling;

public class GoldenSamplingTests
{
    [SharedTheory]
    [InlineData("llama")]
    [InlineData("llama_tied")]
    [InlineData("llama3_rope")]
    [InlineData("gpt2")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("gemma2")]
    [InlineData("gemma3_text")]
    [InlineData("phi3")]
    [InlineData("phi4_mini")]
    [InlineData("olmo2")]
    [InlineData("smollm3")]
    [InlineData("gpt_neox")]
    [InlineData("opt")]
    [InlineData("mixtral")]
    [InlineData("qwen3_moe")]
    public void Greedy_decoding_gives_the_reference_ids_and_log_probs(string family)
    {
        (ModelWeights weights, JsonElement golden) = GoldenModel.Open(family);
        using (weights)
        {
            using WorkerPool pool = new(2);
            using BatchSampler sampler = new(weights, pool);
            JsonElement greedy = golden.GetProperty("greedy");
            float tolerance = golden.GetProperty("tolerances").GetProperty("logprobs_max_abs").GetSingle();
            FinishedSample sample = Assert.Single(sampler.Sample([new(GoldenModel.Ids(greedy.GetProperty("prompt")), 1, 0)], new(24, Temperature: 0)));
            Assert.Equal(GoldenModel.Ids(greedy.GetProperty("continuation")), sample.Tokens);
            Near(GoldenModel.Floats(greedy.GetProperty("logprobs")), sample.LogProbs, tolerance);

            float logits = golden.GetProperty("tolerances").GetProperty("logits_max_abs").GetSingle();
            using SafetensorsFile reference = SafetensorsFile.Open(Path.Combine(GoldenModel.Folder(family), "golden.safetensors"));
            int[][] sequences = [.. golden.GetProperty("sequences").EnumerateArray().Select(GoldenModel.Ids)];
            IReadOnlyList<float[]> scores = sampler.Score([.. sequences.Select(ids => new ReadOnlyMemory<int>(ids))]);
            for (int i = 0; i < sequences.Length; i++)
            {
                Near(Read(reference, $"logits.{i}"), sampler.Logits(sequences[i]), logits);
                Assert.True(float.IsNaN(scores[i][0]));
                Near(Read(reference, $"logprobs.{i}"), scores[i][1..], tolerance);
            }
        }
    }

    [SharedFact]
    public void SmolLm2_decodes_its_chats_as_the_reference_from_float32_and_from_the_files_own_blocks()
    {
        JsonElement golden = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("golden", "hf", "smollm2", "golden.json"))).RootElement;
        JsonElement[] prompts = [.. golden.GetProperty("prompts").EnumerateArray()];
        PromptRequest[] requests = [.. prompts.Select((prompt, i) => new PromptRequest(GoldenModel.Ids(prompt.GetProperty("prompt_ids")), 1, (ulong)i))];
        using WorkerPool pool = new(2);
        using GgufWeights file = GgufWeights.Open(Directory.GetFiles(SharedFolder.Get("models", "smollm2-135m-instruct"), "*.gguf").Single());

        FinishedSample[] packed;
        using (SamplerWeights weights = SamplerWeights.Load(file.Config, file))
        {
            Assert.InRange(weights.MatrixBytes, 1, 135_000_000L); // kept in blocks: float32 takes four times as much
            using BatchSampler sampler = new(weights, pool);
            packed = [.. sampler.Sample(requests, new(48, Temperature: 0))];
            for (int i = 0; i < prompts.Length; i++)
            {
                Assert.Equal(GoldenModel.Ids(prompts[i].GetProperty("greedy_ids")), packed[i].Tokens);
                JsonElement top = prompts[i].GetProperty("last_position_top20");
                float[] logits = sampler.Logits(requests[i].Prompt.Span)[^file.Config.VocabularySize..];
                int[] order = [.. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).Take(20)];
                Near(GoldenModel.Floats(top.GetProperty("logits")), [.. GoldenModel.Ids(top.GetProperty("ids")).Select(id => logits[id])], 2e-3f);
                Near(GoldenModel.Floats(top.GetProperty("logits")), [.. order.Select(id => logits[id])], 2e-3f);
                int[] response = GoldenModel.Ids(prompts[i].GetProperty("response_ids"));
                float[] scores = sampler.Score([(int[])[.. requests[i].Prompt.Span, .. response]])[0];
                Near(GoldenModel.Floats(prompts[i].GetProperty("response_logprobs")), scores[^response.Length..], 2e-3f);
            }
        }
        using (BatchSampler sampler = Open(file, WeightFormat.Float32, pool))
        {
            FinishedSample[] wide = [.. sampler.Sample(requests, new(12, Temperature: 0))];
            for (int i = 0; i < wide.Length; i++)
            {
                // the same weights, summed in another order
                Assert.Equal(packed[i].Tokens[..12], wide[i].Tokens);
                Near(packed[i].LogProbs[..12], wide[i].LogProbs, 2e-4f);
            }
        }
    }

    private static BatchSampler Open(GgufWeights file, WeightFormat format, WorkerPool pool)
    {
        using SamplerWeights weights = SamplerWeights.Load(file.Config, file, format);
        return new(weights, pool);
    }

    private static float[] Read(SafetensorsFile file, string name)
    {
        float[] values = new float[file.Tensors[name].Count];
        file.Read(name, values);
        return values;
    }

    private static void Near(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"[{i}]: expected {expected[i]}, got {actual[i]}");
    }
}
