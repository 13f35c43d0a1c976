using System.CommandLine;
using System.Globalization;
using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock status</c>: the studies there are and how far each stage is.</summary>
internal static class StatusVerb
{
    public static Command Create()
    {
        Option<string> runs = new("--runs") { Description = "Folder of all results.", DefaultValueFactory = _ => "runs" };
        Command command = new("status", "List studies and how far their stages are.") { runs };
        command.SetAction(parsed =>
        {
            IReadOnlyList<StudyStatus> studies = new StudyCatalog(parsed.GetValue(runs)!).Studies();
            if (studies.Count == 0)
                Screen.Error.WriteLine($"no studies in {parsed.GetValue(runs)}; 'paddock quickstart' makes one");
            foreach (StudyStatus study in studies)
                Show(study);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(StudyStatus study)
    {
        Screen.Error.MarkupLine($"[bold]{Markup.Escape(study.Study)}[/], seed {study.Seed}{(study.Problem == null ? "" : $": [red]{Markup.Escape(study.Problem)}[/]")}");
        Table table = Screen.Table("stage", "kind", "state", "size", "time", "result");
        table.Columns[5].NoWrap = false;
        foreach (StageStatus stage in study.Stages)
            table.AddRow(Markup.Escape(stage.Name), stage.Kind, stage.State switch
            {
                StageState.Done => "done",
                StageState.Half => stage.Step is { } step ? $"at step {step}" : "begun",
                _ => "to do",
            }, Size(stage.Bytes), stage.Seconds is { } seconds ? Screen.Duration(TimeSpan.FromSeconds(seconds)) : "", Markup.Escape(stage.Summary ?? ""));
        Screen.Error.Write(table);
    }

    public static string Size(long bytes) => bytes switch
    {
        0 => "",
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} KB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GB"),
    };
}
