using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock status</c>: the studies there are and how far each stage is.</summary>
internal static partial class StatusVerb
{
    public static Command Create()
    {
        Option<string> runs = CommonOptions.Runs();
        Option<bool> json = CommonOptions.Json();
        Command command = new("status", "List studies and how far their stages are.") { runs, json };
        command.SetAction(parsed =>
        {
            IReadOnlyList<StudyStatus> studies = new StudyCatalog(parsed.GetValue(runs)!).Studies();
            IAnsiConsole console = Screen.Result(parsed.GetValue(json));
            if (studies.Count == 0)
                Console.Error.WriteLine($"no studies in {parsed.GetValue(runs)}; 'paddock quickstart' makes one");
            for (int i = 0; i < studies.Count; i++)
            {
                if (i > 0)
                    console.WriteLine();
                Show(studies[i], console);
            }
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new StatusDocument(studies), StatusJson.Default.StatusDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(StudyStatus study, IAnsiConsole console)
    {
        if (study.Problem != null)
        {
            console.MarkupLine($"[bold]{Markup.Escape(study.Study)}[/]: [red]{Markup.Escape(study.Problem)}[/]");
            return;
        }
        console.MarkupLine($"[bold]{Markup.Escape(study.Study)}[/], seed {study.Seed}, {study.Stages.Count(s => s.State == StageState.Done)} of {Screen.Counted(study.Stages.Count, "stage")} done");
        Table table = Screen.Table("stage", "kind", "state", Column.Number("size"), Column.Number("time"), Column.Wrapped("result"));
        foreach (StageStatus stage in study.Stages)
            table.AddRow(Markup.Escape(stage.Name), stage.Kind, stage.State switch
            {
                StageState.Done => "done",
                StageState.Half => stage.Step is { } step ? $"at step {step}" : "begun",
                _ => "to do",
            }, Screen.Size(stage.Bytes), stage.Seconds is { } seconds ? Screen.Duration(TimeSpan.FromSeconds(seconds)) : "", Markup.Escape(stage.Summary ?? ""));
        console.Write(table);
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
    [JsonSerializable(typeof(StatusDocument))]
    private sealed partial class StatusJson : JsonSerializerContext;
}

/// <summary>The last line of standard output under <c>--json</c>. Documented in docs/json.md and held by a test.</summary>
internal sealed record StatusDocument(IReadOnlyList<StudyStatus> Studies);
