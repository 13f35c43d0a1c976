using System.Globalization;
using System.Text;
using Paddock.Evaluation;

namespace Paddock.Reports;

/// <summary>The tables of a study's report as Markdown, for a pull request or a page; intervals and cautions included.</summary>
public static class MarkdownReport
{
    /// <summary>The text for at least one seed of one recipe.</summary>
    public static string Render(IReadOnlyList<StudySummary> seeds, DateTimeOffset at)
    {
        ReportView view = ReportView.Of(seeds, at);
        StringBuilder text = new();
        text.Append("# ").Append(Escape(view.First.Study)).Append("\n\n")
            .Append(CultureInfo.InvariantCulture, $"{(seeds.Count == 1 ? $"Seed {seeds[0].Seed}" : $"{seeds.Count} seeds")}, {at.UtcDateTime:yyyy-MM-dd}. ")
            .Append("Win rates in % with standard errors by prompt; differences are paired.\n");
        foreach (EvaluationView evaluation in view.Evaluations)
            Evaluation(text, evaluation);
        foreach ((string stage, AccuracyResult result) in view.First.Accuracies)
        {
            Heading(text, $"{stage}: accuracy on held-out pairs");
            Row(text, ["model", "accuracy, %", "95 % interval", "pairs", "log loss", "calibration error"]);
            Rule(text, 6);
            foreach (ModelAccuracy model in result.Models)
                Row(text, [model.Model, Show.Percent(model.Accuracy.Mean), $"{Show.Percent(model.Low)} to {Show.Percent(model.High)}", Show.Count(model.Accuracy.N), Show.Plain(model.LogLoss), Show.Plain(model.CalibrationError)]);
        }
        Heading(text, "Stages");
        Row(text, ["stage", "kind", "what it said", "tokens", "seconds", "key"]);
        Rule(text, 6);
        foreach (StageSummary stage in view.First.Stages)
            Row(text, [stage.Name, stage.Kind, stage.Summary ?? Show.Dash, Show.Tokens(stage.Cost.Tokens), Show.Seconds(stage.Cost.Seconds), $"`{(stage.Key.Length > 12 ? stage.Key[..12] : stage.Key)}`"], raw: 5);
        text.Append("\nA simulator is not people: these annotators' preferences are a proxy. Standard errors cover the choice of prompts").Append(seeds.Count > 1 ? " and seeds" : "")
            .Append(", not the choice of annotators, settings or model, and nothing is corrected for many comparisons.\n");
        return text.ToString();
    }

    private static void Evaluation(StringBuilder text, EvaluationView evaluation)
    {
        Heading(text, $"{evaluation.Stage}: {Show.Count(evaluation.First.Prompts)} {evaluation.First.Split} prompts against {evaluation.Opponent}");
        string[] measures = [.. evaluation.Systems.SelectMany(s => s.Measures.Keys).Distinct(StringComparer.Ordinal)];
        Row(text, ["system", .. evaluation.Annotators.SelectMany(a => new[] { a.Title, "vs " + evaluation.First.Baseline })]);
        Rule(text, 1 + 2 * evaluation.Annotators.Count);
        foreach (SystemView system in evaluation.Systems)
            Row(text, [system.Name, .. evaluation.Annotators.SelectMany(a => system.Rates.TryGetValue(a.Name, out RateView? rate)
                ? new[] { Show.Percent(rate.WinRate) + (rate.Missing > 0 ? $" ({Show.Count(rate.Missing)} missing)" : ""), rate.VersusBaseline is { } difference ? Show.Points(difference) : "" }
                : [Show.Dash, ""])]);
        if (measures.Length == 0)
            return;
        text.Append('\n');
        Row(text, ["system", .. measures]);
        Rule(text, 1 + measures.Length);
        foreach (SystemView system in evaluation.Systems)
            Row(text, [system.Name, .. measures.Select(m => system.Measures.TryGetValue(m, out Estimate? mean) ? Show.Mean(mean) : Show.Dash)]);
    }

    private static void Heading(StringBuilder text, string title) => text.Append("\n## ").Append(Escape(title)).Append("\n\n");

    // names to the left, numbers to the right
    private static void Rule(StringBuilder text, int columns) => text.Append("|---").Append(string.Concat(Enumerable.Repeat("|---:", columns - 1))).Append("|\n");

    private static void Row(StringBuilder text, IReadOnlyList<string> cells, int raw = -1)
    {
        for (int i = 0; i < cells.Count; i++)
            text.Append("| ").Append(i == raw ? cells[i] : Escape(cells[i])).Append(' ');
        text.Append("|\n");
    }

    // names and summaries come from recipes and files: none may break a table or become markup
    private static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length);
        foreach (char c in text)
            if (c is '\n' or '\r' or '\t')
                escaped.Append(' ');
            else if (c is '|' or '<' or '>' or '*' or '_' or '`' or '[' or ']' or '\\' or '#')
                escaped.Append('\\').Append(c);
            else
                escaped.Append(c);
        return escaped.ToString();
    }
}
