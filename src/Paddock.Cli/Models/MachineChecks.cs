using System.ComponentModel;
using System.Diagnostics;
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
    private const double LeastMemoryGb = 1;
    private const long LeastFreeBytes = 1L << 30;

    public static List<Check> Run(FrontDoor door, string runs)
    {
        MachineInfo machine = door.Services.Machine;
        return
        [
            new("program", $"Paddock {typeof(MachineChecks).Assembly.GetName().Version?.ToString(3)} in {AppContext.BaseDirectory}"),
            new("runtime", machine.Runtime),
            Sdk(),
            new("system", $"{machine.System}, {machine.Architecture}"),
            new("processor", machine.Processor),
            new("cores", $"{machine.Cores}"),
            new("memory", string.Create(CultureInfo.InvariantCulture, $"{machine.MemoryGb:0.0} GB"), machine.MemoryGb < LeastMemoryGb ? "a study of the Meadow needs about 1 GB: it may fail here" : null),
            new("instructions", machine.Tier == "scalar" ? machine.Tier : $"{machine.Tier} vectors", machine.Tier == "scalar" ? "this processor offers no vectors: everything runs, some ten times slower" : null),
            new("threads", $"{machine.Threads}"),
            Arithmetic(door),
            BaseModel(door),
            Recipes(door),
            RunsFolder(runs),
            Disk(runs),
            HubCacheFolder(),
            SharedFiles(),
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

    // needed to build and to test, not to run what is built
    private static Check Sdk()
    {
        const string Name = "SDK", Missing = "not found on PATH; needed to build and to test, not to run";
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo("dotnet", ["--version"])
            {
                WorkingDirectory = AppContext.BaseDirectory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            if (process == null)
                return new(Name, Missing);
            string version = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? new(Name, $".NET SDK {version}") : new(Name, "'dotnet --version' finds no .NET 10 SDK; needed to build and to test, not to run");
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return new(Name, Missing);
        }
    }

    // real models and data that some tests read
    private static Check SharedFiles()
    {
        const string Name = "PADDOCK_SHARED";
        string? folder = Environment.GetEnvironmentVariable(Name);
        return new(Name, string.IsNullOrEmpty(folder) ? "not set; tests look for real models and data in 'shared' beside the repository"
            : Directory.Exists(folder) ? folder
            : $"{folder}, which is not there: tests on real models and data are skipped");
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
