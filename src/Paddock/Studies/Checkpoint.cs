using System.Text.Json;

namespace Paddock.Studies;

/// <summary>
/// Content of <c>checkpoints/current.json</c>, the pointer whose replacement makes a checkpoint current. Everything it names is on disk
/// before it is written, and what the previous one named is deleted after.
/// </summary>
/// <param name="Ordinal">Counts checkpoints of the stage; names its folder.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Tiers">Instruction-set tiers computed on so far, the latest last.</param>
/// <param name="Models">Name to address, relative to the stage's folder where it lies inside.</param>
/// <param name="Rows">Name of each file that grows to its rows at this step; rows after them are dropped on resume.</param>
/// <param name="State">The method's own state.</param>
internal sealed record Checkpoint(int Ordinal, int Step, IReadOnlyList<string> Tiers, IReadOnlyDictionary<string, string> Models,
    IReadOnlyDictionary<string, long> Rows, JsonElement State, double Seconds, long Tokens, double Flops)
{
    /// <summary>Name of a model within checkpoint <paramref name="ordinal"/>, relative to the stage's folder.</summary>
    public static string ModelName(int ordinal, string model) => $"checkpoints/{ordinal:D4}/{model}";

    /// <summary>
    /// The current checkpoint, or null. One that points at rows or a model that are not there (a power cut on a disk that lies about
    /// flushing, a hand that deleted files) cannot be continued with the same bits, so it counts as none.
    /// </summary>
    public static Checkpoint? Load(StageFolder folder, out string? problem)
    {
        problem = null;
        Checkpoint? checkpoint = Artefacts.Read(folder.CurrentCheckpoint, StudiesJson.Default.Checkpoint);
        if (checkpoint == null)
            return null;
        foreach ((string file, long rows) in checkpoint.Rows)
            if (Storage.JsonLines.Count(folder.File(file)) is long there && there < rows)
                problem = $"{file} has {there} rows and its checkpoint {rows}";
        foreach ((string name, string address) in checkpoint.Models)
            if (!address.Contains("://", StringComparison.Ordinal) && !Path.Exists(folder.Absolute(address)))
                problem = $"model '{name}' of the checkpoint is not at {address}";
        return problem == null ? checkpoint : null;
    }

    /// <summary>Deletes every checkpoint but that of <paramref name="ordinal"/>, whole or not.</summary>
    public static void DeleteOthers(StageFolder folder, int? ordinal)
    {
        if (!Directory.Exists(folder.Checkpoints))
            return;
        if (ordinal == null)
            File.Delete(folder.CurrentCheckpoint);
        foreach (string other in Directory.EnumerateDirectories(folder.Checkpoints))
            if (Path.GetFileName(other) != $"{ordinal:D4}")
                Directory.Delete(other, recursive: true);
    }
}
