using System.Globalization;
using Paddock.Engine;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Kernels;
using Paddock.Engine.Models;
using Paddock.Studies;

namespace Paddock.Cli.Models;

/// <summary>One line of the doctor.</summary>
/// <param name="Fix">What to do; null when there is nothing to do.</param>
internal sealed record Check(string Name, string Value, string? Fix = null);

/// <summary>What this machine offers and whether a study would run here.</summary>
internal static class MachineChecks
{
    private const double LargestError = 1e-5;
    private const long LeastFreeBytes = 1L << 30;

    public static List<Check> Run(FrontDoor door, string runs)
    {
        MachineInfo machine = door.Services.Machine;
        return
        [
            new("runtime", machine.Runtime),
            new("system", $"{machine.System}, {machine.Architecture}"),
            new("processor", machine.Processor),
            new("cores", $"{machine.Cores}"),
            new("memory", string.Create(CultureInfo.InvariantCulture, $"{machine.MemoryGb:0.0} GB")),
            new("instructions", machine.Tier, machine.Tier == "scalar" ? "this processor offers no vectors: everything runs, some ten times slower" : null),
            new("threads", $"{machine.Threads}"),
            Arithmetic(door),
            BaseModel(door),
            Recipes(door),
            RunsFolder(runs),
            Disk(runs),
            HubCacheFolder(),
        ];
    }

    private static Check Arithmetic(FrontDoor door)
    {
        double error = SelfCheck.MatMulError(door.Pool);
        return new("arithmetic", string.Create(CultureInfo.InvariantCulture, $"fast product within {error:0.0e+00} of its scalar twin"),
            error < LargestError ? null : "the fast kernels compute wrong numbers on this machine: please report it with these lines");
    }

    private static Check BaseModel(FrontDoor door)
    {
        const string Name = "meadow-base";
        if (door.FindModel(Name) is not { } place)
            return new("base model", "missing", $"the model '{Name}' did not come with this program: 'paddock quickstart --from-scratch' trains it");
        try
        {
            using ModelWeights weights = door.Models.OpenWeights(place, HeadKind.Token);
            door.Models.OpenCodec(place);
            return new("base model", $"{Name}, {weights.Layout.ParameterCount:N0} parameters");
        }
        catch (Exception e) when (e is BadInputException or IOException or UnauthorizedAccessException)
        {
            return new("base model", e.Message, "its files are damaged: build or install the program again");
        }
    }

    private static Check Recipes(FrontDoor door)
    {
        string folder = Path.GetDirectoryName(FrontDoor.ShippedRecipe("quickstart"))!;
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.yaml") : [];
        // models are left unchecked: the line above is about the one that may be missing
        RecipeReader reader = new(door.Services.Stages);
        foreach (string file in files)
            try
            {
                reader.ReadFile(file);
            }
            catch (BadInputException e)
            {
                return new("recipes", e.Message, "a recipe of the program cannot be read: build or install the program again");
            }
        return new("recipes", files.Length == 0 ? "missing" : $"{files.Length} can be read",
            File.Exists(FrontDoor.ShippedRecipe("quickstart")) ? null : "the quickstart's recipe did not come with this program: build or install it again");
    }

    private static Check RunsFolder(string runs)
    {
        string folder = Nearest(runs);
        string probe = Path.Combine(folder, $".paddock-probe-{Environment.ProcessId}");
        try
        {
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return new("runs", $"{Path.GetFullPath(runs)}, writable");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new("runs", $"{Path.GetFullPath(runs)}: {e.Message}", "results cannot be written there: make it writable, or give another folder with --runs");
        }
    }

    private static Check Disk(string runs)
    {
        try
        {
            long free = new DriveInfo(Nearest(runs)).AvailableFreeSpace;
            return new("free disk space", string.Create(CultureInfo.InvariantCulture, $"{free / (double)(1 << 30):0.0} GB"),
                free >= LeastFreeBytes ? null : "a study needs some hundreds of megabytes: free some space, or give another folder with --runs");
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return new("free disk space", $"unknown ({e.Message})");
        }
    }

    private static Check HubCacheFolder()
    {
        string folder = HubCache.Folder(Environment.GetEnvironmentVariable);
        int models = Directory.Exists(folder) ? Directory.GetDirectories(folder, "models--*").Length : 0;
        return new("hub cache", models > 0 ? $"{folder}, {models} models" : $"{folder}, empty");
    }

    // the folder itself, or the first above it that is there
    private static string Nearest(string runs)
    {
        string folder = Path.GetFullPath(runs);
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
            folder = parent;
        return folder;
    }
}
