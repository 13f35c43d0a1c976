using System.CommandLine;
using System.Text;
using Paddock.Engine;

namespace Paddock.Cli;

/// <summary>Runs the chosen verb and turns what happened into an exit code and, at most, one message without a stack trace.</summary>
internal static class ExitCodes
{
    public const int Done = 0, Failed = 1, BadInput = 2, Stopped = 130;

    public static async Task<int> RunAsync(Command root, string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        // a newcomer who types the name alone wants to see what there is
        ParseResult parsed = root.Parse(args.Length > 0 ? args : ["--help"]);
        if (UsageErrors.Of(root, parsed, args) is { } wrong)
        {
            await Console.Error.WriteLineAsync($"paddock: {wrong}");
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
            bool isStudy = parsed.CommandResult.Command.Options.Any(option => option.Name == "--dry-run");
            await Console.Error.WriteLineAsync(isStudy ? "paddock: stopped; a study keeps what it finished, so the same command goes on from there" : "paddock: stopped");
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
}
