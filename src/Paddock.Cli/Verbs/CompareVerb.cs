using System.CommandLine;
using Paddock.Cli.Studies;
using Paddock.Reports;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock compare</c>: every method on the same data over several seeds, with what it costs.</summary>
internal static class CompareVerb
{
    private const int DefaultSeeds = 3;

    public static Command Create()
    {
        Argument<string?> recipe = new("recipe") { Description = "A recipe file that ends in a win-rate stage; recipes/compare-all.yaml when left out.", Arity = ArgumentArity.ZeroOrOne };
        StudyCommand study = new(DefaultSeeds);
        Command command = new("compare", "Train every method on the same data over several seeds and compare them.") { recipe };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using FrontDoor door = study.OpenDoor(parsed);
            IReadOnlyList<StudySummary> seeds = await study.RunAsync(parsed, door, door.ReadRecipe(parsed.GetValue(recipe) ?? FrontDoor.ShippedRecipe("compare-all"), study.Variables(parsed)), cancellation);
            if (seeds.Count > 0)
                ComparisonTable.Show(MethodComparison.Of(seeds), study.IsJson(parsed));
            return ExitCodes.Done;
        });
        return command;
    }
}
