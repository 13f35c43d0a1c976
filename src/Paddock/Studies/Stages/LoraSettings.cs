using System.ComponentModel.DataAnnotations;
using Paddock.Backends;

namespace Paddock.Studies.Stages;

/// <summary>Trains low-rank adapters in place of the weights (Hu et al. 2021).</summary>
/// <param name="Alpha">Scale: alpha / rank, or alpha / sqrt(rank) when rank-stabilised.</param>
/// <param name="Targets">Projections that get one: q, k, v, o, gate, up, down; all when left out.</param>
public sealed record LoraSettings([Range(1, 4096)] int Rank = 8, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Alpha = 16, IReadOnlyList<string>? Targets = null,
    bool RankStabilised = false)
{
    // the short names, and those that modules have in the families there are
    private static readonly string[] Known =
        ["q", "k", "v", "o", "gate", "up", "down", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "c_attn", "c_proj", "c_fc"];

    public static Adaptation Adaptation(LoraSettings? lora) =>
        lora == null ? new Adaptation.Full() : new Adaptation.Lora(lora.Rank, lora.Alpha, lora.Targets ?? [], lora.RankStabilised);

    public static IEnumerable<StageProblem> Problems(LoraSettings? lora) =>
        (lora?.Targets ?? []).SelectMany((target, i) => StageChecks.OneOf($"lora.targets[{i}]", target, Known, "projection", "projections"));
}
