using System.ComponentModel.DataAnnotations;
using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Worlds;

namespace Paddock.Studies.Stages;

/// <summary><c>pairs</c>: takes a part of the data's own preferences, people's for one; parts that do not overlap share no prompt.</summary>
/// <param name="Split">Split of the data with the preferences.</param>
/// <param name="From">Start of the part, a share of the prompts in a seeded order.</param>
/// <param name="To">End of the part.</param>
/// <param name="MaxCharacters">Pairs with a longer prompt or answer are left out, and counted; 0 keeps all.</param>
/// <param name="Limit">First so many pairs of the part only.</param>
[Makes(StageProduct.Preferences)]
public sealed record PairsStage(string Name, string Split = "preference", [Range(0, 1)] double From = 0, [Range(0, 1)] double To = 1, [Range(0, int.MaxValue)] int MaxCharacters = 0,
    [Range(1, int.MaxValue)] int? Limit = null) : IStage
{
    public int Version => 2;

    public StageUses Uses => StageUses.World;

    public IEnumerable<StageInput> Inputs => [];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        foreach (StageProblem problem in checks.Split("split", Split, SplitContent.Preferences))
            yield return problem;
        if (To <= From)
            yield return new("to", $"must be above from ({From})");
    }

    public Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        IReadOnlyList<Preference> all = run.World.Preferences(Split);
        string? unusable = PreferenceRows.Tell(run.World.Unusable(Split), $"split '{Split}'", run);
        // the order depends on the data alone, so that stages of other names and seeds cut the same parts
        string[] prompts = [.. all.Select(p => p.Prompt.Key).Distinct(StringComparer.Ordinal)];
        new RandomStream(0, "pairs/" + Split).Shuffle<string>(prompts);
        HashSet<string> part = new(prompts[(int)(From * prompts.Length)..(int)(To * prompts.Length)], StringComparer.Ordinal);

        List<Preference> inside = [.. all.Where(p => part.Contains(p.Prompt.Key))];
        List<Preference> kept = [.. inside.Where(IsShort).Take(Limit ?? int.MaxValue)];
        int tooLong = inside.Count(p => !IsShort(p));
        if (kept.Count == 0)
            throw new Engine.BadInputException($"no pair of split '{Split}' is left: the part holds {inside.Count}, {tooLong} of them longer than {MaxCharacters} characters");
        using ResumableRows rows = run.OpenRows("outputs.jsonl", kept.Count, kept.Count);
        if (rows.Next > 0)
            rows.Append(kept, RowsJson.Default.Preference, CancellationToken.None);
        run.Summary = $"{kept.Count} of {all.Count} pairs" + (tooLong > 0 ? $", {tooLong} of the part left out as too long" : "") + unusable;
        return Task.CompletedTask;
    }

    private bool IsShort(Preference p) => MaxCharacters == 0
        || p.Prompt.Messages.Sum(m => m.Content.Length) + Math.Max(p.Chosen.Text.Length, p.Rejected.Text.Length) <= MaxCharacters;
}
