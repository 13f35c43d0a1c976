using System.CommandLine;

namespace Paddock.Cli;

/// <summary>Options that many verbs have, each made in one place.</summary>
internal static class CommonOptions
{
    /// <summary>Folder of all results; need not exist.</summary>
    public static Option<string> Runs(string description = "Folder of all results.")
    {
        Option<string> runs = new("--runs") { Description = description, DefaultValueFactory = _ => "runs" };
        runs.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            if (token.Value.Trim().Length == 0)
                result.AddError("--runs is empty; give the folder of all results");
            else if (File.Exists(token.Value))
                result.AddError($"--runs: '{token.Value}' is a file; give a folder");
        });
        return runs;
    }

    public static Option<int> Threads() => new("--threads") { Description = "Compute threads; 0 takes all processors. Results do not depend on it." };

    public static Option<bool> Json(string description = "Prints one JSON document as the last line of standard output.") => new("--json") { Description = description };
}
