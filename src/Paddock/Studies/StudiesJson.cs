using System.Text.Json;
using System.Text.Json.Serialization;

namespace Paddock.Studies;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n",
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StageDescription))]
[JsonSerializable(typeof(StageTiming))]
[JsonSerializable(typeof(StageDone))]
[JsonSerializable(typeof(StudyManifest))]
[JsonSerializable(typeof(Checkpoint))]
[JsonSerializable(typeof(StageAccount))]
internal sealed partial class StudiesJson : JsonSerializerContext;
