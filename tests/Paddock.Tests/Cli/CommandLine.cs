using System.Text;
using System.Text.Json;
using Paddock.Backends.Embedded;
using Paddock.Cli;
using Paddock.Worlds;

namespace Paddock.Tests.Cli;

/// <summary>Tests that take over the console run one after another, and beside nothing else.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ConsoleTests
{
    public const string Name = "console";
}

/// <summary>What one run of the program left behind.</summary>
internal sealed record Outcome(int Code, string Out, string Error)
{
    /// <summary>Rows of standard output, as JSON.</summary>
    public JsonElement[] Rows => [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
}

/// <summary>Runs the program itself, in this process, by its entry point: the real table of verbs, the real exit codes.</summary>
internal static class CommandLine
{
    public static Outcome Run(params string[] args) => RunWith("", args);

    public static Outcome RunWith(string input, params string[] args)
    {
        (TextReader In, TextWriter Out, TextWriter Error) before = (Console.In, Console.Out, Console.Error);
        using StringReader reader = new(input);
        StringWriter output = new(), error = new(); // not disposed: the program keeps its first error stream for the whole process
        try
        {
            Console.SetIn(reader);
            Console.SetOut(output);
            Console.SetError(error);
            object? code = typeof(ExitCodes).Assembly.EntryPoint!.Invoke(null, [args]);
            return new((int)code!, output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetIn(before.In);
            Console.SetOut(before.Out);
            Console.SetError(before.Error);
        }
    }

    /// <summary>Runs the program as a process of its own, with bytes on its standard input.</summary>
    public static Outcome RunApart(byte[] input, params string[] args)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", [typeof(ExitCodes).Assembly.Location, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return new(process.ExitCode, output.Result, error.Result);
    }
}

/// <summary>A Meadow model of random weights, as small as one can be.</summary>
internal static class TinyMeadow
{
    public static string Write(string folder, ulong seed = 1)
    {
        NewModel.Write(folder, new NewModelSettings(HiddenSize: 16, Layers: 1, Heads: 2, FeedForward: 32, MaxPositions: 128), MeadowVocabulary.Words, MeadowVocabulary.ControlWords,
            MeadowVocabulary.EosWord, MeadowVocabulary.PadWord, MeadowVocabulary.ChatTemplate, seed);
        return folder;
    }
}
