using System.Globalization;
using Paddock.Cli.Terminal;
using Paddock.Reports;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>The second table of <c>compare</c>: how stable each method is between seeds, and what it costs.</summary>
internal static class ComparisonTable
{
    public static void Show(MethodComparison comparison, bool json)
    {
        IAnsiConsole console = Screen.Result(json);
        console.WriteLine();
        console.MarkupLine(Markup.Escape($"Between {comparison.Seeds} seeds: standard deviation of the win rate in points, KL to {comparison.Baseline} in nats, seeds clearly below {comparison.Baseline}; training from the study's model"));
        console.Write(Of(comparison));
    }

    internal static Table Of(MethodComparison comparison)
    {
        Table table = Screen.Table(["system", .. comparison.Annotators.Select(a => Column.Number("sd " + a)), Column.Number("KL"), Column.Number("worse"), Column.Number("Mtokens"), Column.Number("TFLOP"), Column.Number("s")]);
        foreach (ComparedMethod method in comparison.Methods)
            table.AddRow([Markup.Escape(method.Name), .. comparison.Annotators.Select(a => method.Spread[a] is { } spread ? Text($"{100 * spread:0.0}") : ""),
                method.Kl is { } kl && !double.IsNaN(kl.Mean) ? Text($"{kl.Mean:0.00}") : "", Text($"{method.Worse}"), Text($"{method.Training.Tokens / 1e6:0.00}"), Text($"{method.Training.Flops / 1e12:0.0}"), Text($"{method.Training.Seconds:0}")]);
        return table;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
