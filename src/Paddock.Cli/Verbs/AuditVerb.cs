using System.CommandLine;
using Paddock.Cli.Audits;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Evaluation.Audits;
using Paddock.Reports;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock audit</c>: how far a judge is from people and from itself, from files of its verdicts.</summary>
internal static class AuditVerb
{
    public static Command Create()
    {
        Argument<string[]> files = new("file") { Description = "Verdicts of one judge, one file for each seed: verdicts of this program or annotations of AlpacaEval.", Arity = ArgumentArity.OneOrMore };
        AuditOptions options = new();
        Option<string?> html = new("--html") { Description = "Writes the page to this file too." };
        Option<string[]> anchor = new("--anchor") { Description = "Earlier verdicts of the same judge on the same pairs: tells whether it drifted, and ends with code 1 if so.", AllowMultipleArgumentsPerToken = true };
        Option<bool> json = CommonOptions.Json();
        Command command = new("audit", "Audit a judge: agreement, bias, variance, position, form, calibration, cost, drift.") { files, anchor, html, json };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            AuditSettings settings = options.Settings(parsed);
            string[] paths = parsed.GetValue(files)!;
            List<PairVerdict> verdicts = VerdictFiles.Read(paths);
            JudgeAuditResult audit = JudgeAudit.Of(VerdictFiles.JudgeOf(verdicts), verdicts, VerdictFiles.ReadPeople(options.People(parsed), verdicts), options.Own(parsed), settings);
            if (options.Own(parsed).Count > 0 && audit.SelfPreference == null)
                Console.Error.WriteLine("no pair of a system of --own against another has labels of people, so self-preference is not measured");
            DriftResult? drift = Drift(parsed.GetValue(anchor), verdicts, settings);
            Show(audit, drift, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(html) is { } path)
            {
                AuditReport.Write(path, new(audit, settings, paths, options.People(parsed), TimeProvider.System.GetUtcNow(), drift));
                Console.Error.WriteLine($"page: {path}");
            }
            if (parsed.GetValue(json))
                Console.Out.WriteLine(AuditDocuments.Serialize(AuditDocuments.Of(audit, settings, parsed.GetValue(html), drift)));
            return drift?.Alarm == null ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static DriftResult? Drift(string[]? anchors, List<PairVerdict> verdicts, AuditSettings settings)
    {
        if (anchors is not { Length: > 0 })
            return null;
        return JudgeDrift.Of(VerdictFiles.Read(anchors), verdicts, settings)
            ?? throw new BadInputException($"--anchor {string.Join(", ", anchors)}: none of its judged pairs is among the verdicts; prompts and both answers must be the same texts");
    }

    private static void Show(JudgeAuditResult audit, DriftResult? drift, IAnsiConsole console)
    {
        console.MarkupLine($"[bold]{Markup.Escape(audit.Judge)}[/]");
        if (drift?.Alarm != null)
            console.MarkupLine($"[red]the judge drifted: {Markup.Escape(drift.Alarm)}[/]");
        foreach (AuditSection section in AuditRows.Of(audit, drift))
        {
            console.WriteLine();
            Table table = Screen.Table(section.Title, Column.Number("value"), Column.Number("95 % interval"), Column.Wrapped("what it is"));
            foreach (AuditRow row in section.Rows)
                table.AddRow(Markup.Escape(row.Measure), Markup.Escape(row.Value), Markup.Escape(row.Interval), Markup.Escape(row.N.Length > 0 ? $"{row.N}; {row.Meaning}" : row.Meaning));
            console.Write(table);
        }
        if (AuditRows.NotMeasured(audit) is { Count: > 0 } lacks)
        {
            console.WriteLine();
            console.WriteLine("Not measured:");
            foreach (string lack in lacks)
                console.WriteLine($"  {lack}");
        }
    }
}

/// <summary>Options that <c>audit</c> and <c>judges</c> share.</summary>
internal sealed class AuditOptions
{
    private const int FewestResamples = 100, MostResamples = 1_000_000;

    private readonly Option<string[]> _human = new("--human") { Description = "Labels of people on the same pairs, any number for a pair; may be given again.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string[]> _own = new("--own") { Description = "A system of the judge's own family, for self-preference; may be given again.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Seeds the intervals.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _resamples = new("--resamples") { Description = "Resamples of each interval.", DefaultValueFactory = _ => Evaluation.Bootstrap.DefaultResamples };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _human, _own, _seed, _resamples })
            command.Options.Add(option);
    }

    public string[] People(ParseResult parsed) => parsed.GetValue(_human) ?? [];

    public IReadOnlySet<string> Own(ParseResult parsed) => new HashSet<string>(parsed.GetValue(_own) ?? [], StringComparer.Ordinal);

    public AuditSettings Settings(ParseResult parsed)
    {
        int resamples = parsed.GetValue(_resamples);
        return resamples is >= FewestResamples and <= MostResamples ? new(parsed.GetValue(_seed), resamples)
            : throw new BadInputException($"--resamples must be from {FewestResamples} to {MostResamples}, not {resamples}");
    }
}
