using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock clean</c>: removes stages that no study names; shows them first, removes them with <c>--yes</c>.</summary>
internal static partial class CleanVerb
{
    public static Command Create()
    {
        Option<string> runs = CommonOptions.Runs();
        Option<bool> yes = new("--yes") { Description = "Removes what is listed." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("clean", "List stages that no study names; remove them with --yes.") { runs, yes, json };
        command.SetAction(parsed =>
        {
            StudyCatalog catalog = new(parsed.GetValue(runs)!);
            IReadOnlyList<UnusedStage> unused = catalog.Unused();
            Show(unused, parsed.GetValue(runs)!, Screen.Result(parsed.GetValue(json)));
            IReadOnlyList<UnusedStage> removed = parsed.GetValue(yes) ? catalog.Delete(unused) : [];
            if (removed.Count > 0 || (parsed.GetValue(yes) && unused.Count > 0))
                Console.Error.WriteLine($"removed {Total(removed)}{(removed.Count < unused.Count ? $"; {unused.Count - removed.Count} are in use and stay" : "")}");
            else if (unused.Count > 0)
                Console.Error.WriteLine($"{Total(unused)}; 'paddock clean --yes' removes {(unused.Count == 1 ? "it" : "them")}");
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new CleanDocument(unused, [.. removed.Select(stage => stage.Key)]), CleanJson.Default.CleanDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(IReadOnlyList<UnusedStage> unused, string runs, IAnsiConsole console)
    {
        if (unused.Count == 0)
        {
            console.WriteLine(Directory.Exists(runs) ? "nothing to clean: every stage is named by a study" : $"nothing to clean: there is no folder {runs}");
            return;
        }
        Table table = Screen.Table("stage", "kind", "state", Column.Number("size"), "key");
        foreach (UnusedStage stage in unused)
            table.AddRow(Markup.Escape(stage.Name), Markup.Escape(stage.Kind), stage.Done ? "done" : "half", Screen.Size(stage.Bytes), stage.Key[..8]);
        console.Write(table);
    }

    private static string Total(IReadOnlyList<UnusedStage> stages) =>
        Screen.Counted(stages.Count, "stage") + (stages.Sum(s => s.Bytes) is > 0 and var bytes ? $", {Screen.Size(bytes)}" : "");

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(CleanDocument))]
    private sealed partial class CleanJson : JsonSerializerContext;
}

/// <summary>The last line of standard output under <c>--json</c>. Documented in docs/json.md and held by a test.</summary>
/// <param name="Unused">Stages that no study names.</param>
/// <param name="Removed">Keys of those that were removed.</param>
internal sealed record CleanDocument(IReadOnlyList<UnusedStage> Unused, IReadOnlyList<string> Removed);
