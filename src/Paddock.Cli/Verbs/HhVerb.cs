using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Cli.Terminal;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Studies.Benchmarks;
using Paddock.Worlds;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock hh</c>: helpfulness and harmlessness of judges, reward models and systems.</summary>
internal static partial class HhVerb
{
    public static Command Create()
    {
        Argument<string[]> pairs = new("pairs") { Description = "Pairs: HH transcripts, HHH evaluations, or any preference file. Without one the Meadow is used.", Arity = ArgumentArity.ZeroOrMore };
        Option<string[]> models = new("--model") { Description = "A reward model to judge the pairs: a folder, or study/stage of a finished stage." };
        Option<ulong> seed = new("--seed") { Description = "Seeds the Meadow's answers.", DefaultValueFactory = _ => 1 };
        Option<string> runs = CommonOptions.Runs("Folder of all results, for study/stage.");
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        Command command = new("hh", "Helpfulness and harmlessness: accuracy on pairs, refusals, the frontier of systems.") { pairs, models, seed, runs, threads, json };
        command.SetAction((parsed, stop) => Task.Run(async () =>
        {
            using FrontDoor door = new(parsed.GetValue(threads), parsed.GetValue(runs)!);
            List<IAnnotator> judges = [];
            List<IAsyncDisposable> open = [];
            try
            {
                foreach (string name in parsed.GetValue(models) ?? [])
                {
                    string weights = door.ModelOf(name);
                    if (!door.Models.HasScalarHead(weights))
                        throw new BadInputException($"--model: '{name}' is no reward model; it has no scalar head");
                    EmbeddedBackend backend = new(Path.GetTempPath(), door.Models, door.Pool);
                    open.Add(backend);
                    ITrainableModel model = await backend.CreateAsync(new ModelSpec(weights, new Adaptation.Full(), Head.Scalar, parsed.GetValue(seed)), stop);
                    open.Add(model);
                    judges.Add(new RewardAnnotator(name, new RewardScorer(model), door.Models.OpenCodec(weights)));
                }
                string[] files = parsed.GetValue(pairs) ?? [];
                HelpfulHarmlessResult result = files.Length > 0 ? await HelpfulHarmlessResult.OfFilesAsync(files, judges, stop)
                    : await HelpfulHarmlessResult.OfMeadowAsync(new MeadowWorld(), judges, parsed.GetValue(seed), stop);
                Show(result, Screen.Result(parsed.GetValue(json)));
                if (parsed.GetValue(json))
                    Console.Out.WriteLine(JsonSerializer.Serialize(HhDocument.Of(result), HhJson.Default.HhDocument));
                return ExitCodes.Done;
            }
            finally
            {
                for (int i = open.Count - 1; i >= 0; i--)
                    await open[i].DisposeAsync();
            }
        }, CancellationToken.None));
        return command;
    }

    private static void Show(HelpfulHarmlessResult result, IAnsiConsole console)
    {
        Table accuracy = Screen.Table("judge", "pairs", Column.Number("accuracy %"), Column.Number("95 %"), Column.Number("n"), Column.Number("ties"));
        foreach (PairAccuracy row in result.Accuracy)
            accuracy.AddRow(Markup.Escape(row.Judge), Markup.Escape(row.Set), $"{100 * row.Accuracy.Mean:0.0}", Ends(row.Accuracy), $"{row.Accuracy.N:N0}", $"{row.Ties:N0}");
        console.Write(accuracy);
        foreach (RefusalShare row in result.Declined)
            console.WriteLine($"{row.Set}: {100 * row.Chosen.Mean:0.0} % of the preferred answers decline ({Ends(row.Chosen)}), {100 * row.Rejected.Mean:0.0} % of the others ({Ends(row.Rejected)})");
        if (result.Systems.Count == 0)
            return;
        console.WriteLine();
        Table systems = Screen.Table("system", Column.Number("helpful %"), Column.Number("harmless %"), Column.Number("refuses %"), Column.Number("over-refuses %"), "frontier");
        foreach (SystemProfile row in result.Systems)
            systems.AddRow(Markup.Escape(row.System), With(row.Helpful), With(row.Harmless), With(row.Refuses), With(row.OverRefuses), row.OnFrontier ? "yes" : "");
        console.Write(systems);

        static string With(Interval interval) => $"{100 * interval.Mean:0.0}±{100 * interval.StandardError:0.0}";

        static string Ends(Interval interval) => $"{100 * interval.Low:0.0} to {100 * interval.High:0.0}";
    }

    /// <summary>A share with its 95 % interval.</summary>
    internal sealed record ShareDocument(double Mean, double Low, double High, int N)
    {
        public static ShareDocument Of(Interval interval) => new(interval.Mean, interval.Low, interval.High, interval.N);
    }

    internal sealed record AccuracyDocument(string Judge, string Set, ShareDocument Accuracy, int Ties);

    internal sealed record DeclinedDocument(string Set, ShareDocument Chosen, ShareDocument Rejected);

    internal sealed record ProfileDocument(string System, ShareDocument Helpful, ShareDocument Harmless, ShareDocument Refuses, ShareDocument OverRefuses, bool OnFrontier);

    internal sealed record HhDocument(IReadOnlyList<AccuracyDocument> Accuracy, IReadOnlyList<DeclinedDocument> Declined, IReadOnlyList<ProfileDocument> Systems)
    {
        public static HhDocument Of(HelpfulHarmlessResult result) => new([.. result.Accuracy.Select(a => new AccuracyDocument(a.Judge, a.Set, ShareDocument.Of(a.Accuracy), a.Ties))],
            [.. result.Declined.Select(d => new DeclinedDocument(d.Set, ShareDocument.Of(d.Chosen), ShareDocument.Of(d.Rejected)))],
            [.. result.Systems.Select(s => new ProfileDocument(s.System, ShareDocument.Of(s.Helpful), ShareDocument.Of(s.Harmless), ShareDocument.Of(s.Refuses), ShareDocument.Of(s.OverRefuses), s.OnFrontier))]);
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(HhDocument))]
    private sealed partial class HhJson : JsonSerializerContext;
}
