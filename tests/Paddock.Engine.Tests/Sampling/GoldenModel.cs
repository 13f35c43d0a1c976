using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Sampling;

/// <summary>A tiny checkpoint of the shared goldens and its reference numbers.</summary>
internal static class GoldenModel
{
    public static string Folder(string family) => SharedFolder.Get("golden", "hf", family);

    public static (ModelWeights Weights, JsonElement Golden) Open(string family)
    {
        string folder = Folder(family);
        ModelConfig config = HuggingFaceConfig.Read(Path.Combine(folder, "config.json"));
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        return (ModelWeights.Load(config, file), JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json"))).RootElement);
    }

    public static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];

    public static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetSingle())];
}
