using System.Globalization;
using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Reports;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>The table a study ends with: a row a system, win rates in percent with their standard errors, differences to the baseline.</summary>
internal static class ResultTable
{
    public static void Show(StudyDocument document, StudySummary summary, bool json)
    {
        IAnsiConsole console = Screen.Result(json);
        Screen.Error.WriteLine(); // after the progress
        if (document.Methods.Count > 0)
        {
            EvaluationResult result = summary.Evaluations[^1].Result;
            console.MarkupLine($"Win rate in % against {Markup.Escape(result.Against)}, {result.Prompts} {Markup.Escape(result.Split)} prompts, ± standard error");
            foreach (Table table in Tables(document, result.Baseline, console.Profile.Width))
                console.Write(table);
        }
        foreach (AccuracyDocument accuracy in document.Accuracy ?? [])
            console.WriteLine(Text($"{accuracy.Model}: {100 * accuracy.Accuracy:0.0} % of {accuracy.N} held-out pairs, 95 % interval {100 * accuracy.Low:0.0} to {100 * accuracy.High:0.0}"));
        Console.Error.WriteLine($"{Screen.Duration(TimeSpan.FromSeconds(document.Seconds))}; report: {Path.GetRelativePath(Environment.CurrentDirectory, document.Report)}");
    }

    /// <summary>One table, or where <paramref name="width"/> has no room for all annotators several below each other.</summary>
    internal static IReadOnlyList<Table> Tables(StudyDocument document, string baseline, int width)
    {
        List<Table> tables = [];
        List<(string Title, string[] Cells)> columns = [];
        int names = Width("system", [.. document.Methods.Select(m => m.Name)]), used = names;
        foreach (string annotator in document.Methods[0].WinRate.Keys)
        {
            (string, string[]) rate = (annotator == "simulated" ? "pool" : annotator, [.. document.Methods.Select(m => Text($"{100 * m.WinRate[annotator].Mean:0.0}±{100 * m.WinRate[annotator].Se:0.0}"))]);
            (string, string[]) difference = ("vs " + baseline,
                [.. document.Methods.Select(m => m.VsSft == null ? "" : Text($"{100 * m.VsSft[annotator].Mean:+0.0;-0.0;0.0}±{100 * m.VsSft[annotator].Se:0.0}"))]);
            int room = 2 + Width(rate.Item1, rate.Item2) + Width(difference.Item1, difference.Item2);
            if (used + room > width && columns.Count > 0)
            {
                tables.Add(Of(document, columns));
                columns.Clear();
                used = names;
            }
            columns.Add(rate);
            columns.Add(difference);
            used += room;
        }
        tables.Add(Of(document, columns));
        return tables;
    }

    private static Table Of(StudyDocument document, List<(string Title, string[] Cells)> columns)
    {
        Table table = Screen.Table(["system", .. columns.Select(c => Column.Number(c.Title))]);
        for (int i = 0; i < table.Columns.Count; i++)
            table.Columns[i].Padding = new Padding(0, 0, i < table.Columns.Count - 1 ? 1 : 0, 0); // seven columns in 80 characters
        for (int row = 0; row < document.Methods.Count; row++)
            table.AddRow([Markup.Escape(document.Methods[row].Name), .. columns.Select(c => c.Cells[row])]);
        return table;
    }

    private static int Width(string title, string[] cells) => Math.Max(title.Length, cells.Max(c => c.Length));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
