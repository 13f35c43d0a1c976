using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>One thing that a submission was checked for.</summary>
/// <param name="Passed">False keeps a submission off the leaderboard.</param>
/// <param name="Detail">What was found, in one sentence.</param>
public sealed record SubmissionFinding(string Check, bool Passed, string Detail);

/// <summary>
/// A submission to a leaderboard: a folder with <c>model_outputs.json</c> (or .json.gz, .jsonl, .jsonl.gz) in AlpacaEval's format and a card,
/// <c>README.md</c> or <c>card.md</c>, that says what made them. Checked before it is judged, since judging costs.
/// </summary>
public static class Submission
{
    /// <summary>Largest share of prompts that may get one and the same answer. Real systems repeat a refusal or two.</summary>
    public const double MostAlike = 0.1;

    /// <summary>Largest share of empty answers.</summary>
    public const double MostEmpty = 0.05;

    /// <summary>Shortest opening that counts as the same text: one long enough to carry an instruction to the judge.</summary>
    public const int OpeningLength = 80;

    private static readonly string[] OutputNames = ["model_outputs.json", "model_outputs.json.gz", "model_outputs.jsonl", "model_outputs.jsonl.gz"], Cards = ["README.md", "card.md"];

    /// <param name="prompts">The prompts of the leaderboard: a file of any format that has them.</param>
    /// <param name="training">Data that the system says it was trained on, to count evaluation prompts in it; null where unknown.</param>
    /// <exception cref="BadInputException">No folder, no outputs in it, or rows that cannot be read.</exception>
    public static IReadOnlyList<SubmissionFinding> Check(string folder, string prompts, string? training)
    {
        if (!Directory.Exists(folder))
            throw new BadInputException($"{folder}: no such folder; a submission is a folder with {OutputNames[0]} and a card");
        string? outputs = OutputNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (outputs == null)
            throw new BadInputException($"{folder}: holds no outputs; expected {string.Join(", ", OutputNames)}");
        ModelOutput[] rows = [.. AlpacaEvalOutputFormat.Read(outputs)];
        if (rows.Length == 0)
            throw new BadInputException($"{outputs}: no rows");
        HashSet<string> asked = new(DataFiles.ReadPrompts(prompts).Select(prompt => prompt.Instruction.Trim()), StringComparer.Ordinal);
        string[] answered = [.. rows.Select(row => row.ToPrompt("").Instruction.Trim())];
        HashSet<string> distinct = new(answered, StringComparer.Ordinal);
        int missing = asked.Count(prompt => !distinct.Contains(prompt)), strange = distinct.Count(prompt => !asked.Contains(prompt)), empty = rows.Count(row => string.IsNullOrWhiteSpace(row.Output));
        string[] names = [.. rows.Select(row => row.Generator).Distinct(StringComparer.Ordinal)];
        string? card = Cards.Select(name => Path.Combine(folder, name)).FirstOrDefault(path => File.Exists(path) && new FileInfo(path).Length > 0);
        (int alike, string text) = MostCommon(rows.Select(row => row.Output.Trim()).Where(output => output.Length > 0));
        (int opening, string start) = MostCommon(rows.Select(row => row.Output.Trim()).Where(output => output.Length >= OpeningLength).Select(output => output[..OpeningLength]));
        List<SubmissionFinding> findings =
        [
            new("card", card != null, card != null ? $"{Path.GetFileName(card)} is there" : $"there is no {string.Join(" or ", Cards)} that says what made the outputs"),
            new("one system", names.Length == 1, names.Length == 1 ? $"all outputs are by '{names[0]}'" : $"outputs are by {names.Length} systems: {string.Join(", ", names.Take(5))}"),
            new("duplicate prompts", distinct.Count == rows.Length, $"{rows.Length - distinct.Count} of {rows.Length} rows repeat a prompt"),
            new("missing prompts", missing == 0, $"{missing} of {asked.Count} prompts have no answer"),
            new("other prompts", strange == 0, $"{strange} answers are to prompts that were not asked"),
            new("empty answers", empty <= MostEmpty * rows.Length, $"{empty} of {rows.Length} answers are empty"),
            new("constant answers", alike <= Math.Max(2, MostAlike * rows.Length), $"the commonest answer stands {alike} times{(alike > 1 ? $": '{Row.Short(text)}'" : "")}"),
            new("constant openings", opening <= Math.Max(2, MostAlike * rows.Length), $"the commonest opening of {OpeningLength} characters stands {opening} times{(opening > 1 ? $": '{Row.Short(start)}'" : "")}"),
        ];
        if (training != null)
        {
            HashSet<string> seen = new(DataFiles.ReadPrompts(training).Select(prompt => prompt.Instruction.Trim()), StringComparer.Ordinal);
            int known = asked.Count(seen.Contains);
            findings.Add(new("contamination", known == 0, $"{known} of {asked.Count} prompts stand word for word in {Path.GetFileName(training)}"));
        }
        return findings;
    }

    private static (int Count, string Text) MostCommon(IEnumerable<string> texts)
    {
        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        (int Count, string Text) most = (0, "");
        foreach (string text in texts)
        {
            int count = counts[text] = counts.GetValueOrDefault(text) + 1;
            if (count > most.Count)
                most = (count, text);
        }
        return most;
    }
}
