using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Judging.Clients;

namespace Paddock.Judging;

/// <summary>JSON of what judges keep.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(PriceTable))]
[JsonSerializable(typeof(StoredReply))]
[JsonSerializable(typeof(VerdictRow))]
[JsonSerializable(typeof(JudgeSettings))]
[JsonSerializable(typeof(IReadOnlyList<TurnSettings>))]
internal sealed partial class JudgingJson : JsonSerializerContext
{
    // made on first use: the generated half of this class has statics of its own, in no order that can be relied on
    private static readonly Lazy<JudgingJson> Relaxed = new(() => new(new JsonSerializerOptions(Default!.Options!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    /// <summary>Text as it is, without escapes that no reader needs.</summary>
    public static JudgingJson Compact => Relaxed.Value;
}
