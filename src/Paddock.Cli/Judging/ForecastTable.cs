using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Judging;
using Spectre.Console;

namespace Paddock.Cli.Judging;

/// <summary>The last line of standard output of a forecast under <c>--json</c>. Documented in docs/json.md and held by a test.</summary>
internal sealed record ForecastDocument(IReadOnlyList<JudgeForecast> Forecasts);

/// <summary>The last line of standard output of <c>judge</c> under <c>--json</c>.</summary>
/// <param name="CacheHits">Replies that were in the store.</param>
/// <param name="Sent">Requests that were sent, retries of one request not counted.</param>
internal sealed record JudgeDocument(JudgeSummary Summary, long CacheHits, long Sent, double ElapsedSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ForecastDocument))]
[JsonSerializable(typeof(JudgeDocument))]
internal sealed partial class JudgingDocuments : JsonSerializerContext;

/// <summary>Shows what judging may cost.</summary>
internal static class ForecastTable
{
    public static void Show(IReadOnlyList<JudgeForecast> forecasts, bool json)
    {
        IAnsiConsole console = Screen.Result(json);
        foreach (JudgeForecast forecast in forecasts)
        {
            Table table = Screen.Table($"{forecast.Judge}", Column.Number("low"), Column.Number("expected"), Column.Number("high"));
            Row(table, "calls", forecast.Calls, v => v.ToString("N0", CultureInfo.InvariantCulture));
            Row(table, "tokens in", forecast.InputTokens, v => v.ToString("N0", CultureInfo.InvariantCulture));
            Row(table, "tokens out", forecast.OutputTokens, v => v.ToString("N0", CultureInfo.InvariantCulture));
            if (forecast.Price != null)
                Row(table, forecast.Currency, forecast.Price, v => v.ToString("N2", CultureInfo.InvariantCulture));
            if (forecast.Seconds != null)
                Row(table, "time", forecast.Seconds, v => Screen.Duration(TimeSpan.FromSeconds(Math.Min(v, TimeSpan.MaxValue.TotalSeconds / 2))));
            console.Write(table);
            console.WriteLine($"{forecast.Comparisons.ToString("N0", CultureInfo.InvariantCulture)} comparisons, {forecast.Sampled} of them tokenised; replies in the store cost nothing and are not taken off"
                + (forecast.Price == null ? "; a price is not known: give model.input-price and model.output-price" : ""));
        }
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(new ForecastDocument(forecasts), JudgingDocuments.Default.ForecastDocument));
    }

    private static void Row(Table table, string name, Forecast forecast, Func<double, string> text) => table.AddRow(Markup.Escape(name), text(forecast.Low), text(forecast.Expected), text(forecast.High));
}
