using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Paddock.Data;

namespace Paddock.Judging;

/// <summary>
/// A line of <c>verdicts.jsonl</c>. Its first columns are those of AlpacaEval's annotations, so whatever reads those reads verdicts too; the rest is
/// what the verdict rests on.
/// </summary>
/// <param name="Key">Hash of judge and texts: two rows with one key are the same verdict.</param>
/// <param name="Version">The judge's version.</param>
public sealed record VerdictRow(
    string Id,
    string Key,
    string Instruction,
    [property: JsonPropertyName("output_1")] string Output1,
    [property: JsonPropertyName("output_2")] string Output2,
    string Annotator,
    string Version,
    double? Preference,
    VerdictState State,
    string? Reason,
    [property: JsonPropertyName("price_per_example")] double? Price,
    [property: JsonPropertyName("time_per_example")] double? Seconds,
    IReadOnlyList<JudgeCall> Calls)
{
    public static VerdictRow Of(Comparison comparison, IJudge judge, JudgeVerdict verdict) => new(comparison.Id, KeyOf(comparison, judge), comparison.Prompt.Messages.Count == 1 ? comparison.Prompt.Instruction : comparison.Prompt.Key,
        comparison.First.Text, comparison.Second.Text, judge.Name, judge.Version, verdict.Preference, verdict.State, verdict.Reason, verdict.Price, verdict.Calls.Sum(c => c.Seconds), verdict.Calls);

    /// <summary>What <see cref="Key"/> is for a comparison, before it is judged.</summary>
    public static string KeyOf(Comparison comparison, IJudge judge)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in new[] { judge.Name, judge.Version, comparison.Id, comparison.Prompt.Key, comparison.First.Text, comparison.Second.Text })
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes((long)bytes.Length));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
    }
}
