using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Reports;
using Spectre.Console;

namespace Paddock.Cli.Studies;

/// <summary>The table a study ends with: a row a system, win rates in percent with their standard errors, differences to the baseline.</summary>
internal static class ResultTable
{
    public static void Show(StudyDocument document, StudySummary summary)
    {
        if (document.Methods.Count > 0)
        {
            EvaluationResult result = summary.Evaluations[^1].Result;
            string[] annotators = [.. document.Methods[0].WinRate.Keys];
            Table table = Screen.Table(["system", .. annotators.SelectMany(a => new[] { a == "simulated" ? "pool" : a, "vs " + result.Baseline })]);
            foreach (TableColumn column in table.Columns)
                column.Padding = new Padding(0, 0, 1, 0); // seven columns in 80 characters
            foreach (MethodDocument method in document.Methods)
                table.AddRow([Markup.Escape(method.Name), .. annotators.SelectMany(a => new[]
                {
                    Percent(method.WinRate[a].Mean, method.WinRate[a].Se),
                    method.VsSft == null ? "" : Signed(method.VsSft[a].Mean, method.VsSft[a].Se),
                })]);
            Screen.Error.WriteLine();
            Screen.Error.MarkupLine($"Win rate in % against {Markup.Escape(result.Against)} on {result.Prompts} {Markup.Escape(result.Split)} prompts, +- standard error by prompt");
            Screen.Error.Write(table);
        }
        foreach (AccuracyDocument accuracy in document.Accuracy ?? [])
            Screen.Error.MarkupLine($"{Markup.Escape(accuracy.Model)}: {100 * accuracy.Accuracy:0.0} % of {accuracy.N} held-out pairs, 95 % interval {100 * accuracy.Low:0.0} to {100 * accuracy.High:0.0}");
        Screen.Error.WriteLine($"{Screen.Duration(TimeSpan.FromSeconds(document.Seconds))}; report: {Path.GetRelativePath(Environment.CurrentDirectory, document.Report)}");
    }

    private static string Percent(double mean, double se) => $"{100 * mean:0.0}±{100 * se:0.0}";

    private static string Signed(double mean, double se) => $"{100 * mean:+0.0;-0.0;0.0}±{100 * se:0.0}";
}
