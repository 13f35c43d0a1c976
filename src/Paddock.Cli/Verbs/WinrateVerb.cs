using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Evaluation.Benchmarks;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock winrate</c>: one win rate from verdicts, and from human labels where there are some.</summary>
internal static partial class WinrateVerb
{
    public static Command Create()
    {
        Argument<string[]> verdicts = new("verdicts") { Description = "Verdicts: rows with id and score, AlpacaEval annotations, or Arena battles.", Arity = ArgumentArity.OneOrMore };
        Option<string[]> human = new("--human") { Description = "Human labels on a random part of the same prompts, in any of these formats: gives PPI++." };
        Option<string?> system = new("--system") { Description = "Whose rate; needed where the verdicts are on several systems." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("winrate", "One win rate with its interval, from a judge's verdicts and, where given, human labels.") { verdicts, human, system, json };
        command.SetAction(parsed =>
        {
            ComparedRow[]? labels = parsed.GetValue(human) is { Length: > 0 } files ? [.. files.SelectMany(ComparedRows.Read)] : null;
            SystemWinRate result = SystemWinRate.Of([.. parsed.GetValue(verdicts)!.SelectMany(ComparedRows.Read)], labels, parsed.GetValue(system));
            Show(result, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(WinrateDocument.Of(result), WinrateJson.Default.WinrateDocument));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(SystemWinRate result, IAnsiConsole console)
    {
        Table table = Screen.Table("from", Column.Number("win rate"), Column.Number("95 %"), Column.Number("n"), "method");
        if (result.Labels is { } labels)
        {
            Add("both", labels.Rate);
            Add("human labels", labels.HumanOnly);
            Add("judge", labels.JudgeOnly);
        }
        else
            Add(result.System ?? "verdicts", result.Rate);
        console.Write(table);
        console.WriteLine($"{result.Verdicts.Wins} wins, {result.Verdicts.Ties} ties, {result.Verdicts.Losses} losses, {result.Verdicts.Missing} without a verdict"
            + (result.Others > 0 ? $", {result.Others} rows on other systems" : ""));
        if (result.Labels is { } both)
            console.WriteLine($"the judge is trusted to {both.Lambda:0.00} (correlation with people {both.Correlation:0.00}): as good as {both.EffectiveLabels:0} human labels"
                + (result.Unjudged > 0 ? $"; {result.Unjudged} labels are on prompts without a verdict and left out" : ""));

        void Add(string from, Interval interval) => table.AddRow(Markup.Escape(from), $"{100 * interval.Mean:0.0}±{100 * interval.StandardError:0.0}", $"{100 * interval.Low:0.0} to {100 * interval.High:0.0}",
            $"{interval.N} {interval.Unit}", interval.Method);
    }

    /// <summary>Rates are fractions; null where the data do not determine a number.</summary>
    /// <param name="Ci">Lower and upper end of the 95 % interval.</param>
    internal sealed record RateDocument(double? Mean, double? Se, IReadOnlyList<double?> Ci, int N, string Unit, string Method)
    {
        public static RateDocument Of(Interval interval) => new(Number(interval.Mean), Number(interval.StandardError), [Number(interval.Low), Number(interval.High)], interval.N, interval.Unit, interval.Method);

        public static double? Number(double value) => double.IsFinite(value) ? value : null;
    }

    /// <param name="Missing">Rows without a verdict.</param>
    /// <param name="Others">Rows on other systems.</param>
    /// <param name="Lambda">With human labels: how far the judge is trusted, 0 to 1.</param>
    internal sealed record WinrateDocument(string? System, double? Mean, double? Se, IReadOnlyList<double?> Ci, int N, string Unit, string Method, int Wins, int Ties, int Losses, int Missing, int Others,
        RateDocument? Human, RateDocument? Judge, double? Lambda, double? Correlation, double? EffectiveLabels, int Unjudged)
    {
        public static WinrateDocument Of(SystemWinRate result)
        {
            RateDocument rate = RateDocument.Of(result.Rate);
            return new(result.System, rate.Mean, rate.Se, rate.Ci, rate.N, rate.Unit, rate.Method, result.Verdicts.Wins, result.Verdicts.Ties, result.Verdicts.Losses, result.Verdicts.Missing, result.Others,
                result.Labels is { } l ? RateDocument.Of(l.HumanOnly) : null, result.Labels is { } j ? RateDocument.Of(j.JudgeOnly) : null, result.Labels?.Lambda,
                result.Labels is { } c ? RateDocument.Number(c.Correlation) : null, result.Labels is { } e ? RateDocument.Number(e.EffectiveLabels) : null, result.Unjudged);
        }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(WinrateDocument))]
    private sealed partial class WinrateJson : JsonSerializerContext;
}
