using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Paddock.Worlds;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock world meadow</c>: prompts, answers, what they are worth and how the panels vote, for a person to look at.</summary>
internal static partial class WorldVerb
{
    public static Command Create()
    {
        Argument<string> world = new("world") { Description = "The world to look at: meadow.", DefaultValueFactory = _ => "meadow" };
        Option<string> split = new("--split") { Description = "Whose prompts are shown.", DefaultValueFactory = _ => "sft" };
        Option<int> count = new("--count", "-n") { Description = "How many prompts.", DefaultValueFactory = _ => 6 };
        Option<ulong> seed = new("--seed") { Description = "Seeds the two answers to each prompt.", DefaultValueFactory = _ => 1 };
        Option<bool> json = CommonOptions.Json();
        Command command = new("world", "Look at a world: prompts, answers, their utility, and how the raters vote.") { world, split, count, seed, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(world) != "meadow")
                throw new BadInputException($"there is no world '{parsed.GetValue(world)}'; worlds: meadow");
            MeadowExhibit exhibit = await MeadowExhibit.OfAsync(new MeadowWorld(), parsed.GetValue(split)!, parsed.GetValue(count), parsed.GetValue(seed), cancellation);
            Show(exhibit, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(exhibit, WorldJson.Default.MeadowExhibit));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(MeadowExhibit exhibit, IAnsiConsole console)
    {
        console.MarkupLine($"The Meadow, split [bold]{Markup.Escape(exhibit.Split)}[/]: {exhibit.Prompts} prompts; evaluation prompts found word for word in "
            + string.Join(", ", exhibit.EvaluationOverlap.Select(o => $"{o.Key} {o.Value}")));
        foreach (MeadowShown shown in exhibit.Shown)
        {
            console.WriteLine();
            string traits = (shown.Harmful ? ", harmful" : "") + (shown.Unanswerable ? ", unanswerable" : "");
            console.MarkupLine($"[bold]{Markup.Escape(shown.Instruction)}[/] [dim]({shown.Kind}{traits}; right: {Markup.Escape(shown.Gold)})[/]");
            ShowAnswer("A", shown.First, console);
            ShowAnswer("B", shown.Second, console);
            console.MarkupLine("  votes for A: " + string.Join("  ", shown.Votes.Select(v => $"{v.Panel} {100 * v.FirstPreferred:0} %")));
        }
    }

    private static void ShowAnswer(string label, MeadowShownAnswer answer, IAnsiConsole console)
    {
        console.MarkupLine($"  {label} [green]{Markup.Escape(answer.Text)}[/] [dim]by {Markup.Escape(answer.Author)}[/]");
        console.MarkupLine($"    U {answer.Utility:0.00} = [dim]{Markup.Escape(string.Join(" ", answer.Contributions.Select(c => $"{c.Feature} {c.Contribution:+0.00;-0.00}")))}[/]");
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(MeadowExhibit))]
    private sealed partial class WorldJson : JsonSerializerContext;
}
