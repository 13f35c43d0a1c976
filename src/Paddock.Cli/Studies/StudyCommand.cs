using System.CommandLine;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Reports;
using Paddock.Studies;

namespace Paddock.Cli.Studies;

/// <summary>Options that every verb which runs a study has, and the run itself: plan, stages, report, table, JSON.</summary>
/// <param name="defaultSeeds">Seeds that are run when none are asked for.</param>
internal sealed class StudyCommand(int defaultSeeds = 1)
{
    private const int MaxSeeds = 1000;

    private readonly Option<string> _runs = CommonOptions.Runs();
    private readonly Option<int> _threads = CommonOptions.Threads();
    private readonly Option<string[]> _set = new("--set") { Description = "Sets a variable of the recipe: name=value.", AllowMultipleArgumentsPerToken = false };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Seed in place of the recipe's." };
    private readonly Option<int> _seeds = new("--seeds") { Description = "Runs so many seeds and shows the spread between them.", DefaultValueFactory = _ => defaultSeeds };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Reads, binds and plans the recipe, shows its stages and runs nothing." };
    private readonly Option<bool> _json = CommonOptions.Json();

    /// <param name="variables">Whether there is a recipe file whose variables <c>--set</c> can set.</param>
    public void AddTo(Command command, bool variables = true)
    {
        foreach (Option option in new Option[] { _runs, _threads, _set, _seed, _seeds, _dryRun, _json })
            if (variables || option != _set)
                command.Options.Add(option);
    }

    public FrontDoor OpenDoor(ParseResult parsed) => new(parsed.GetValue(_threads), parsed.GetValue(_runs)!);

    public bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Runs a recipe as the options say: one study, or one for every seed.</summary>
    /// <returns>What ran, a summary for every seed; empty after a dry run.</returns>
    public async Task<IReadOnlyList<StudySummary>> RunAsync(ParseResult parsed, FrontDoor door, Recipe recipe, CancellationToken stop)
    {
        Recipe[] seeds = Seeds(parsed, recipe);
        if (IsDryRun(parsed))
        {
            PlanTable.Show(new([.. seeds.Select(seeded => PlanTable.Of(StudyPlan.For(seeded, door.Services), door.Runs))]), IsJson(parsed));
            return [];
        }

        long begun = door.Services.Time.GetTimestamp();
        List<StudySummary> summaries = [];
        string report = "";
        foreach (Recipe seeded in seeds)
        {
            StudyOptions options = new(door.Runs.Root, SeedFolder: seeds.Length > 1);
            StudySummary summary = await RunOneAsync(door, seeded, options, stop);
            summaries.Add(summary);
            report = door.Runs.Study(seeded.Study, options.SeedFolder ? seeded.Seed : null).Report;
            StudyReport.Write(report, summary, door.Services.Time);
        }
        // several seeds: one page with their mean and spread, beside the seeds' own
        if (seeds.Length > 1)
        {
            report = door.Runs.Study(recipe.Study).Report;
            StudyReport.Write(report, summaries, door.Services.Time);
        }
        double seconds = door.Services.Time.GetElapsedTime(begun).TotalSeconds;
        StudyDocument document = StudyDocuments.Of(summaries, seconds, report);
        ResultTable.Show(document, summaries[0], IsJson(parsed));
        if (IsJson(parsed))
            Console.Out.WriteLine(StudyDocuments.Serialize(document));
        return summaries;
    }

    /// <summary>Runs one seed with progress on standard error.</summary>
    public static async Task<StudySummary> RunOneAsync(FrontDoor door, Recipe recipe, StudyOptions options, CancellationToken stop)
    {
        StudyManifest manifest = await StudyProgress.WatchAsync(recipe, Screen.Error, Screen.IsLive, observer => new StudyRunner(door.Services, options, observer).RunAsync(recipe, stop));
        return StudySummary.Read(recipe, door.Services.Stages, manifest, new RunsFolder(options.Runs));
    }

    /// <summary>The recipe with every seed that the options ask for.</summary>
    public Recipe[] Seeds(ParseResult parsed, Recipe recipe)
    {
        int seeds = parsed.GetValue(_seeds);
        if (seeds is < 1 or > MaxSeeds)
            throw new BadInputException($"--seeds must be from 1 to {MaxSeeds}, not {seeds}");
        ulong first = parsed.GetValue(_seed) ?? recipe.Seed;
        return [.. Enumerable.Range(0, seeds).Select(i => recipe with { Seed = unchecked(first + (ulong)i) })];
    }

    /// <summary>Variables of the recipe: those that the verb itself sets, then those of <c>--set</c>.</summary>
    public Dictionary<string, string> Variables(ParseResult parsed, IReadOnlyDictionary<string, string>? own = null)
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
}
