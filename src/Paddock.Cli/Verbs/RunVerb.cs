using System.CommandLine;
using Paddock.Cli.Studies;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock run RECIPE</c>: runs a study; what is finished is reused, what is half-finished continues.</summary>
internal static class RunVerb
{
    public static Command Create()
    {
        Argument<string> recipe = new("recipe") { Description = "A recipe file, such as recipes/quickstart.yaml." };
        StudyCommand study = new();
        Command command = new("run", "Run the study of a recipe; finished stages are reused, a half-finished one continues.") { recipe };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using FrontDoor door = study.OpenDoor(parsed);
            await study.RunAsync(parsed, door, door.ReadRecipe(parsed.GetRequiredValue(recipe), study.Variables(parsed)), cancellation);
            return ExitCodes.Done;
        });
        return command;
    }
}
