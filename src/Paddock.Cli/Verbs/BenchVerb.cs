using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Paddock.Cli.Bench;
using Paddock.Cli.Terminal;
using Paddock.Engine;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock bench</c>: how fast this machine computes, trains and decodes, and what share of its own limits that is.</summary>
internal static class BenchVerb
{
    private const int MaxThreads = 1024;

    public static Command Create()
    {
        Option<string> only = new("--only") { Description = $"Parts to measure, with commas: {string.Join(", ", BenchRun.Kinds)}." };
        Option<string> threads = new("--threads") { Description = "Numbers of threads, with commas; one and all processors by default." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("bench", "Measure this machine: products, training and decoding as shares of its own limits.") { only, threads, json };
        command.SetAction((parsed, stop) => Task.Run(() =>
        {
            IReadOnlySet<string> kinds = ParseKinds(parsed.GetValue(only));
            using Meter meter = new(TimeProvider.System, BenchPlan.Standard, ParseThreads(parsed.GetValue(threads)));
            BenchRun run = new(BenchPlan.Standard, kinds, meter, Console.Error.WriteLine, stop);
            BenchDocument document = run.Measure();
            Console.Error.WriteLine();
            BenchTables.Show(document, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(document, BenchJson.Default.BenchDocument));
            return run.Refused == 0 ? ExitCodes.Done : ExitCodes.Failed;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>The parts to measure; all when nothing is said.</summary>
    internal static IReadOnlySet<string> ParseKinds(string? text)
    {
        HashSet<string> kinds = [];
        foreach (string kind in text?.Split(',', StringSplitOptions.TrimEntries) ?? BenchRun.Kinds)
            if (!BenchRun.Kinds.Contains(kind))
                throw new BadInputException($"--only: there is no part '{kind}'; parts: {string.Join(", ", BenchRun.Kinds)}");
            else
                kinds.Add(kind);
        return kinds;
    }

    /// <summary>Rising numbers of threads; one and all processors when nothing is said.</summary>
    internal static IReadOnlyList<int> ParseThreads(string? text)
    {
        if (text == null)
            return [.. new SortedSet<int> { 1, Environment.ProcessorCount }];
        SortedSet<int> counts = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count is < 1 or > MaxThreads)
                throw new BadInputException($"--threads: '{part}' is not a number of threads; write 1 to {MaxThreads}, with commas between, such as 1,2");
            else
                counts.Add(count);
        return [.. counts];
    }
}
