using Paddock.Engine;

namespace Paddock.Worlds;

/// <summary>Sizes of the splits. Smaller splits are prefixes of larger ones, so a fast run sees the same first prompts.</summary>
public sealed record MeadowOptions(int Sft = 4000, int Preference = 6000, int Unlabeled = 4000, int Validation = 400, int Evaluation = 805)
{
    private const int Most = 1_000_000;

    /// <summary>Every split at this share of its full size, at least one prompt each.</summary>
    public static MeadowOptions Scaled(double scale)
    {
        if (scale is not (> 0 and <= 100))
            throw new BadInputException($"the Meadow's scale {scale} is out of range; give a number above 0 and at most 100, 1 being the full size");
        MeadowOptions full = new();
        int Of(int size) => Math.Max(1, (int)Math.Round(size * scale));
        return new(Of(full.Sft), Of(full.Preference), Of(full.Unlabeled), Of(full.Validation), Of(full.Evaluation));
    }

    /// <summary>Sizes by name of split.</summary>
    internal IReadOnlyList<(string Split, int Size)> Sizes =>
        [("sft", Sft), ("preference", Preference), ("unlabeled", Unlabeled), ("validation", Validation), ("evaluation", Evaluation)];

    internal void Check()
    {
        foreach ((string split, int size) in Sizes)
            if (size is < 0 or > Most)
                throw new BadInputException($"the Meadow's split '{split}' cannot have {size} prompts; give 0 to {Most}");
    }
}
