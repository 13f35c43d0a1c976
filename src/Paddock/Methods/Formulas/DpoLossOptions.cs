using Paddock.Engine;

namespace Paddock.Methods.Formulas;

/// <summary>
/// The offline DPO family. x = beta (u(r_w) - u(r_l)), r = log pi - log ref summed over tokens, n = response tokens, s = sigmoid.
/// </summary>
public enum DpoLossType
{
    /// <summary>-log s(x): DPO (Rafailov et al. 2023, arXiv 2305.18290); takes soft labels and smoothing (cDPO).</summary>
    Sigmoid,

    /// <summary>max(0, 1 - x): SLiC (arXiv 2305.10425) and RSO (2309.06657).</summary>
    Hinge,

    /// <summary>(r_w/n_w - r_l/n_l - 1/(2 beta))^2: IPO (arXiv 2310.12036) on per-token averages.</summary>
    Ipo,

    /// <summary>Reverse KL from the smoothed label: EXO (arXiv 2402.00856); needs smoothing above 0.</summary>
    ExoPair,

    /// <summary>-log s(b r_w) - 1/2 log s(-b r_w) - 1/2 log s(-b r_l): NCA (arXiv 2402.05369).</summary>
    NcaPair,

    /// <summary>Unbiased under labels flipped with probability epsilon: robust DPO (arXiv 2403.00409).</summary>
    Robust,

    /// <summary>-log s(b r_w) - log s(-b r_l): BCO on pairs (arXiv 2404.04656), without the running shift.</summary>
    BcoPair,

    /// <summary>(r_w - 1/(2 beta))^2 + (r_l + 1/(2 beta))^2: SPPO with hard labels (arXiv 2405.00675).</summary>
    SppoHard,

    /// <summary>Logistic on sorted differences: AOT, paired (arXiv 2406.05882). Depends on which pairs share the step.</summary>
    Aot,

    /// <summary>Logistic on the difference of sorted ratios: AOT, unpaired (arXiv 2406.05882).</summary>
    AotUnpaired,

    /// <summary>1 - s(b r_w) + s(b r_l): APO-zero (arXiv 2408.06266).</summary>
    ApoZero,

    /// <summary>s(b r_w) + 1 - s(x): APO-down (arXiv 2408.06266).</summary>
    ApoDown,

    /// <summary>Blend of logistic and exponential found by search: DiscoPOP (arXiv 2406.08414).</summary>
    DiscoPop,

    /// <summary>Token mean of the chosen answers' negative log-likelihood over the step.</summary>
    Sft,

    /// <summary>-log s(beta (r_w/n_w - r_l/n_l)): length-normalised DPO (arXiv 2411.15124).</summary>
    SigmoidNorm,
}

/// <summary>
/// u(r) in place of r (Wang et al. 2023, arXiv 2309.16240), shifted so that u(0) = 0: the shift cancels between the answers of a pair
/// except where their lengths divide them.
/// </summary>
public enum FDivergence
{
    /// <summary>u = r.</summary>
    ReverseKl,

    /// <summary>u = 1 - e^-r.</summary>
    ForwardKl,

    /// <summary>u = ln 2 + log s(r).</summary>
    JensenShannon,

    /// <summary>u = (e^((a-1) r) - 1) / (a - 1), its exponent held at 80; a = 1 is reverse KL.</summary>
    Alpha,
}

/// <summary>One loss of a mixture.</summary>
public readonly record struct DpoTerm(DpoLossType Type, double Weight = 1);

/// <summary>A weighted sum of losses; one term is plain, MPO (arXiv 2411.10442) is 0.8 sigmoid + 0.2 bco_pair + 1.0 sft.</summary>
/// <param name="Beta">Strength of the pull to the reference; above 0.</param>
/// <param name="LabelSmoothing">Epsilon: share of labels taken to be wrong. Used by sigmoid, sigmoid_norm, exo_pair, robust, aot and aot_unpaired.</param>
/// <param name="AlphaCoefficient">a of <see cref="FDivergence.Alpha"/>.</param>
/// <param name="DiscoPopTemperature">tau of <see cref="DpoLossType.DiscoPop"/>.</param>
public sealed record DpoLossOptions(IReadOnlyList<DpoTerm> Terms, double Beta = 0.1, double LabelSmoothing = 0, FDivergence Divergence = FDivergence.ReverseKl,
    double AlphaCoefficient = 0.5, double DiscoPopTemperature = 0.05)
{
    /// <summary>Smoothing that exo_pair, which needs some, gets when none is given.</summary>
    public const double ExoSmoothing = 1e-3;

    /// <summary>One loss alone; exo_pair gets the smoothing it needs unless another is given.</summary>
    public static DpoLossOptions Of(DpoLossType type, double beta = 0.1, double? labelSmoothing = null) =>
        new([new(type)], beta, labelSmoothing ?? (type == DpoLossType.ExoPair ? ExoSmoothing : 0));

    /// <summary>Whether the loss is a mean over pairs that know nothing of each other; aot and aot_unpaired sort the step and sft pools its tokens.</summary>
    public bool IsSeparable => !Terms.Any(term => term.Type is DpoLossType.Aot or DpoLossType.AotUnpaired or DpoLossType.Sft);

    /// <summary>Whether every loss takes labels that are probabilities.</summary>
    public bool TakesSoftLabels => Terms.All(term => term.Type is DpoLossType.Sigmoid or DpoLossType.SigmoidNorm or DpoLossType.Sft);

    /// <summary>Throws a clear error for settings that no loss is defined for.</summary>
    public void Validate()
    {
        if (Problem() is { } problem)
            throw new BadInputException($"dpo: {problem}");
    }

    /// <summary>What no loss is defined for, in words; null when all is well.</summary>
    public string? Problem()
    {
        if (Terms.Count == 0)
            return "name at least one loss";
        if (!(Beta > 0 && double.IsFinite(Beta)))
            return $"beta must be above 0, not {Beta}";
        if (LabelSmoothing is not (>= 0 and < 0.5))
            return $"label smoothing must be at least 0 and below 0.5, not {LabelSmoothing}";
        if (!(DiscoPopTemperature > 0))
            return $"the discopop temperature must be above 0, not {DiscoPopTemperature}";
        if (!double.IsFinite(AlphaCoefficient))
            return $"the alpha coefficient must be a number, not {AlphaCoefficient}";
        foreach (DpoTerm term in Terms)
        {
            if (!double.IsFinite(term.Weight))
                return $"the weight of {term.Type} must be a number, not {term.Weight}";
            if (Divergence != FDivergence.ReverseKl && term.Type is not (DpoLossType.Sigmoid or DpoLossType.SigmoidNorm or DpoLossType.Hinge or DpoLossType.Ipo
                or DpoLossType.ExoPair or DpoLossType.Robust or DpoLossType.DiscoPop or DpoLossType.Sft))
                return $"loss {term.Type} is defined for reverse KL only, not for {Divergence}";
            if (term.Type == DpoLossType.ExoPair && LabelSmoothing == 0)
                return "exo_pair needs label smoothing above 0 (0.001 is usual), as it takes the log of it";
        }
        return null;
    }
}
