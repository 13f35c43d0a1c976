using System.CommandLine;
using System.Text;
using Paddock.Engine;
using Paddock.Studies.Recipes;

namespace Paddock.Cli;

/// <summary>Runs the chosen verb and turns what happened into an exit code and, at most, one message without a stack trace.</summary>
internal static class ExitCodes
{
    public const int Done = 0, Failed = 1, BadInput = 2, Stopped = 130;

    public static async Task<int> RunAsync(Command root, string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        ParseResult parsed = root.Parse(args);
        if (UnknownVerb(root, parsed, args) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"paddock: {unknown}");
            return BadInput;
        }
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"paddock: {error.Message}");
            await Console.Error.WriteLineAsync($"paddock: see '{CommandPath(parsed)} --help'");
            return BadInput;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });
        }
        catch (BadInputException exception)
        {
            await Console.Error.WriteLineAsync($"paddock: {exception.Message}");
            return BadInput;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("paddock: stopped; a study keeps what it finished, so the same command goes on from there");
            return Stopped;
        }
        catch (IOException exception)
        {
            await Console.Error.WriteLineAsync($"paddock: {exception.Message}");
            return Failed;
        }
        catch (UnauthorizedAccessException exception)
        {
            await Console.Error.WriteLineAsync($"paddock: {exception.Message}");
            return Failed;
        }
        catch (Exception exception) when (Environment.GetEnvironmentVariable("PADDOCK_TRACE") is null or "")
        {
            await Console.Error.WriteLineAsync($"paddock: {exception.GetType().Name}: {exception.Message} (set PADDOCK_TRACE=1 for the stack trace)");
            return Failed;
        }
    }

    // the library would name every word after it too
    private static string? UnknownVerb(Command root, ParseResult parsed, string[] args)
    {
        if (parsed.CommandResult.Command != root || args.Length == 0 || args[0].StartsWith('-'))
            return null;
        string[] verbs = [.. root.Subcommands.Select(command => command.Name)];
        return $"there is no verb '{Names.Shorten(args[0])}'{(Names.Nearest(args[0], verbs) is { } nearest ? $"; did you mean '{nearest}'?" : "; 'paddock --help' lists them")}";
    }

    private static string CommandPath(ParseResult parsed)
    {
        List<string> names = [];
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is System.CommandLine.Parsing.CommandResult command; at = at.Parent)
            names.Insert(0, command.Command.Name);
        return string.Join(' ', names);
    }
}
