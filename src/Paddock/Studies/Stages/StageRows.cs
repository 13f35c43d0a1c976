using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Storage;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary>One system's answer to one prompt of a win-rate stage.</summary>
/// <param name="Rewards">Reward of each drawn answer when a reward model chose among them.</param>
/// <param name="Tokens">Tokens sampled for this answer, the answers not kept included.</param>
/// <param name="Flops">Share of the work of its chunk.</param>
/// <param name="Kl">Sum over the kept answer's tokens of log policy - log baseline: the k1 estimate; null where it was not asked for.</param>
internal sealed record SystemRow(string Id, Response Response, IReadOnlyList<double>? Rewards, int Tokens, double Flops, double? Kl = null);

/// <summary>JSON of the rows and results that stages leave behind.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SampledAnswers))]
[JsonSerializable(typeof(Preference))]
[JsonSerializable(typeof(Demonstration))]
[JsonSerializable(typeof(SystemRow))]
[JsonSerializable(typeof(EvaluationResult))]
[JsonSerializable(typeof(AccuracyResult))]
[JsonSerializable(typeof(MeadowSkillTable))]
[JsonSerializable(typeof(Dictionary<string, double>))]
internal sealed partial class RowsJson : JsonSerializerContext;

/// <summary>Reads back what an earlier stage wrote.</summary>
internal static class StageRows
{
    public static List<T> Read<T>(StageSource source, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        List<T> rows = [];
        int line = 0;
        foreach (string text in File.ReadLines(source.Rows))
        {
            line++;
            try
            {
                rows.Add(JsonSerializer.Deserialize(text, type) ?? throw new JsonException("an empty row"));
            }
            catch (JsonException e)
            {
                throw new BadInputException($"{source.Rows}:{line}: not a row that '{source.Name}' should have made: {e.Message}{(source.Folder is { } folder ? $"; remove {folder.Path} to run that stage again" : "")}", e);
            }
        }
        return rows.Count > 0 ? rows : throw new BadInputException($"'{source.Name}' has no rows ({source.Rows})");
    }

    /// <summary>Preferences of a stage or of a file in one of the field's formats; rows of a file that nothing can be learned from are left out and told.</summary>
    public static List<Preference> ReadPreferences(StageSource source, StageRun run)
    {
        if (source.Folder != null)
            return Read(source, RowsJson.Default.Preference);
        List<string> unusable = [];
        List<Preference> rows = [.. Data.DataFiles.ReadPreferences(source.Rows, unusable.Add)];
        PreferenceRows.Tell(unusable, source.Rows, run);
        return rows.Count > 0 ? rows : throw new BadInputException($"{source.Rows}: there are no preferences in it that can be learned from");
    }

    public static void WriteResult<T>(StageRun run, T result, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        WholeFile.WriteText(run.Folder.File("results.json"), JsonSerializer.Serialize(result, type) + "\n");
}
