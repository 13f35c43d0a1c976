using Paddock.Backends;

namespace Paddock.Studies.Stages;

/// <summary>Trains low-rank adapters in place of the weights (Hu et al. 2021).</summary>
/// <param name="Alpha">Scale: alpha / rank, or alpha / sqrt(rank) when rank-stabilised.</param>
/// <param name="Targets">Projections that get one: q, k, v, o, gate, up, down; all when left out.</param>
public sealed record LoraSettings(int Rank = 8, double Alpha = 16, IReadOnlyList<string>? Targets = null, bool RankStabilised = false)
{
    public static Adaptation Adaptation(LoraSettings? lora) =>
        lora == null ? new Adaptation.Full() : new Adaptation.Lora(lora.Rank, lora.Alpha, lora.Targets ?? [], lora.RankStabilised);

    public static IEnumerable<StageProblem> Problems(LoraSettings? lora) => lora == null ? [] : [.. Range.Positive("lora.rank", lora.Rank), .. Range.Positive("lora.alpha", lora.Alpha)];
}

/// <summary>Range checks that name the key of a setting.</summary>
internal static class Range
{
    public static IEnumerable<StageProblem> Positive(string key, double? value)
    {
        if (value is { } given && !(given > 0 && double.IsFinite(given)))
            yield return new StageProblem(key, $"must be above 0, not {given}");
    }

    /// <summary>Answers a prompt: at least one, and few enough to hold in memory.</summary>
    public static IEnumerable<StageProblem> Answers(string key, int n) => Within(key, n, 1, 65536);

    public static IEnumerable<StageProblem> Within(string key, double value, double low, double high)
    {
        if (!(value >= low && value <= high))
            yield return new StageProblem(key, $"must be from {low} to {high}, not {value}");
    }
}
