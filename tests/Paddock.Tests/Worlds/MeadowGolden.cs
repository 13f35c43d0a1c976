using System.Text.Json;
using Paddock.Data;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Worlds;

/// <summary>A golden prompt with two answers, half of them damaged, and every number the reference gives them.</summary>
internal sealed record MeadowCase(string Kind, string Text, string[] Payload, int K, string? Category, bool Harmful, bool Unanswerable, string[]? Facts,
    int[] PromptIds, string[] Answers, int[][] AnswerIds, double[][] Features, double[] Utility, double[] Human, double HumanMean, double[][] Pool,
    double PoolMean, double Judge)
{
    public Prompt Prompt(string id) => Paddock.Data.Prompt.FromInstruction(id, Text);

    /// <summary>The answer as text: the end token becomes <c>Data.Response.Finished</c>.</summary>
    public Response Response(int i) => Answers[i] == "<eos>" ? new("") : Answers[i].EndsWith(" <eos>", StringComparison.Ordinal)
        ? new(Answers[i][..^6]) : new(Answers[i], Finished: false);
}

internal static class MeadowGolden
{
    /// <summary>Six decimals are stored.</summary>
    public const double Tolerance = 2e-6;

    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static JsonElement Constants { get; } = JsonDocument.Parse(File.ReadAllText(Local("constants.json"))).RootElement;

    public static IReadOnlyList<MeadowCase> Cases { get; } = Read(Local("cases.jsonl"));

    public static IReadOnlyList<MeadowCase> AllCases() => Read(SharedFolder.Get("golden", "meadow", "cases.jsonl"));

    public static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(x => x.GetDouble())];

    public static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(x => x.GetString()!)];

    private static MeadowCase[] Read(string path) => [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<MeadowCase>(line, Snake)!)];

    private static string Local(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", "meadow", name);
}
