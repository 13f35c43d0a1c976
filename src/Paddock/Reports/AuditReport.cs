using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;
using Paddock.Reports.Components;

namespace Paddock.Reports;

/// <summary>What the page of an audit is made from.</summary>
/// <param name="Files">The files it was made from, as they were named.</param>
public sealed record AuditView(JudgeAuditResult Audit, AuditSettings Settings, IReadOnlyList<string> Files, IReadOnlyList<string> People, DateTimeOffset At, DriftResult? Drift = null)
{
    /// <summary>Shares that are drawn beside each other.</summary>
    internal IReadOnlyList<(string Name, Interval Value)> Shares
    {
        get
        {
            List<(string, Interval?)> shares =
            [
                ("human agreement", Audit.People?.Agreement), ("people themselves", Audit.People?.People), ("consistent over orders", Audit.Position?.Consistency), ("same label again", Audit.Repeats?.Percent),
                ("first shown wins", Audit.Position?.FirstWins), ("output 1 preferred", Audit.PreferFirst), ("longer preferred", Audit.Longer?.Judge), ("longer, by people", Audit.Longer?.People),
                ("list preferred", Audit.Lists?.Judge), ("list, by people", Audit.Lists?.People), ("bias", Audit.People?.Bias), ("variance", Audit.Repeats?.Variance),
                ("circles", Audit.Transitivity?.Cyclic), ("no verdict", Audit.MissingRate),
            ];
            return [.. shares.Where(s => s.Item2 != null && double.IsFinite(s.Item2.Mean)).Select(s => (s.Item1, s.Item2!))];
        }
    }
}

/// <summary>The audit of a judge as one HTML page that needs no network, no script and no other file.</summary>
public static class AuditReport
{
    /// <summary>Writes the page, whole or not at all.</summary>
    public static void Write(string path, AuditView view) => WholeFile.WriteText(path, Render(view));

    /// <summary>The page as text; the same view gives the same text.</summary>
    public static string Render(AuditView view) => StudyReport.RenderPage<AuditPage>(nameof(AuditPage.View), view);
}
