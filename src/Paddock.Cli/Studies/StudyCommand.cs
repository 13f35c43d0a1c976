using System.CommandLine;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Reports;
using Paddock.Studies;

namespace Paddock.Cli.Studies;

/// <summary>Options that every verb which runs a study has, and the run itself: plan, stages, report, table, JSON.</summary>
internal sealed class StudyCommand
{
    private readonly Option<string> _runs = new("--runs") { Description = "Folder of all results.", DefaultValueFactory = _ => "runs" };
    private readonly Option<int> _threads = new("--threads") { Description = "Compute threads; 0 takes all processors. Results do not depend on it." };
    private readonly Option<string[]> _set = new("--set") { Description = "Sets a variable of the recipe: name=value.", AllowMultipleArgumentsPerToken = false };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Seed in place of the recipe's." };
    private readonly Option<int> _seeds = new("--seeds") { Description = "Runs so many seeds and shows the spread between them.", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Reads, binds and plans the recipe, shows its stages and runs nothing." };
    private readonly Option<bool> _json = new("--json") { Description = "Prints one JSON document as the last line of standard output." };

    /// <param name="variables">Whether there is a recipe file whose variables <c>--set</c> can set.</param>
    public void AddTo(Command command, bool variables = true)
    {
        foreach (Option option in new Option[] { _runs, _threads, _set, _seed, _seeds, _dryRun, _json })
            if (variables || option != _set)
                command.Options.Add(option);
    }

    public bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    public int Threads(ParseResult parsed) => parsed.GetValue(_threads);

    /// <summary>Runs the recipe at <paramref name="path"/> as the options say.</summary>
    /// <param name="variables">Variables that the verb itself sets.</param>
    public async Task<int> RunAsync(ParseResult parsed, string path, IReadOnlyDictionary<string, string>? variables, CancellationToken stop)
    {
        using FrontDoor door = new(Threads(parsed), Runs(parsed));
        Recipe recipe = door.ReadRecipe(path, Variables(parsed, variables));
        return await RunAsync(parsed, door, recipe, stop);
    }

    public async Task<int> RunAsync(ParseResult parsed, FrontDoor door, Recipe recipe, CancellationToken stop)
    {
        if (parsed.GetValue(_seed) is { } seed)
            recipe = recipe with { Seed = seed };
        int seeds = parsed.GetValue(_seeds);
        if (seeds < 1)
            throw new BadInputException($"--seeds must be at least 1, not {seeds}");
        if (parsed.GetValue(_dryRun))
        {
            PlanTable.Show(StudyPlan.For(recipe, door.Services), new RunsFolder(parsed.GetValue(_runs)!));
            return ExitCodes.Done;
        }

        long begun = door.Services.Time.GetTimestamp();
        List<StudySummary> summaries = [];
        string report = "";
        for (int i = 0; i < seeds; i++)
        {
            Recipe seeded = recipe with { Seed = recipe.Seed + (ulong)i };
            StudyOptions options = new(parsed.GetValue(_runs)!, SeedFolder: seeds > 1);
            StudySummary summary = await RunOneAsync(door, seeded, options, stop);
            summaries.Add(summary);
            report = new RunsFolder(options.Runs).Study(seeded.Study, options.SeedFolder ? seeded.Seed : null).Report;
            StudyReport.Write(report, summary, door.Services.Time);
        }
        // several seeds: one page with their mean and spread, beside the seeds' own
        if (seeds > 1)
        {
            report = new RunsFolder(parsed.GetValue(_runs)!).Study(recipe.Study).Report;
            StudyReport.Write(report, summaries, door.Services.Time);
        }
        double seconds = door.Services.Time.GetElapsedTime(begun).TotalSeconds;
        StudyDocument document = StudyDocuments.Of(summaries, seconds, report);
        ResultTable.Show(document, summaries[0]);
        if (IsJson(parsed))
            Console.Out.WriteLine(StudyDocuments.Serialize(document));
        return ExitCodes.Done;
    }

    /// <summary>Runs one seed with progress on standard error.</summary>
    public static async Task<StudySummary> RunOneAsync(FrontDoor door, Recipe recipe, StudyOptions options, CancellationToken stop)
    {
        StudyManifest manifest = await StudyProgress.WatchAsync(recipe, observer => new StudyRunner(door.Services, options, observer).RunAsync(recipe, stop));
        return StudySummary.Read(recipe, door.Services.Stages, manifest, new RunsFolder(options.Runs));
    }

    public Dictionary<string, string> Variables(ParseResult parsed, IReadOnlyDictionary<string, string>? own)
    {
        Dictionary<string, string> variables = own == null ? [] : new(own);
        foreach (string assignment in parsed.GetValue(_set) ?? [])
        {
            int at = assignment.IndexOf('=', StringComparison.Ordinal);
            if (at < 1)
                throw new BadInputException($"--set takes name=value, not '{assignment}'");
            variables[assignment[..at]] = assignment[(at + 1)..];
        }
        return variables;
    }

    public string Runs(ParseResult parsed) => parsed.GetValue(_runs)!;
}
