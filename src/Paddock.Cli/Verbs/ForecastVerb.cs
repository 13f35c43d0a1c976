using System.CommandLine;
using Paddock.Cli.Judging;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Studies;
using Paddock.Studies.Judges;
using Paddock.Studies.Stages;
using Paddock.Worlds;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock forecast RECIPE</c>: what the judges of a recipe would cost, before anything is sent.</summary>
internal static class ForecastVerb
{
    public static Command Create()
    {
        Argument<string> recipe = new("recipe") { Description = "A recipe with an annotate stage whose annotator is a file." };
        Option<string[]> set = new("--set") { Description = "Value of a variable of the recipe: name=value." };
        Option<string?> prices = new("--prices") { Description = "Price table in place of the shipped one." };
        Option<string> runs = CommonOptions.Runs();
        Option<bool> json = CommonOptions.Json();
        Command command = new("forecast", "Say what the judges of a recipe will cost: calls, tokens, money and time.") { recipe, set, prices, runs, json };
        command.SetAction(parsed =>
        {
            using FrontDoor door = new(1, parsed.GetValue(runs)!);
            Recipe read = door.ReadRecipe(parsed.GetRequiredValue(recipe), Variables(parsed.GetValue(set) ?? []));
            PriceTable table = parsed.GetValue(prices) is { } own ? PriceTable.Read(own) : PriceTable.Shipped;
            JudgeForecast[] forecasts = [.. read.Stages.OfType<AnnotateStage>().Where(stage => JudgeFile.PathIn(stage.Annotator) != null).Select(stage => Of(stage, read, door, table))];
            if (forecasts.Length == 0)
                throw new BadInputException($"{parsed.GetValue(recipe)}: no stage asks a language model; judges of a world cost nothing");
            ForecastTable.Show(forecasts, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    private static JudgeForecast Of(AnnotateStage stage, Recipe recipe, FrontDoor door, PriceTable prices)
    {
        string file = JudgeFile.PathIn(stage.Annotator)!;
        JudgeSettings settings = JudgeFile.Read(file);
        if (stage.Flip > 0)
            settings = settings with { Noise = stage.Flip };
        using JudgeBuilder builder = door.Judges(prices: prices);
        IJudge judge = builder.Build(settings, file);
        if (recipe.Stages.OfType<SampleStage>().FirstOrDefault(s => s.Name == stage.Of) is not { } sample || door.Services.OpenWorld(recipe) is not { } world)
            throw new BadInputException($"stage '{stage.Name}': the answers of '{stage.Of}' are not sampled in this recipe; use 'paddock judge PAIRS --dry-run' on a file of pairs");
        Prompt[] prompts = [.. world.Prompts(sample.Split).Take(sample.Limit ?? int.MaxValue)];
        // the answers are yet to be written: their tokens are put in as numbers
        Comparison[] shown = [.. JudgeVerb.Spread(prompts).Select(p => new Comparison(p.Id, p, new(""), new("")))];
        int most = sample.MaxTokens ?? world.MaxResponseTokens;
        ITextCodec? codec = recipe.Model != null && door.FindModel(recipe.Model) is { } model ? door.Models.OpenCodec(model) : null;
        return JudgeForecast.Of(judge, shown, (long)prompts.Length * (sample.N / 2), settings.Limits ?? new(), prices, new Forecast(most / 4.0, most / 2.0, most),
            codec == null ? null : text => text.Length == 0 ? 0 : codec.EncodeResponse(new Response(text, Finished: false)).Length);
    }

    private static Dictionary<string, string> Variables(string[] assignments)
    {
        Dictionary<string, string> variables = [];
        foreach (string assignment in assignments)
        {
            int at = assignment.IndexOf('=', StringComparison.Ordinal);
            if (at < 1)
                throw new BadInputException($"--set takes name=value, not '{assignment}'");
            variables[assignment[..at]] = assignment[(at + 1)..];
        }
        return variables;
    }
}
