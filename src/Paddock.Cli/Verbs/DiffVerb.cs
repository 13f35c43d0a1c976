using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Audits;
using Paddock.Cli.Studies;
using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Reports;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary>The last line of <c>diff --json</c>. Documented in docs/json.md and held by a test.</summary>
internal sealed record DiffDocument(string First, string Second, string? NotComparable, IReadOnlyList<SettingDifference> Settings, IReadOnlyList<StageDifference> Stages, IReadOnlyList<NumberDocument> Numbers);

/// <param name="AdjustedP">Holm's; null where the two numbers are one result read twice.</param>
internal sealed record NumberDocument(string System, string Measure, double? First, double? FirstSe, double? Second, double? SecondSe, double? Difference, double? Low, double? High, double? AdjustedP, bool Matters);

/// <summary><c>paddock diff RUN RUN</c>: what differs between two studies, and whether it matters.</summary>
internal static partial class DiffVerb
{
    public static Command Create()
    {
        Argument<string> first = new("first") { Description = "A study of the runs, one seed of it (study/seed-2), or its folder." };
        Argument<string> second = new("second") { Description = "The study to compare with it." };
        Option<string> runs = CommonOptions.Runs();
        Option<bool> json = CommonOptions.Json();
        Command command = new("diff", "Tell what differs between two finished studies and whether it matters.") { first, second, runs, json };
        command.SetAction(parsed =>
        {
            RunsFolder folder = new(parsed.GetValue(runs)!);
            StudyDiff diff = StudyDiff.Of(FinishedStudies.Read(folder, parsed.GetRequiredValue(first)), FinishedStudies.Read(folder, parsed.GetRequiredValue(second)));
            Show(diff, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(Document(diff), DiffJson.Default.DiffDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(StudyDiff diff, IAnsiConsole console)
    {
        console.MarkupLine($"[bold]{Markup.Escape(diff.First)}[/] and [bold]{Markup.Escape(diff.Second)}[/]: {Screen.Counted(diff.Settings.Count, "setting")} differ, "
            + $"{diff.Stages.Count(s => s.State == "same")} of {Screen.Counted(diff.Stages.Count, "stage")} the same");
        if (diff.Settings.Count > 0)
        {
            console.WriteLine();
            Table settings = Screen.Table("setting", Column.Wrapped("first"), Column.Wrapped("second"));
            foreach (SettingDifference setting in diff.Settings)
                settings.AddRow(Markup.Escape(setting.Path), Markup.Escape(setting.First ?? "-"), Markup.Escape(setting.Second ?? "-"));
            console.Write(settings);
        }
        if (diff.Comparable != null)
        {
            console.WriteLine();
            console.WriteLine($"Numbers below are not of the same thing: {diff.Comparable}");
        }
        NumberDifference[] changed = [.. diff.Numbers.Where(n => !double.IsNaN(n.P))];
        if (changed.Length > 0)
        {
            console.WriteLine();
            Table numbers = Screen.Table("system", "measure", Column.Number("first"), Column.Number("second"), Column.Number("difference"), Column.Number("p"), "matters");
            foreach (NumberDifference number in changed)
                numbers.AddRow(Markup.Escape(number.System), Markup.Escape(number.Measure), Cell(number.First, number), Cell(number.Second, number),
                    $"{Signed(number.Difference.Mean, number)}±{Value(number.Difference.StandardError, number)}", number.AdjustedP.ToString("0.000", CultureInfo.InvariantCulture), number.Matters ? "[bold]yes[/]" : "not shown");
            console.Write(numbers);
            console.WriteLine();
            console.WriteLine("Win rates in %. p after Holm, errors taken for independent: too large where both answered the same prompts, so a yes is one.");
        }
        else if (diff.Numbers.Count > 0)
            console.WriteLine("All numbers are equal.");
    }

    private static bool IsRate(NumberDifference number) => number.Measure.StartsWith("win rate", StringComparison.Ordinal);

    private static string Cell(Estimate estimate, NumberDifference number) => $"{Value(estimate.Mean, number)}±{Value(estimate.Se, number)}";

    private static string Value(double value, NumberDifference number) => IsRate(number) ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) : value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Signed(double value, NumberDifference number) => (value >= 0 ? "+" : "") + Value(value, number);

    private static DiffDocument Document(StudyDiff diff) => new(diff.First, diff.Second, diff.Comparable, diff.Settings, diff.Stages,
    [
        .. diff.Numbers.Select(n => new NumberDocument(n.System, n.Measure, Finite(n.First.Mean), Finite(n.First.Se), Finite(n.Second.Mean), Finite(n.Second.Se),
            Finite(n.Difference.Mean), Finite(n.Difference.Low), Finite(n.Difference.High), Finite(n.AdjustedP), n.Matters)),
    ]);

    private static double? Finite(double value) => IntervalDocument.Finite(value);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(DiffDocument))]
    private sealed partial class DiffJson : JsonSerializerContext;
}
