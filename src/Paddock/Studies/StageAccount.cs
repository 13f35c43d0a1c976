using Paddock.Storage;

namespace Paddock.Studies;

/// <summary>
/// Content of <c>account.json</c> beside the rows of a half-finished stage: which rows count, and what was spent on them. Replaced after every chunk of
/// rows; a row it does not count is dropped on resume and made again, so the work of a killed and resumed stage adds up to that of an uninterrupted one.
/// </summary>
/// <param name="Rows">Name of each file of rows to the rows that count.</param>
/// <param name="Tiers">Instruction-set tiers computed on so far, the latest last.</param>
/// <param name="Seconds">Wall-clock time of all attempts up to here.</param>
/// <param name="Tokens">Tokens trained on or sampled.</param>
/// <param name="Flops">Floating-point operations, by formula.</param>
internal sealed record StageAccount(IReadOnlyDictionary<string, long> Rows, IReadOnlyList<string> Tiers, double Seconds, long Tokens, double Flops)
{
    public static StageAccount Empty { get; } = new(new Dictionary<string, long>(), [], 0, 0, 0);

    /// <summary>
    /// What earlier attempts kept: the account, or the checkpoint where that is the later one. A file with fewer rows than the account counts (a power cut on
    /// a disk that lies about flushing, a hand that deleted rows) makes it worthless: nothing counts then, and <paramref name="problem"/> says why.
    /// </summary>
    public static StageAccount Load(StageFolder folder, Checkpoint? checkpoint, out string? problem)
    {
        problem = null;
        StageAccount account = Artefacts.Read(folder.Account, StudiesJson.Default.StageAccount) ?? Empty;
        foreach ((string file, long rows) in account.Rows)
            if (JsonLines.Count(folder.File(file)) is long there && there < rows)
                problem = $"{file} has {there} rows and its account {rows}";
        if (problem != null)
            account = Empty;
        return checkpoint == null || checkpoint.Seconds < account.Seconds
            ? account
            : account with { Tiers = checkpoint.Tiers, Seconds = checkpoint.Seconds, Tokens = checkpoint.Tokens, Flops = checkpoint.Flops };
    }
}
