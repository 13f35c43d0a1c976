using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Evaluation.Audits;

namespace Paddock.Cli.Audits;

/// <summary>Reads files of verdicts as audits take them.</summary>
internal static class VerdictFiles
{
    /// <summary>
    /// Rows of all files, in order: the k-th row of a pair is its k-th label, so files of one judge, one for each seed, follow each other. A row
    /// without the judge's name has that of its file.
    /// </summary>
    public static List<PairVerdict> Read(IReadOnlyList<string> paths)
    {
        List<PairVerdict> verdicts = [];
        foreach (string path in paths)
        {
            string file = NameOf(path);
            int before = verdicts.Count;
            foreach (VerdictRow row in VerdictFormat.Read(path))
                verdicts.Add(new(row.Prompt, row.First, row.Second, row.Score)
                {
                    FirstBy = row.FirstBy,
                    SecondBy = row.SecondBy,
                    Judge = row.Judge ?? file,
                    Missing = row.Missing,
                    Price = row.Price,
                    Seconds = row.Seconds,
                    Shown = row.Shown?.Select(shown => new ShownVerdict(shown.Swapped, shown.Score)).ToArray(),
                });
            if (verdicts.Count == before)
                throw new BadInputException($"{path}: no rows");
        }
        return verdicts;
    }

    /// <summary>Labels of people; null for no file. A file none of whose pairs the judge saw is no comparison, and is refused.</summary>
    public static List<PairVerdict>? ReadPeople(IReadOnlyList<string>? paths, IReadOnlyList<PairVerdict> verdicts)
    {
        if (paths is not { Count: > 0 })
            return null;
        List<PairVerdict> people = Read(paths);
        HashSet<(string, string, string)> judged = [.. verdicts.Select(v => (v.Prompt, v.First, v.Second)), .. verdicts.Select(v => (v.Prompt, v.Second, v.First))];
        if (people.TrueForAll(v => v.Score == null || !judged.Contains((v.Prompt, v.First, v.Second))))
            throw new BadInputException($"{string.Join(", ", paths)}: none of its labelled pairs is among the verdicts; prompts and both answers must be the same texts");
        return people;
    }

    /// <summary>The name of one judge, or how many there are.</summary>
    public static string JudgeOf(IReadOnlyList<PairVerdict> verdicts)
    {
        string[] names = [.. verdicts.Select(v => v.Judge ?? "").Distinct(StringComparer.Ordinal)];
        return names.Length == 1 ? names[0] : $"pool of {names.Length} annotators";
    }

    private static string NameOf(string path)
    {
        string name = Path.GetFileName(path);
        foreach (string ending in (ReadOnlySpan<string>)[".gz", ".jsonl", ".json"])
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                name = name[..^ending.Length];
        return name.Length > 0 ? name : path;
    }
}
