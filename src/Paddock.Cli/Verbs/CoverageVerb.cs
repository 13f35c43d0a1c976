using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Studies.Coverage;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock coverage</c>: how often each interval holds the truth, in the Meadow, where it is known.</summary>
internal static partial class CoverageVerb
{
    public static Command Create()
    {
        Option<int> repetitions = new("--repetitions") { Description = "Samples drawn for each interval that a formula gives.", DefaultValueFactory = _ => 4000 };
        Option<int> resampled = new("--bootstrap-repetitions") { Description = "Samples drawn for each interval by resampling.", DefaultValueFactory = _ => 1000 };
        Option<ulong> seed = new("--seed") { Description = "Seeds the samples.", DefaultValueFactory = _ => 1 };
        Option<bool> json = CommonOptions.Json();
        Command command = new("coverage", "Check that intervals hold the truth as often as they say, in the Meadow.") { repetitions, resampled, seed, json };
        command.SetAction((parsed, stop) => Task.Run(async () =>
        {
            foreach (Option<int> count in (Option<int>[])[repetitions, resampled])
                if (parsed.GetValue(count) is < 1 or > 1_000_000)
                    throw new BadInputException($"{count.Name} must be from 1 to 1000000, not {parsed.GetValue(count)}");
            IReadOnlyList<CoverageCase> cases = CoverageCases.Of(await CoveragePopulation.OfMeadowAsync(stop));
            IReadOnlyList<CoverageRow> rows = CoverageStudy.Run(cases, parsed.GetValue(repetitions), parsed.GetValue(resampled), parsed.GetValue(seed),
                row => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Interval}: {100 * row.Coverage:0.0} %")), stop);
            Show(rows, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new CoverageDocument(rows), CoverageJson.Default.CoverageDocument));
            return rows.All(row => row.Holds) ? ExitCodes.Done : ExitCodes.Failed;
        }, CancellationToken.None));
        return command;
    }

    private static void Show(IReadOnlyList<CoverageRow> rows, IAnsiConsole console)
    {
        Table table = Screen.Table("interval", Column.Number("truth"), Column.Number("coverage %"), Column.Number("width"), Column.Number("repetitions"), "as it should be");
        foreach (CoverageRow row in rows)
            table.AddRow(Markup.Escape(row.Interval), $"{row.Truth:0.000}", $"{100 * row.Coverage:0.0}±{100 * row.Error:0.0}", $"{row.Width:0.000}", $"{row.Repetitions:N0}",
                !row.Holds ? "NO" : row.Kind == CoverageKind.Naive ? "fails" : "holds");
        console.Write(table);
    }

    internal sealed record CoverageDocument(IReadOnlyList<CoverageRow> Intervals);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
    [JsonSerializable(typeof(CoverageDocument))]
    private sealed partial class CoverageJson : JsonSerializerContext;
}
