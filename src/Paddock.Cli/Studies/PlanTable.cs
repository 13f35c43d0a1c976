using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>The last line of standard output of a dry run under <c>--json</c>. Documented in docs/json.md and held by a test.</summary>
internal sealed record PlanDocument(IReadOnlyList<StudyPlanDocument> Plans);

internal sealed record StudyPlanDocument(string Study, ulong Seed, IReadOnlyList<PlannedStageDocument> Stages);

/// <param name="Key">Null while it is unknown: it depends on a model that has to be trained first.</param>
/// <param name="State"><c>done</c> or <c>to do</c>.</param>
internal sealed record PlannedStageDocument(string Name, string Kind, IReadOnlyList<string> Reads, string? Key, string State);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PlanDocument))]
internal sealed partial class PlanJson : JsonSerializerContext;

/// <summary>What a dry run shows: the stages of a study, their keys, and what of them is there already.</summary>
internal static class PlanTable
{
    private const string Done = "done", ToDo = "to do";

    /// <summary>The plan of one seed.</summary>
    public static StudyPlanDocument Of(StudyPlan plan, RunsFolder runs) => new(plan.Recipe.Study, plan.Recipe.Seed,
        [.. plan.Stages.Select(s => new PlannedStageDocument(s.Stage.Name, s.Kind, Reads(s, plan.Recipe.Model), s.Key.Value, runs.Stage(s.Key.Value).IsDone ? Done : ToDo))]);

    /// <summary>The plan of a study whose model is not trained yet, so that no key can be known.</summary>
    public static StudyPlanDocument WithoutKeys(StudyPlan plan) => new(plan.Recipe.Study, plan.Recipe.Seed,
        [.. plan.Stages.Select(s => new PlannedStageDocument(s.Stage.Name, s.Kind, Reads(s, null), null, ToDo))]);

    public static void Show(PlanDocument document, bool json)
    {
        foreach (StudyPlanDocument plan in document.Plans)
            Show(plan, Screen.Result(json));
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(document, PlanJson.Default.PlanDocument));
    }

    private static void Show(StudyPlanDocument plan, IAnsiConsole console)
    {
        Table table = Screen.Table(Column.Number("#"), "stage", "kind", Column.Wrapped("reads"), "key", "state");
        int position = 0;
        foreach (PlannedStageDocument stage in plan.Stages)
            table.AddRow($"{++position}", Markup.Escape(stage.Name), stage.Kind, Markup.Escape(string.Join(", ", stage.Reads)), stage.Key?[..8] ?? "-", stage.State);
        console.MarkupLine($"[bold]{Markup.Escape(plan.Study)}[/], seed {plan.Seed}: {Screen.Counted(plan.Stages.Count, "stage")}");
        console.Write(table);
    }

    private static string[] Reads(PlannedStage stage, string? model) => [.. stage.Inputs.Select(i => i.Name ?? model ?? "the base model").Distinct()];
}
