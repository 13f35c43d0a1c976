using System.Globalization;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Data;

/// <summary>Reads pairs of answers to compare, judged or not; what a file says of them already is left aside.</summary>
public static class ComparisonFiles
{
    /// <summary>
    /// Pairs as they stand in the file, one by one: <c>output_1</c> and <c>output_2</c> of AlpacaEval's pairs and annotations, or <c>chosen</c> and <c>rejected</c> of
    /// preferences, the chosen one first. A pair's id is its row, from 0.
    /// </summary>
    public static IEnumerable<Comparison> Read(string path)
    {
        DataFormat format = DataFormat.Detect(path);
        IEnumerable<(Prompt Prompt, string First, string Second)> pairs = format switch
        {
            DataFormat.AlpacaEvalAnnotations => AlpacaEvalAnnotationFormat.Read(path).Select(row => (Prompt.FromInstruction("", Conversations.WithInput(row.Instruction, row.Input)), row.Output1, row.Output2)),
            DataFormat.Preference => PreferenceFormat.Read(path).Select(row => (row.Prompt, row.Chosen.Text, row.Rejected.Text)),
            DataFormat.HhPairs => HhFormat.Read(path).Select(row => (row.Prompt, row.Chosen.Text, row.Rejected.Text)),
            _ => throw new BadInputException($"{path}: holds {format} rows where pairs of answers are needed; expected the fields instruction, output_1 and output_2, or chosen and rejected"),
        };
        return pairs.Select((pair, i) =>
        {
            string id = i.ToString(CultureInfo.InvariantCulture);
            return new Comparison(id, pair.Prompt with { Id = id }, new(pair.First), new(pair.Second));
        });
    }
}
