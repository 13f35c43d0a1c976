using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock doctor</c>: what this machine offers and whether a study would run here.</summary>
internal static partial class DoctorVerb
{
    public static Command Create()
    {
        Option<string> runs = CommonOptions.Runs();
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        Command command = new("doctor", "Show what this machine offers and whether a study would run here.") { runs, threads, json };
        command.SetAction(parsed =>
        {
            using FrontDoor door = new(parsed.GetValue(threads), parsed.GetValue(runs)!);
            List<Check> checks = MachineChecks.Run(door, parsed.GetValue(runs)!);
            bool ok = checks.TrueForAll(c => c.Fix == null);
            Show(checks, ok, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new DoctorDocument(ok, checks), DoctorJson.Default.DoctorDocument));
            return ok ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static void Show(List<Check> checks, bool ok, IAnsiConsole console)
    {
        Grid grid = new();
        grid.AddColumn(new GridColumn { NoWrap = true }).AddColumn(new GridColumn { NoWrap = true }).AddColumn();
        foreach (Check check in checks)
            grid.AddRow(check.Fix == null ? "[green]ok[/]" : "[red]!![/]", Markup.Escape(check.Name), Markup.Escape(check.Value));
        console.Write(grid);
        foreach (Check check in checks)
            if (check.Fix != null)
                console.WriteLine($"{check.Name}: {check.Fix}");
        if (ok)
            console.WriteLine("all good");
    }

    private sealed record DoctorDocument(bool Ok, IReadOnlyList<Check> Checks);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(DoctorDocument))]
    private sealed partial class DoctorJson : JsonSerializerContext;
}
