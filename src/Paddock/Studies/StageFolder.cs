using System.Text.Json;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Studies;

/// <summary>Folder of one stage, named by its key. It explains itself (<c>stage.json</c>) and counts only once <c>DONE</c> is there.</summary>
public sealed class StageFolder(string path)
{
    private const string ModelAddress = "model.uri";

    /// <summary>Full path of the folder.</summary>
    public string Path { get; } = path;

    public string Key => System.IO.Path.GetFileName(Path);

    /// <summary>Kind, settings and the parts of the key.</summary>
    public string Description => File("stage.json");

    /// <summary>One row a step, no clock in it.</summary>
    public string Metrics => File("metrics.jsonl");

    /// <summary>What the user was told while the stage ran.</summary>
    public string Warnings => File("warnings.jsonl");

    /// <summary>Rows of stages whose result is rows.</summary>
    public string Outputs => File("outputs.jsonl");

    /// <summary>The trained model of stages that train one.</summary>
    public string Model => File("model");

    public string Timing => File("timing.json");

    public string Done => File("DONE");

    internal string Account => File("account.json");

    internal string Checkpoints => File("checkpoints");

    internal string CurrentCheckpoint => System.IO.Path.Combine(Checkpoints, "current.json");

    public bool IsDone => System.IO.File.Exists(Done);

    /// <summary>Path of a file or folder in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>What <see cref="Backends.ModelSpec.Weights"/> takes for the model of this stage; null when it made none.</summary>
    public string? Weights => System.IO.File.Exists(File(ModelAddress)) ? Absolute(System.IO.File.ReadAllText(File(ModelAddress)).Trim())
        : Directory.Exists(Model) ? Model
        : null;

    /// <summary>The last line about a finished stage; null while it is not finished.</summary>
    public StageDone? ReadDone() => Artefacts.Read(Done, StudiesJson.Default.StageDone);

    public StageTiming? ReadTiming() => Artefacts.Read(Timing, StudiesJson.Default.StageTiming);

    public StageDescription? ReadDescription() => Artefacts.Read(Description, StudiesJson.Default.StageDescription);

    internal void WriteWeights(string address) => WholeFile.WriteText(File(ModelAddress), Relative(address) + "\n");

    // addresses inside the folder are kept relative, so that results may be moved or copied
    internal string Relative(string address) => address.StartsWith(Path + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal)
        ? System.IO.Path.GetRelativePath(Path, address).Replace('\\', '/')
        : address;

    internal string Absolute(string address) => address.Contains("://", StringComparison.Ordinal) || System.IO.Path.IsPathRooted(address) ? address : File(address);

    /// <summary>Fingerprint of what the stage made: every file but those about how it was made.</summary>
    internal string OutputsFingerprint() => Fingerprint.OfFolder(Path, IsOutput);

    /// <summary>Bytes of each file that the stage made, by its name relative to the folder.</summary>
    internal IReadOnlyDictionary<string, long> OutputSizes() => new SortedDictionary<string, long>(Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
        .Select(file => (Name: System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/'), new FileInfo(file).Length))
        .Where(file => IsOutput(file.Name))
        .ToDictionary(file => file.Name, file => file.Length), StringComparer.Ordinal);

    /// <summary>A finished stage must still have its files, each as long as it was: a hand, or a copy that was cut off, may have taken one.</summary>
    /// <exception cref="BadInputException">A file is missing or has another length; the message names it.</exception>
    internal void CheckOutputs(StageDone done)
    {
        foreach ((string name, long bytes) in done.Files ?? new Dictionary<string, long>())
        {
            FileInfo file = new(File(name));
            if (!file.Exists || file.Length != bytes)
                throw new BadInputException($"{file.FullName}: {(file.Exists ? $"has {file.Length} bytes where the finished stage wrote {bytes}" : "is missing from a finished stage")}; remove {Path} to run the stage again");
        }
    }

    private static bool IsOutput(string name) =>
        name is not ("stage.json" or "warnings.jsonl" or "timing.json" or "account.json" or "inference.json" or "DONE") && !name.StartsWith("checkpoints/", StringComparison.Ordinal)
        && !name.Contains(WholeFile.TemporarySuffix, StringComparison.Ordinal);
}

/// <summary>Content of <c>stage.json</c>.</summary>
/// <param name="Settings">As YAML, defaults written out.</param>
/// <param name="KeyText">The text whose SHA-256 is the key.</param>
public sealed record StageDescription(string Kind, string Name, string Settings, IReadOnlyList<string> KeyText);

/// <summary>Content of <c>timing.json</c>: all attempts together. Tokens and operations are those of an uninterrupted run.</summary>
/// <param name="Seconds">Wall-clock time of each attempt up to the last checkpoint or chunk of rows it kept, and of the last attempt whole.</param>
/// <param name="Tokens">Tokens trained on or sampled, where the stage counts them.</param>
/// <param name="Flops">Floating-point operations, by formula, where the stage counts them.</param>
public sealed record StageTiming(double Seconds, long Tokens, double Flops, MachineInfo Machine);

/// <summary>Content of <c>DONE</c>.</summary>
/// <param name="Outputs">Fingerprint of all files the stage made.</param>
/// <param name="Summary">One line for people; null when the stage has nothing to say.</param>
/// <param name="Tiers">Instruction-set tiers it was computed on; more than one when it was resumed elsewhere.</param>
/// <param name="Files">Bytes of each of these files, by which a damaged result is told; null in results of before this was kept.</param>
public sealed record StageDone(string Outputs, string? Summary, IReadOnlyList<string> Tiers, IReadOnlyDictionary<string, long>? Files = null);

/// <summary>Content of <c>manifest.json</c>: what a study is made of.</summary>
/// <param name="World">Name and fingerprint of the world.</param>
public sealed record StudyManifest(int Format, string Study, ulong Seed, string PaddockVersion, int NumericsVersion, string? World, string? WorldFingerprint,
    MachineInfo Machine, IReadOnlyList<ManifestStage> Stages)
{
    public const int CurrentFormat = 1;

    /// <summary>Reads a manifest; null when there is none.</summary>
    public static StudyManifest? Read(string path) => Artefacts.Read(path, StudiesJson.Default.StudyManifest);
}

/// <param name="Outputs">Fingerprint of what it made; null until it is done.</param>
public sealed record ManifestStage(string Name, string Kind, string Key, string? Outputs = null, string? Summary = null);

/// <summary>Small JSON files of a run.</summary>
internal static class Artefacts
{
    // a checkpoint of DPO holds 22 bytes for each pair
    private const long MaxBytes = 1 << 28;

    public static void Write<T>(string path, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        WholeFile.WriteText(path, JsonSerializer.Serialize(value, type) + "\n");

    public static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists)
                return null;
            return file.Length > MaxBytes
                ? throw new BadInputException($"{path}: too large for what it should be; delete it and run again")
                : JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new BadInputException($"{path}: holds nothing; delete it and run again");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{path}: not written by this version of Paddock ({e.Message}); delete it and run again", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // deleted since
        }
    }
}
