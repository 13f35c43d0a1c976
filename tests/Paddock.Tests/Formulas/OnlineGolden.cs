using System.Text.Json;

namespace Paddock.Tests.Formulas;

/// <summary>Inputs and outputs of the reference trainers that sample their own data, in float64 (Golden/trl/online.json).</summary>
internal static class OnlineGolden
{
    public static JsonElement Root { get; } = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "trl", "online.json"))).RootElement;

    public static double[][] Rows(JsonElement rows) => [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(Number).ToArray())];

    /// <summary>Null is a number that is not there.</summary>
    public static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();

    /// <summary>The loss of an entry, which is a number or leads an array.</summary>
    public static double Loss(JsonElement entry) => entry.ValueKind == JsonValueKind.Array ? entry[0].GetDouble() : entry.GetDouble();

    /// <summary>The entries of each row that its mask has.</summary>
    public static double[][] Masked(JsonElement rows, JsonElement masks) =>
        [.. Rows(rows).Zip(Rows(masks), (row, mask) => row.Where((_, t) => mask[t] == 1).ToArray())];
}
