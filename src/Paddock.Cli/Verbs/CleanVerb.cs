using System.CommandLine;
using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock clean</c>: removes stages that no study names; shows them first, removes them with <c>--yes</c>.</summary>
internal static class CleanVerb
{
    public static Command Create()
    {
        Option<string> runs = new("--runs") { Description = "Folder of all results.", DefaultValueFactory = _ => "runs" };
        Option<bool> yes = new("--yes") { Description = "Removes what is listed." };
        Command command = new("clean", "List stages that no study names; remove them with --yes.") { runs, yes };
        command.SetAction(parsed =>
        {
            StudyCatalog catalog = new(parsed.GetValue(runs)!);
            IReadOnlyList<UnusedStage> unused = catalog.Unused();
            if (unused.Count == 0)
            {
                Screen.Error.WriteLine("nothing to clean: every stage is named by a study");
                return ExitCodes.Done;
            }
            Table table = Screen.Table("stage", "kind", "state", "size", "key");
            foreach (UnusedStage stage in unused)
                table.AddRow(Markup.Escape(stage.Name), stage.Kind, stage.Done ? "done" : "half", StatusVerb.Size(stage.Bytes), stage.Key[..8]);
            Screen.Error.Write(table);
            if (!parsed.GetValue(yes))
            {
                Screen.Error.WriteLine($"{unused.Count} stages, {StatusVerb.Size(unused.Sum(s => s.Bytes))}; 'paddock clean --yes' removes them");
                return ExitCodes.Done;
            }
            IReadOnlyList<UnusedStage> deleted = catalog.Delete(unused);
            Screen.Error.WriteLine($"removed {deleted.Count} stages, {StatusVerb.Size(deleted.Sum(s => s.Bytes))}{(deleted.Count < unused.Count ? $"; {unused.Count - deleted.Count} are in use and stay" : "")}");
            return ExitCodes.Done;
        });
        return command;
    }
}
