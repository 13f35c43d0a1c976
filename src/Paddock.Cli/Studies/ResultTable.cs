using System.Globalization;
using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Reports;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>The table a study ends with: a row a system, win rates in percent with their standard errors, differences to the baseline.</summary>
internal static class ResultTable
{
    // a win rate and a difference, each with a blank before it: " 100.0±10.0 -100.0±10.0"
    private const int AnnotatorWidth = 23;

    public static void Show(StudyDocument document, StudySummary summary, bool json)
    {
        IAnsiConsole console = Screen.Result(json);
        Screen.Error.WriteLine(); // after the progress
        if (document.Methods.Count > 0)
        {
            EvaluationResult result = summary.Evaluations[^1].Result;
            console.MarkupLine($"Win rate in % against {Markup.Escape(result.Against)}, {result.Prompts} {Markup.Escape(result.Split)} prompts, ± standard error");
            // as many annotators beside each other as the screen has room for
            int names = document.Methods.Max(m => m.Name.Length), side = Math.Max(1, (console.Profile.Width - names) / AnnotatorWidth);
            foreach (string[] annotators in document.Methods[0].WinRate.Keys.Chunk(side))
                console.Write(Of(document, annotators, result.Baseline));
        }
        foreach (AccuracyDocument accuracy in document.Accuracy ?? [])
            console.WriteLine(Text($"{accuracy.Model}: {100 * accuracy.Accuracy:0.0} % of {accuracy.N} held-out pairs, 95 % interval {100 * accuracy.Low:0.0} to {100 * accuracy.High:0.0}"));
        Console.Error.WriteLine($"{Screen.Duration(TimeSpan.FromSeconds(document.Seconds))}; report: {Path.GetRelativePath(Environment.CurrentDirectory, document.Report)}");
    }

    private static Table Of(StudyDocument document, string[] annotators, string baseline)
    {
        Table table = Screen.Table(["system", .. annotators.SelectMany(a => new[] { Column.Number(a == "simulated" ? "pool" : a), Column.Number("vs " + baseline) })]);
        foreach (TableColumn column in table.Columns)
            column.Padding = new Padding(0, 0, 1, 0); // seven columns in 80 characters
        foreach (MethodDocument method in document.Methods)
            table.AddRow([Markup.Escape(method.Name), .. annotators.SelectMany(a => new[]
            {
                Text($"{100 * method.WinRate[a].Mean:0.0}±{100 * method.WinRate[a].Se:0.0}"),
                method.VsSft == null ? "" : Text($"{100 * method.VsSft[a].Mean:+0.0;-0.0;0.0}±{100 * method.VsSft[a].Se:0.0}"),
            })]);
        return table;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
