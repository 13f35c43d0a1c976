using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>What a dry run shows: the stages of a study, their keys, and what of them is there already.</summary>
internal static class PlanTable
{
    public static void Show(StudyPlan plan, RunsFolder runs)
    {
        Table table = Screen.Table("#", "stage", "kind", "reads", "key", "state");
        int position = 0;
        foreach (PlannedStage stage in plan.Stages)
            table.AddRow($"{++position}", Markup.Escape(stage.Stage.Name), stage.Kind, Markup.Escape(string.Join(", ", stage.Inputs.Select(i => i.Name ?? plan.Recipe.Model ?? "").Distinct())),
                stage.Key.Value[..8], runs.Stage(stage.Key.Value).IsDone ? "done" : "to do");
        Screen.Error.MarkupLine($"[bold]{Markup.Escape(plan.Recipe.Study)}[/], seed {plan.Recipe.Seed}: {plan.Stages.Count} stages");
        Screen.Error.Write(table);
    }
}
