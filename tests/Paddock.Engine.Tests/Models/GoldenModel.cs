using System.Text.Json;
using Paddock.Engine.Adapters;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Models;

/// <summary>One folder of golden/hf: a checkpoint (and perhaps an adapter) with the numbers that PyTorch computes from it.</summary>
internal sealed class GoldenModel : IDisposable
{
    private readonly JsonDocument _json;

    private GoldenModel(string folder, string numbers)
    {
        Folder = folder;
        _json = JsonDocument.Parse(File.ReadAllText(Path.Combine(numbers, "golden.json")));
        Tensors = SafetensorsFile.Open(Path.Combine(numbers, "golden.safetensors"));
        Sequences = [.. Json.GetProperty("sequences").EnumerateArray().Select(s => s.EnumerateArray().Select(t => t.GetInt32()).ToArray())];
    }

    public string Folder { get; }

    public JsonElement Json => _json.RootElement;

    public SafetensorsFile Tensors { get; }

    public int[][] Sequences { get; }

    /// <summary>Opens a folder that is copied to the test's output.</summary>
    public static GoldenModel Copied(string name, string? numbers = null) => Open(Path.Combine(AppContext.BaseDirectory, "Golden", "hf"), name, numbers);

    /// <summary>Opens a folder of the shared goldens.</summary>
    public static GoldenModel Shared(string name, string? numbers = null) => Open(SharedFolder.Get("golden", "hf"), name, numbers);

    public bool HasTolerance(string name) => Json.GetProperty("tolerances").TryGetProperty(name, out _);

    public double Tolerance(string name) => Json.GetProperty("tolerances").GetProperty(name).GetDouble();

    /// <summary>The checkpoint, with the adapter of the folder if it has one.</summary>
    public TrainableTransformer Model(WorkerPool pool, HeadKind head = HeadKind.Token)
    {
        string adapter = Path.Combine(Folder, "adapter_config.json");
        if (!File.Exists(adapter))
            return new(Weights(Folder, head), null, 1, pool);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(adapter));
        JsonElement json = document.RootElement;
        LoraOptions lora = new(json.GetProperty("r").GetInt32(), json.GetProperty("lora_alpha").GetDouble(),
            [.. json.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!)], json.GetProperty("use_rslora").GetBoolean());
        TrainableTransformer model = new(Weights(Path.Combine(Folder, json.GetProperty("base_model_name_or_path").GetString()!), head), lora, 1, pool);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Folder, "adapter_model.safetensors"));
        model.LoadAdapters(file);
        return model;
    }

    public float[] Values(string tensor)
    {
        float[] values = new float[Tensors.Tensors[tensor].Count];
        Tensors.Read(tensor, values);
        return values;
    }

    /// <summary>Every sequence without its last token, each position predicting the next.</summary>
    public RaggedBatch Batch()
    {
        RaggedBatch batch = new();
        foreach (int[] sequence in Sequences)
            batch.Add(sequence.AsSpan(..^1), sequence.AsSpan(1..));
        return batch;
    }

    /// <summary>The golden values of NAME.0, NAME.1, ... end to end.</summary>
    public float[] Joined(string name) => [.. Enumerable.Range(0, Sequences.Length).SelectMany(i => Values($"{name}.{i}"))];

    public void Dispose()
    {
        _json.Dispose();
        Tensors.Dispose();
    }

    private static GoldenModel Open(string root, string name, string? numbers) => new(Path.Combine(root, name), Path.Combine(root, numbers ?? name));

    private static ModelWeights Weights(string folder, HeadKind head)
    {
        ModelConfig config = HuggingFaceConfig.Read(Path.Combine(folder, "config.json"));
        using IWeightSource source = HuggingFaceFolder.OpenWeights(folder);
        return ModelWeights.Load(config, source, head);
    }
}
