using System.CommandLine;
using Paddock.Cli.Studies;
using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock quickstart</c>: the whole loop of simulated RLHF on the Meadow, from the committed base model or from nothing.</summary>
internal static class QuickstartVerb
{
    public static Command Create()
    {
        Option<bool> fast = new("--fast") { Description = "A smaller study, in about a minute; its intervals are wider." };
        Option<bool> fromScratch = new("--from-scratch") { Description = "Trains the Meadow's base model first, which takes much longer." };
        StudyCommand study = new();
        Command command = new("quickstart", "Run the whole loop on the built-in world: generate, judge, train, evaluate, report.") { fast, fromScratch };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            Dictionary<string, string> variables = [];
            if (parsed.GetValue(fromScratch) && !study.IsDryRun(parsed))
                variables["base"] = await TrainBaseAsync(study, parsed, cancellation);
            return await study.RunAsync(parsed, FrontDoor.ShippedRecipe(parsed.GetValue(fast) ? "quickstart-fast" : "quickstart"), variables, cancellation);
        });
        return command;
    }

    private static async Task<string> TrainBaseAsync(StudyCommand study, ParseResult parsed, CancellationToken stop)
    {
        using FrontDoor door = new(study.Threads(parsed), study.Runs(parsed));
        Recipe recipe = door.ReadRecipe(FrontDoor.ShippedRecipe("meadow-base"));
        StudyOptions options = new(study.Runs(parsed));
        var summary = await StudyCommand.RunOneAsync(door, recipe, options, stop);
        return new RunsFolder(options.Runs).Stage(summary.Manifest.Stages[^1].Key).Weights ?? throw new BadInputException("the base model's stage made no model");
    }
}
