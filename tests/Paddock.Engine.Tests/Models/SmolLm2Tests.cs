using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Models;

/// <summary>A real model of 135 million parameters, from its GGUF, against the reference.</summary>
public sealed class SmolLm2Tests
{
    [SharedFact]
    public void Logits_response_log_probs_and_gradients_match_the_reference()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("golden", "hf", "smollm2", "golden.json")));
        using SafetensorsFile golden = SafetensorsFile.Open(SharedFolder.Get("golden", "hf", "smollm2", "golden.safetensors"));
        JsonElement json = document.RootElement, tolerances = json.GetProperty("tolerances");
        using WorkerPool pool = new(2);
        using GgufWeights file = GgufWeights.Open(SharedFolder.Get("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        using TrainableTransformer model = new(ModelWeights.Load(file.Config, file), null, 0, pool);

        int[] raw = Ids(json.GetProperty("raw").GetProperty("ids"));
        RaggedBatch batch = new();
        batch.Add(raw, new int[raw.Length]);
        float[] logits = new float[raw.Length * model.Config.VocabularySize], expected = new float[logits.Length];
        model.Logits(batch, logits);
        golden.Read("raw.logits", expected);
        double tolerance = tolerances.GetProperty("logits_max_abs").GetDouble(), worst = 0;
        for (int i = 0; i < logits.Length; i++)
            worst = Math.Max(worst, Math.Abs(logits[i] - expected[i]));
        Assert.InRange(worst, 0, tolerance);

        JsonElement prompt = json.GetProperty("prompts")[0];
        int[] ids = [.. Ids(prompt.GetProperty("prompt_ids")), .. Ids(prompt.GetProperty("response_ids"))], targets = ids[1..];
        Array.Fill(targets, RaggedBatch.NoTarget, 0, prompt.GetProperty("prompt_ids").GetArrayLength() - 1);
        batch.Clear();
        batch.Add(ids.AsSpan(..^1), targets);
        float[] ones = new float[batch.TokenCount], outputs = new float[batch.TokenCount];
        Array.Fill(ones, 1f);
        model.Forward(batch, outputs);
        Assert.Equal(json.GetProperty("gradient_summary").GetProperty("S").GetDouble(), outputs.Sum(v => (double)v), tolerances.GetProperty("response_sum_logprob_abs").GetDouble());

        model.Backward(batch, ones);
        Dictionary<string, double> norms = [];
        foreach (JsonElement tensor in json.GetProperty("gradient_summary").GetProperty("tensors").EnumerateArray())
            norms[tensor.GetProperty("name").GetString()!] = tensor.GetProperty("l2").GetDouble();
        int compared = 0;
        foreach (ExportTensor tensor in model.ExportGradients())
        {
            float[] values = new float[tensor.Count];
            tensor.Fill(values);
            double norm = 0;
            for (int i = 0; i < values.Length; i++)
                norm += (double)values[i] * values[i];
            norm = Math.Sqrt(norm);
            Assert.Equal(norms[tensor.Name], norm, norms[tensor.Name] * tolerances.GetProperty("grad_l2_rel").GetDouble());
            compared++;
        }
        Assert.Equal(norms.Count, compared);
    }

    private static int[] Ids(JsonElement json) => [.. json.EnumerateArray().Select(v => v.GetInt32())];
}
