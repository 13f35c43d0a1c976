using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Paddock.Cli.Judging;
using Paddock.Cli.Terminal;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Judging.Clients;
using Paddock.Studies.Judges;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock judge PAIRS</c>: verdicts of a language model on pairs of answers, into a file that a later run continues.</summary>
internal static class JudgeVerb
{
    public static Command Create()
    {
        Argument<string> pairs = new("pairs") { Description = "Pairs of answers: rows with instruction, output_1 and output_2, or with chosen and rejected." };
        Option<string> annotator = new("--annotator", "-a") { Description = "The judge: a YAML file (docs/judging.md), or an AlpacaEval folder with configs.yaml.", Required = true };
        Option<string> output = new("--out", "-o") { Description = "File of verdicts; one that is there is continued.", DefaultValueFactory = _ => "verdicts.jsonl" };
        Option<string?> store = new("--cache") { Description = "File of replies; default .judge/replies.db in the folder of runs." };
        Option<string> mode = new("--mode") { Description = "record: use stored replies and store new ones; replay: stored ones only, nothing is sent; refresh: ask again for all.", DefaultValueFactory = _ => "record" };
        mode.AcceptOnlyFromAmong("record", "replay", "refresh");
        Option<string?> prices = new("--prices") { Description = "Price table in place of the shipped one." };
        Option<int?> limit = new("--limit") { Description = "First so many pairs only." };
        Option<bool> retry = new("--retry-failed") { Description = "Judges again what has no verdict because no reply came." };
        Option<bool> dry = new("--dry-run") { Description = "Says what it would cost and sends nothing." };
        Option<string> runs = CommonOptions.Runs("Folder of all results, for the store of replies and for judges that are study/stage.");
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        Command command = new("judge", "Let a language model compare pairs of answers; every reply is kept, so a run can be killed, continued and repeated for nothing.")
        {
            pairs, annotator, output, store, mode, prices, limit, retry, dry, runs, threads, json,
        };
        command.SetAction(async (parsed, stop) =>
        {
            if (parsed.GetValue(limit) is < 1)
                throw new BadInputException($"--limit must be at least 1, not {parsed.GetValue(limit)}");
            string judgeFile = parsed.GetRequiredValue(annotator), pairFile = parsed.GetRequiredValue(pairs);
            JudgeSettings settings = JudgeFile.Read(judgeFile);
            using FrontDoor door = new(parsed.GetValue(threads), parsed.GetValue(runs)!);
            PriceTable table = parsed.GetValue(prices) is { } own ? PriceTable.Read(own) : PriceTable.Shipped;
            IEnumerable<Comparison> comparisons = ComparisonFiles.Read(pairFile).Take(parsed.GetValue(limit) ?? int.MaxValue);
            using JudgeBuilder builder = door.Judges(parsed.GetValue(store), Enum.Parse<CacheMode>(parsed.GetValue(mode)!, ignoreCase: true), table);
            JudgeAnnotator judge = builder.BuildAnnotator(settings, judgeFile);
            if (parsed.GetValue(dry))
            {
                Comparison[] all = [.. comparisons];
                ForecastTable.Show([JudgeForecast.Of(judge.Judge, Spread(all), all.Length, settings.Limits ?? new(), table)], parsed.GetValue(json));
                return ExitCodes.Done;
            }
            long begun = Stopwatch.GetTimestamp(), told = begun;
            JudgeSummary summary = await new JudgeRun(judge, parsed.GetValue(output)!, parsed.GetValue(retry)).RunAsync(comparisons, (done, _) =>
            {
                if (Stopwatch.GetElapsedTime(told).TotalSeconds < 5)
                    return;
                told = Stopwatch.GetTimestamp();
                Screen.Error.WriteLine($"{done.ToString("N0", CultureInfo.InvariantCulture)} verdicts, {builder.Calls.Hits} replies from the store, {builder.Calls.Misses} asked for");
            }, stop);
            JudgeDocument document = new(summary, builder.Calls.Hits, builder.Calls.Misses, Stopwatch.GetElapsedTime(begun).TotalSeconds);
            Show(document, table.Currency, parsed.GetValue(output)!, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(document, JudgingDocuments.Default.JudgeDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>Some of many, evenly spread.</summary>
    internal static T[] Spread<T>(IReadOnlyList<T> all) =>
        [.. Enumerable.Range(0, Math.Min(JudgeForecast.Samples, all.Count)).Select(i => all[(int)((long)i * all.Count / Math.Min(JudgeForecast.Samples, all.Count))])];

    private static void Show(JudgeDocument document, string currency, string path, IAnsiConsole console)
    {
        JudgeSummary summary = document.Summary;
        Table table = Screen.Table("judge", Column.Number("verdicts"), Column.Number("first"), Column.Number("second"), Column.Number("ties"), Column.Number("missing"), Column.Number(currency));
        table.AddRow(Markup.Escape(summary.Judge), $"{summary.Verdicts:N0}", $"{summary.First:N0}", $"{summary.Second:N0}", $"{summary.Ties:N0}", $"{summary.Missing.Values.Sum():N0}",
            summary.Price is { } price ? price.ToString("0.0000", CultureInfo.InvariantCulture) : "?");
        console.Write(table);
        foreach ((string why, long count) in summary.Missing)
            console.WriteLine($"{count} without a verdict: {why}");
        console.WriteLine($"{path}: {Screen.Counted(summary.Verdicts, "verdict")}, {summary.Kept} of them kept from an earlier run; {document.CacheHits} replies from the store, {document.Sent} asked for");
    }
}
