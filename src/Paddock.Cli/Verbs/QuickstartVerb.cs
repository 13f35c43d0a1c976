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
            string recipe = FrontDoor.ShippedRecipe(parsed.GetValue(fast) ? "quickstart-fast" : "quickstart");
            using FrontDoor door = study.OpenDoor(parsed);
            Dictionary<string, string> variables = [];
            if (parsed.GetValue(fromScratch))
            {
                Recipe baseRecipe = door.ReadRecipe(FrontDoor.ShippedRecipe("meadow-base"));
                if (study.IsDryRun(parsed))
                {
                    Plan(study, parsed, door, baseRecipe, recipe);
                    return ExitCodes.Done;
                }
                variables["base"] = await TrainBaseAsync(door, baseRecipe, cancellation);
            }
            await study.RunAsync(parsed, door, door.ReadRecipe(recipe, study.Variables(parsed, variables)), cancellation);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task<string> TrainBaseAsync(FrontDoor door, Recipe recipe, CancellationToken stop)
    {
        var summary = await StudyCommand.RunOneAsync(door, recipe, new StudyOptions(door.Runs.Root), stop);
        return door.Runs.Stage(summary.Manifest.Stages[^1].Key).Weights ?? throw new BadInputException("the base model's stage made no model");
    }

    // the keys of what is built on the base model are known only once it is trained
    private static void Plan(StudyCommand study, ParseResult parsed, FrontDoor door, Recipe baseRecipe, string recipe)
    {
        StudyPlan basePlan = StudyPlan.For(baseRecipe, door.Services);
        string? trained = door.Runs.Stage(basePlan.Stages[^1].Key.Value) is { IsDone: true } stage ? stage.Weights : null;
        // until then the recipe's own model stands in for it
        Recipe read = door.ReadRecipe(recipe, study.Variables(parsed, trained == null ? null : new Dictionary<string, string> { ["base"] = trained }));
        PlanTable.Show(new([
            PlanTable.Of(basePlan, door.Runs),
            .. study.Seeds(parsed, read).Select(seeded => StudyPlan.For(seeded, door.Services)).Select(plan => trained == null ? PlanTable.WithoutKeys(plan) : PlanTable.Of(plan, door.Runs)),
        ]), study.IsJson(parsed));
    }
}
