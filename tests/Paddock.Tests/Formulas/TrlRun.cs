using System.Text.Json;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Formulas;

/// <summary>Whole runs of the reference trainer, recorded in float32.</summary>
internal static class TrlRun
{
    public static JsonElement Load(string run) => JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("golden", "trl_runs", run + ".json"))).RootElement;

    public static JsonElement Batches(JsonElement run) =>
        JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("golden", "trl_runs", run.GetProperty("batches").GetString()!))).RootElement;

    public static IEnumerable<JsonElement> Micros(JsonElement run) => run.GetProperty("steps").EnumerateArray().SelectMany(step => step.GetProperty("micro").EnumerateArray());
}
