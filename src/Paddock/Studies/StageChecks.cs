using Paddock.Studies.Recipes;
using Paddock.Worlds;

namespace Paddock.Studies;

/// <summary>What the settings of a stage are checked against before anything runs. What is not known is not checked.</summary>
/// <param name="world">The study's world; null when it has none or it could not be opened.</param>
/// <param name="earlier">The stages before, by name.</param>
public sealed class StageChecks(IWorld? world, IReadOnlyDictionary<string, IStage> earlier)
{
    /// <summary>The stage of this name among those before, or null.</summary>
    public IStage? Earlier(string name) => earlier.GetValueOrDefault(name);

    /// <summary>A split must be one of the world, and hold what is wanted of it.</summary>
    public IEnumerable<StageProblem> Split(string key, string split, SplitContent wanted)
    {
        if (world == null)
            yield break;
        if (!world.Splits.Contains(split))
        {
            yield return new(key, $"unknown split '{Names.Shorten(split)}'{Names.Hint(split, world.Splits, "splits")}");
            yield break;
        }
        if (!world.Holds(split).HasFlag(wanted))
        {
            string[] others = [.. world.Splits.Where(s => world.Holds(s).HasFlag(wanted))];
            yield return new(key, $"split '{split}' has no {wanted.Describe()}; {(others.Length == 0 ? "no split has" : $"splits that have: {string.Join(", ", others)}")}");
        }
    }

    /// <summary>An annotator must be one of the world.</summary>
    public IEnumerable<StageProblem> Annotator(string key, string name)
    {
        if (world != null && !world.Annotators.Contains(name))
            yield return new(key, world.Annotators.Count == 0
                ? $"there is no annotator '{Names.Shorten(name)}': files have none; preferences of files are taken with 'pairs', and a win-rate is judged with 'judges', stages of reward models"
                : $"unknown annotator '{Names.Shorten(name)}'{Names.Hint(name, [.. world.Annotators], "annotators")}");
    }

    /// <summary>A text must be one of a few.</summary>
    public static IEnumerable<StageProblem> OneOf(string key, string value, IReadOnlyCollection<string> known, string one, string many)
    {
        if (!known.Contains(value))
            yield return new(key, $"unknown {one} '{Names.Shorten(value)}'{Names.Hint(value, known, many)}");
    }
}
