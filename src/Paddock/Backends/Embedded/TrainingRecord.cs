using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Backends.Embedded;

/// <summary>What <c>training.json</c> of a checkpoint says: how to make the model that its tensors belong to.</summary>
/// <param name="Weights">Where the model started: its config, its tokenizer and, under adapters, its frozen weights.</param>
/// <param name="Lora">Null when everything is trained.</param>
internal sealed record TrainingRecord(string Weights, LoraRecord? Lora, Head Head, ulong Seed)
{
    private const string FileName = "training.json";

    /// <summary>Whether a folder is a checkpoint of this backend.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    public static TrainingRecord From(ModelSpec spec) => new(spec.Weights,
        spec.Adaptation is Adaptation.Lora lora ? new LoraRecord(lora.Rank, lora.Alpha, [.. lora.Targets], lora.RankStabilised) : null, spec.Head, spec.Seed);

    public ModelSpec ToSpec() => new(Weights, Lora == null ? new Adaptation.Full() : new Adaptation.Lora(Lora.Rank, Lora.Alpha, Lora.Targets, Lora.RankStabilised), Head, Seed);

    public void Write(string folder) => WholeFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, TrainingJson.Default.TrainingRecord) + "\n");

    public static TrainingRecord Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new BadInputException($"{path}: not there, so {folder} is no checkpoint");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TrainingJson.Default.TrainingRecord) ?? throw new BadInputException($"{path}: holds nothing");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{path}: not a checkpoint of this version ({e.Message})", e);
        }
    }
}

internal sealed record LoraRecord(int Rank, double Alpha, string[] Targets, bool RankStabilised);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TrainingRecord))]
internal sealed partial class TrainingJson : JsonSerializerContext;
