using System.Text.Json;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Studies.Stages;

namespace Paddock.Reports;

/// <summary>Reads the results that stages left behind.</summary>
internal static class ReportJson
{
    public static EvaluationResult? ReadEvaluation(string json) => JsonSerializer.Deserialize(json, RowsJson.Default.EvaluationResult);

    public static AccuracyResult? ReadAccuracy(string json) => JsonSerializer.Deserialize(json, RowsJson.Default.AccuracyResult);

    public static Dictionary<string, double> ReadSeconds(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllText(path), RowsJson.Default.DictionaryStringDouble) ?? [] : [];
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{path}: not written by this version ({e.Message}); delete its folder and run again", e);
        }
    }
}
